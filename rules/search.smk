rule search:
    input:
        windows="<data>/windows.tsv",
        folds="<data>/folds.tsv",
        leakage="<data>/leakage.json",
        arrays=flow.arrays,
        axes=flow.axes,
    output:
        "<run>/studies/{study}/worker{worker}.json",
    log:
        "<logs>/search/<combination>_{study}_worker{worker}.log",
    benchmark:
        "<benchmarks>/search/<combination>_{study}_worker{worker}.tsv"
    threads: flow.study.threads
    resources:
        **flow.asks.of("search"),
    params:
        config=flow.config("search"),
        code=flow.code("search"),
        state=flow.state,
        name=flow.name,
        fold=flow.hidden_fold,
    message:
        "Search for parameters of {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}: {wildcards.study}"
    shell:
        "run_script search --name {params.name} --fold {params.fold} --worker {wildcards.worker}"
        " --config {params.config:q} --code {params.code} --windows {input.windows:q} --folds {input.folds:q}"
        " --arrays {input.arrays:q} --state {params.state:q} --output {output:q} 2>&1 | log_to {log:q}"
