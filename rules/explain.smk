rule explain:
    input:
        windows=DATA + "/windows.tsv",
        folds=DATA + "/folds.tsv",
        arrays=flow.arrays,
        models=expand(
            FOLD + "/retrain/rank{rank}/model.json",
            rank=flow.ranks,
            allow_missing=True,
        ),
    output:
        expand(FOLD + "/explain/{file}", allow_missing=True, file=flow.map_files),
    log:
        LOGS + "/explain/" + NAME + "_fold{fold}.log",
    benchmark:
        BENCHMARKS + "/explain/" + NAME + "_fold{fold}.tsv"
    threads: flow.study.threads
    resources:
        gpu=flow.gpus,
        cpus_per_task=flow.study.threads,
    params:
        config=flow.config("explain"),
        code=flow.code("explain"),
        name=NAME + "_fold{fold}",
        output=FOLD + "/explain",
    message:
        "Explain {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, fold {wildcards.fold}"
    shell:
        "{PYTHON:q} {SCRIPTS:q}/explain.py --name {params.name} --fold {wildcards.fold} --config {params.config:q}"
        " --windows {input.windows:q} --folds {input.folds:q} --arrays {input.arrays:q}"
        " --models {input.models:q} --output {params.output:q} 2>&1 | tee {log:q}"
