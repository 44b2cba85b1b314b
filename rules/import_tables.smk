rule import_tables:
    output:
        recordings=data.recordings,
        events=data.events,
        windows=data.windows,
        folds=data.given_folds,
    log:
        flow.log("import_tables"),
    benchmark:
        flow.benchmark("import_tables")
    resources:
        **flow.resources_for("import_tables"),
    params:
        settings=flow.settings("import_tables"),
        code=flow.code("import_tables"),
        files=flow.data_digest,
        output=flow.folder,
    message:
        "Read the labels, patients and folds of the given arrays"
    shell:
        "run_script import_tables --settings {params.settings:q} --output {params.output:q} 2>&1 | log_to {log:q}"
