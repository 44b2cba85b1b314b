rule import_tables:
    output:
        recordings="<data>/recordings.tsv",
        events="<data>/events.tsv",
        windows="<data>/windows.tsv",
        folds="<data>/given_folds.tsv",
    log:
        "<logs>/import_tables.log",
    benchmark:
        "<benchmarks>/import_tables.tsv"
    resources:
        **flow.asks.of("import_tables"),
    params:
        config=flow.config("import_tables"),
        code=flow.code("import_tables"),
        files=flow.data_digest,
        output=flow.folder,
    message:
        "Read the labels, patients and folds of the given arrays"
    shell:
        "run_script import_tables --config {params.config:q} --output {params.output:q} 2>&1 | log_to {log:q}"
