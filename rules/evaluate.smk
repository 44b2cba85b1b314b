rule evaluate:
    input:
        tests=flow.test_predictions(),
        others=flow.validation_predictions() + flow.calibrations() + flow.seed_predictions(),
        windows=data.windows,
        recordings=data.recordings,
        events=data.events,
        participants=flow.participants,
    output:
        predictions=run.predictions,
        metrics=run.metrics,
        patients=report(run.per_patient, **report_mark("per_patient")),
        events=report(run.events, **report_mark("events")),
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
        participants=flow.participants_option,
    message:
        "Score {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}"
    shell:
        "run_script evaluate --settings {params.settings:q} --tests {input.tests:q} --windows {input.windows:q}"
        " --recordings {input.recordings:q} --events {input.events:q} {params.participants} --output {params.output:q}"
        " 2>&1 | log_to {log:q}"
