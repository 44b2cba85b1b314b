rule retrain:
    input:
        windows="<data>/windows.tsv",
        folds="<data>/folds.tsv",
        arrays=flow.arrays,
        axes=flow.axes,
        best="<fold>/tune/best.json",
    output:
        expand("<fold>/retrain/rank{rank}/{file}", rank=flow.ranks, file=flow.rank_files, allow_missing=True),
        "<fold>/retrain/timing.tsv",
    log:
        "<logs>/retrain/<combination>_fold{fold}.log",
    benchmark:
        "<benchmarks>/retrain/<combination>_fold{fold}.tsv"
    threads: flow.study.threads
    resources:
        **flow.asks.of("retrain"),
    params:
        config=flow.config("retrain"),
        code=flow.code("retrain"),
        state=flow.state,
        name=flow.name,
        output=flow.retrain_folder,
    message:
        "Retrain the best of {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, fold {wildcards.fold}"
    shell:
        "run_script retrain --name {params.name} --fold {wildcards.fold} --config {params.config:q}"
        " --code {params.code} --windows {input.windows:q} --folds {input.folds:q} --arrays {input.arrays:q}"
        " --best {input.best:q} --state {params.state:q} --output {params.output:q} 2>&1 | log_to {log:q}"
