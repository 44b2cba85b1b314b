rule folds:
    input:
        windows="<data>/windows.tsv",
        arrays=flow.gate_array,
        given=flow.given_folds,
    output:
        folds="<data>/folds.tsv",
        leakage="<data>/leakage.json",
    log:
        "<logs>/folds.log",
    benchmark:
        "<benchmarks>/folds.tsv"
    resources:
        **flow.asks.of("folds"),
    params:
        config=flow.config("folds"),
        code=flow.code("folds"),
        given=flow.given_option,
    message:
        "Make the folds by patient and look for leaks"
    shell:
        "run_script folds --config {params.config:q} --windows {input.windows:q} --arrays {input.arrays:q}"
        " {params.given} --folds {output.folds:q} --leakage {output.leakage:q} 2>&1 | log_to {log:q}"
