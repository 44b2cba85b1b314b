rule retrain:
    input:
        windows=DATA + "/windows.tsv",
        folds=DATA + "/folds.tsv",
        arrays=flow.arrays,
        best=FOLD + "/tune/best.json",
    output:
        flow.rank_files(FOLD + "/retrain"),
    log:
        LOGS + "/retrain/" + NAME + "_fold{fold}.log",
    benchmark:
        BENCHMARKS + "/retrain/" + NAME + "_fold{fold}.tsv"
    threads: flow.study.threads
    resources:
        gpu=flow.gpus,
        cpus_per_task=flow.study.threads,
    params:
        config=flow.config("retrain"),
        code=flow.code("retrain"),
        state=RESULTS + "/state",
        name=NAME + "_fold{fold}",
        output=FOLD + "/retrain",
    message:
        "Retrain the best of {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, fold {wildcards.fold}"
    shell:
        "{PYTHON:q} {SCRIPTS:q}/retrain.py --name {params.name} --fold {wildcards.fold} --config {params.config:q}"
        " --code {params.code} --windows {input.windows:q} --folds {input.folds:q} --arrays {input.arrays:q}"
        " --best {input.best:q} --state {params.state:q} --output {params.output:q} 2>&1 | tee {log:q}"
