rule external_report:
    input:
        external=[external.run.metrics, external.run.mapping, external.run.per_patient, external.run.predictions],
        data=[external.data.recordings, external.data.windows, external.data.leakage],
        internal=[run.metrics, data.recordings, data.windows],
    output:
        report(external.run.report, **report_mark("external_report")),
    log:
        flow.log("external_report"),
    benchmark:
        flow.benchmark("external_report")
    resources:
        **flow.resources_for("external_report"),
    params:
        settings=external.settings("external_report"),
        code=flow.code("external_report"),
        results=flow.results_folder,
    message:
        "Report {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, on {wildcards.external}"
    shell:
        "run_script external_report --settings {params.settings:q} --results {params.results:q} --name {wildcards.external}"
        " --combination {wildcards.model}_{wildcards.spectrogram}_{wildcards.classes} 2>&1 | log_to {log:q}"
