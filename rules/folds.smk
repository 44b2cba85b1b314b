rule folds:
    input:
        windows=DATA + "/windows.tsv",
        arrays=flow.gate_array,
        given=flow.given_folds,
    output:
        folds=DATA + "/folds.tsv",
        leakage=DATA + "/leakage.json",
    log:
        LOGS + "/folds.log",
    benchmark:
        BENCHMARKS + "/folds.tsv"
    resources:
        cpus_per_task=1,
    params:
        config=flow.config("folds"),
        code=flow.code("folds"),
        given=flow.given_option,
    message:
        "Make the folds by patient and look for leaks"
    shell:
        "{PYTHON:q} {SCRIPTS:q}/folds.py --config {params.config:q} --windows {input.windows:q}"
        " --arrays {input.arrays:q} {params.given} --folds {output.folds:q}"
        " --leakage {output.leakage:q} 2>&1 | tee {log:q}"
