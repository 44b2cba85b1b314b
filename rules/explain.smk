rule explain:
    input:
        windows="<data>/windows.tsv",
        folds="<data>/folds.tsv",
        arrays=flow.arrays,
        axes=flow.axes,
        weights=expand("<fold>/retrain/rank{rank}/model.safetensors", rank=flow.ranks, allow_missing=True),
        models=expand("<fold>/retrain/rank{rank}/model.json", rank=flow.ranks, allow_missing=True),
    output:
        expand("<fold>/explain/{file}", file=flow.map_files, allow_missing=True),
    log:
        "<logs>/explain/<combination>_fold{fold}.log",
    benchmark:
        "<benchmarks>/explain/<combination>_fold{fold}.tsv"
    threads: flow.study.threads
    resources:
        **flow.asks.of("explain"),
    params:
        config=flow.config("explain"),
        code=flow.code("explain"),
        name=flow.name,
        output=flow.folder,
    message:
        "Explain {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, fold {wildcards.fold}"
    shell:
        "run_script explain --name {params.name} --fold {wildcards.fold} --config {params.config:q}"
        " --windows {input.windows:q} --folds {input.folds:q} --arrays {input.arrays:q}"
        " --models {input.models:q} --output {params.output:q} 2>&1 | log_to {log:q}"
