rule external_evaluate:
    input:
        predictions=external.run.predictions,
        data=[external.data.windows, external.data.recordings, external.data.events],
        internal=[run.metrics, run.predictions, run.events],
        final=run.final.description,
    output:
        metrics=external.run.metrics,
        patients=external.run.per_patient,
    log:
        flow.log("external_evaluate"),
    benchmark:
        flow.benchmark("external_evaluate")
    resources:
        **flow.resources_for("external_evaluate"),
    params:
        settings=external.settings("external_evaluate"),
        code=flow.code("external_evaluate"),
        results=flow.results_folder,
    message:
        "Score {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, on {wildcards.external}"
    shell:
        "run_script external_evaluate --settings {params.settings:q} --results {params.results:q} --name {wildcards.external}"
        " --combination {wildcards.model}_{wildcards.spectrogram}_{wildcards.classes} 2>&1 | log_to {log:q}"
