rule select_best:
    input:
        workers=flow.workers_of,
    output:
        trials=fold.trials,
        best=fold.best,
        timing=fold.tuning_timing,
    log:
        flow.log("select_best"),
    benchmark:
        flow.benchmark("select_best")
    resources:
        **flow.resources_for("select_best"),
    params:
        settings=flow.settings("select_best"),
        code=flow.code("select_best"),
        state=flow.state,
    message:
        "Select the best parameter sets of {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, fold {wildcards.fold}"
    shell:
        "run_script select_best --settings {params.settings:q} --workers {input.workers:q} --state {params.state:q}"
        " --trials {output.trials:q} --best {output.best:q} --timing {output.timing:q} 2>&1 | log_to {log:q}"
