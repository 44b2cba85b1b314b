rule external_predict:
    input:
        windows=external.data.windows,
        leakage=external.data.leakage,
        arrays=external.arrays,
        axes=external.axes,
        models=[flow.final_files(), run.metrics, *external.models()],
    output:
        predictions=external.run.predictions,
        mapping=external.run.mapping,
    log:
        flow.log("external_predict"),
    benchmark:
        flow.benchmark("external_predict")
    threads: flow.study.threads
    resources:
        **flow.resources_for("external_predict"),
    params:
        settings=external.settings("external_predict"),
        code=flow.code("external_predict"),
        models=flow.combination_folder,
        folds=flow.folds,
    message:
        "Predict {wildcards.external} with {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}"
    shell:
        "run_script external_predict --settings {params.settings:q} --name {wildcards.external} --windows {input.windows:q}"
        " --arrays {input.arrays:q} --models {params.models:q} --folds {params.folds}"
        " --predictions {output.predictions:q} --mapping {output.mapping:q} 2>&1 | log_to {log:q}"
