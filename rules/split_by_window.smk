rule split_by_window:
    input:
        windows=data.windows,
        folds=data.folds,
        arrays=flow.splits.arrays,
        axes=flow.splits.axes,
    output:
        paths.split_by_window("{classes}"),
    log:
        flow.log("split_by_window"),
    benchmark:
        flow.benchmark("split_by_window")
    resources:
        **flow.resources_for("split_by_window"),
    params:
        settings=flow.splits.settings("split_by_window"),
        code=flow.code("split_by_window"),
    message:
        "Score bandpower with folds by patient and by window, {wildcards.classes}"
    shell:
        "run_script split_by_window --settings {params.settings:q} --windows {input.windows:q} --folds {input.folds:q}"
        " --arrays {input.arrays:q} --output {output:q} 2>&1 | log_to {log:q}"
