rule report:
    input:
        expand("<data>/{file}", file=flow.table_files),
        metrics="<run>/metrics.json",
        predictions="<run>/predictions.tsv",
        patients="<run>/per_patient.tsv",
        events="<run>/events.tsv",
        folds=expand("<run>/fold{fold}/{file}", fold=flow.folds, file=flow.fold_files, allow_missing=True),
    output:
        report="<run>/report.html",
        timing="<run>/timing.tsv",
        ledger="<run>/ledger.tsv",
        run="<run>/run.json",
    log:
        "<logs>/report/<combination>.log",
    benchmark:
        "<benchmarks>/report/<combination>.tsv"
    resources:
        **flow.asks.of("report"),
    params:
        config=flow.config("report"),
        code=flow.code("report"),
        results=flow.results_folder,
    message:
        "Report {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}"
    shell:
        "run_script report --config {params.config:q} --results {params.results:q} --model {wildcards.model}"
        " --spectrogram {wildcards.spectrogram} --classes {wildcards.classes} --output {output.report:q}"
        " 2>&1 | log_to {log:q}"
