rule evaluate:
    input:
        tests=flow.test_predictions(),
        validations=flow.validation_predictions(),
        calibrations=flow.calibrations(),
        seeds=flow.seed_predictions(),
        windows=data.windows,
        recordings=data.recordings,
        events=data.events,
    output:
        predictions=run.predictions,
        metrics=run.metrics,
        patients=run.per_patient,
        events=run.events,
    log:
        flow.log("evaluate"),
    benchmark:
        flow.benchmark("evaluate")
    resources:
        **flow.resources_for("evaluate"),
    params:
        settings=flow.settings("evaluate"),
        code=flow.code("evaluate"),
        output=flow.folder,
    message:
        "Score {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}"
    shell:
        "run_script evaluate --settings {params.settings:q} --tests {input.tests:q} --seeds {input.seeds:q}"
        " --windows {input.windows:q}"
        " --recordings {input.recordings:q} --events {input.events:q} --output {params.output:q} 2>&1 | log_to {log:q}"
