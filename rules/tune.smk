rule tune:
    input:
        windows=DATA + "/windows.tsv",
        folds=DATA + "/folds.tsv",
        leakage=DATA + "/leakage.json",
        arrays=flow.arrays,
    output:
        trials=FOLD + "/tune/trials.tsv",
        best=FOLD + "/tune/best.json",
    log:
        LOGS + "/tune/" + NAME + "_fold{fold}.log",
    benchmark:
        BENCHMARKS + "/tune/" + NAME + "_fold{fold}.tsv"
    threads: flow.study.threads
    resources:
        gpu=flow.gpus,
        cpus_per_task=flow.study.threads,
    params:
        config=flow.config("tune"),
        code=flow.code("tune"),
        state=RESULTS + "/state",
        name=NAME + "_fold{fold}",
    message:
        "Tune {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, without fold {wildcards.fold}"
    shell:
        "{PYTHON:q} {SCRIPTS:q}/tune.py --name {params.name} --fold {wildcards.fold} --config {params.config:q}"
        " --code {params.code} --windows {input.windows:q} --folds {input.folds:q} --arrays {input.arrays:q}"
        " --state {params.state:q} --trials {output.trials:q} --best {output.best:q} 2>&1 | tee {log:q}"
