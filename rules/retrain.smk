rule retrain:
    input:
        windows=data.windows,
        folds=data.folds,
        arrays=flow.arrays,
        axes=flow.axes,
        init=flow.init_files,
        best=fold.best,
    output:
        flow.outputs_of_retrain(),
    log:
        flow.log("retrain"),
    benchmark:
        flow.benchmark("retrain")
    threads: flow.study.threads
    resources:
        **flow.resources_for("retrain"),
    params:
        settings=flow.settings("retrain"),
        code=flow.code("retrain"),
        state=flow.state,
        init=flow.init_option,
        name=flow.name,
        output=flow.retrain_folder,
    message:
        "Retrain the best parameter sets of {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, fold {wildcards.fold}"
    shell:
        "run_script retrain --name {params.name} --fold {wildcards.fold} --settings {params.settings:q}"
        " --code {params.code} --windows {input.windows:q} --folds {input.folds:q} --arrays {input.arrays:q}"
        " --best {input.best:q} --state {params.state:q} {params.init} --output {params.output:q} 2>&1 | log_to {log:q}"
