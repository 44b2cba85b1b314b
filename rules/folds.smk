rule folds:
    input:
        windows=data.windows,
        recordings=data.recordings,
        arrays=flow.leakage_check_array,
        given=flow.given_folds,
    output:
        folds=report(data.folds, **report_mark("folds")),
        leakage=report(data.leakage, **report_mark("leakage")),
    log:
        flow.log("folds"),
    benchmark:
        flow.benchmark("folds")
    resources:
        **flow.resources_for("folds"),
    params:
        settings=flow.settings("folds"),
        code=flow.code("folds"),
        given=flow.given_option,
    message:
        "Make the folds by patient and check them for leakage"
    shell:
        "run_script folds --settings {params.settings:q} --windows {input.windows:q} --arrays {input.arrays:q}"
        " --recordings {input.recordings:q} {params.given} --folds {output.folds:q} --leakage {output.leakage:q} 2>&1 | log_to {log:q}"
