rule external_synthesize:
    output:
        directory(external.data.bids),
    log:
        flow.log("external_synthesize"),
    benchmark:
        flow.benchmark("external_synthesize")
    priority: 1  # a data set that can't be used stops the run before its trainings
    threads: 64
    resources:
        **flow.resources_for("external_synthesize"),
    params:
        settings=external.settings("external_synthesize"),
        code=flow.code("external_synthesize"),
    message:
        "Write the synthetic data set {wildcards.external}"
    shell:
        "run_script synthesize --settings {params.settings:q} --output {output:q} --workers {threads} 2>&1 | log_to {log:q}"
