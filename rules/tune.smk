rule tune:
    input:
        windows=data.windows,
        folds=data.folds,
        leakage=data.leakage,
        arrays=flow.arrays,
        axes=flow.axes,
        init=flow.init_files,
    output:
        run.worker("{study}", "{worker}"),
    log:
        flow.log("tune"),
    benchmark:
        flow.benchmark("tune")
    threads: flow.study.threads
    resources:
        **flow.resources_for("tune"),
    params:
        settings=flow.settings("tune"),
        code=flow.code("tune"),
        state=flow.state,
        init=flow.init_option,
        name=flow.name,
        fold=flow.excluded_fold,
    message:
        "Tune {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}: {wildcards.study}, worker {wildcards.worker}"
    shell:
        "run_script tune --name {params.name} --fold {params.fold} --worker {wildcards.worker}"
        " --settings {params.settings:q} --code {params.code} --windows {input.windows:q} --folds {input.folds:q}"
        " --arrays {input.arrays:q} --state {params.state:q} {params.init} --output {output:q} 2>&1 | log_to {log:q}"
