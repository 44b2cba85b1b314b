rule tune:
    input:
        windows="<data>/windows.tsv",
        folds="<data>/folds.tsv",
        leakage="<data>/leakage.json",
        arrays=flow.arrays,
        axes=flow.axes,
    output:
        trials="<fold>/tune/trials.tsv",
        best="<fold>/tune/best.json",
    log:
        "<logs>/tune/<combination>_fold{fold}.log",
    benchmark:
        "<benchmarks>/tune/<combination>_fold{fold}.tsv"
    threads: flow.study.threads
    resources:
        gpu=flow.gpus,
        cpus_per_task=flow.study.threads,
    params:
        config=flow.config("tune"),
        code=flow.code("tune"),
        state=flow.state,
        name=flow.name,
    message:
        "Tune {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, without fold {wildcards.fold}"
    shell:
        "run_script tune --name {params.name} --fold {wildcards.fold} --config {params.config:q}"
        " --code {params.code} --windows {input.windows:q} --folds {input.folds:q} --arrays {input.arrays:q}"
        " --state {params.state:q} --trials {output.trials:q} --best {output.best:q} 2>&1 | tee {log:q}"
