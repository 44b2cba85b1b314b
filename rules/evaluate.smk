rule evaluate:
    input:
        tests=expand(
            "<run>/fold{fold}/retrain/rank{rank}/test.tsv", fold=flow.folds, rank=flow.ranks, allow_missing=True
        ),
        windows="<data>/windows.tsv",
        recordings="<data>/recordings.tsv",
        events="<data>/events.tsv",
    output:
        predictions="<run>/predictions.tsv",
        metrics="<run>/metrics.json",
        patients="<run>/per_patient.tsv",
        events="<run>/events.tsv",
    log:
        "<logs>/evaluate/<combination>.log",
    benchmark:
        "<benchmarks>/evaluate/<combination>.tsv"
    resources:
        **flow.asks.of("evaluate"),
    params:
        config=flow.config("evaluate"),
        code=flow.code("evaluate"),
        output=flow.folder,
    message:
        "Score {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}"
    shell:
        "run_script evaluate --config {params.config:q} --tests {input.tests:q} --windows {input.windows:q}"
        " --recordings {input.recordings:q} --events {input.events:q} --output {params.output:q} 2>&1 | log_to {log:q}"
