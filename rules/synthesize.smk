rule synthesize:
    output:
        directory(data.bids),
    log:
        flow.log("synthesize"),
    benchmark:
        flow.benchmark("synthesize")
    threads: 64
    resources:
        **flow.resources_for("synthesize"),
    params:
        settings=flow.settings("synthesize"),
        code=flow.code("synthesize"),
    message:
        "Write the synthetic data set"
    shell:
        "run_script synthesize --settings {params.settings:q} --output {output:q} --workers {threads} 2>&1 | log_to {log:q}"
