rule explain:
    input:
        windows=data.windows,
        folds=data.folds,
        arrays=flow.arrays,
        axes=flow.axes,
        weights=flow.rank_weights(),
        models=flow.rank_models(),
        others=flow.explained_inputs,
    output:
        fold.attribution.files,
    log:
        flow.log("explain"),
    benchmark:
        flow.benchmark("explain")
    threads: flow.study.threads
    resources:
        **flow.resources_for("explain"),
    params:
        settings=flow.settings("explain"),
        code=flow.code("explain"),
        name=flow.name,
        options=flow.explained_options,
        output=flow.folder,
    message:
        "Explain {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, fold {wildcards.fold}"
    shell:
        "run_script explain --name {params.name} --fold {wildcards.fold} --settings {params.settings:q}"
        " --windows {input.windows:q} --folds {input.folds:q} --arrays {input.arrays:q}"
        " --models {input.models:q} {params.options} --output {params.output:q} 2>&1 | log_to {log:q}"
