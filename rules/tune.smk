rule tune:
    input:
        workers=flow.workers_of,
    output:
        trials="<fold>/tune/trials.tsv",
        best="<fold>/tune/best.json",
        timing="<fold>/tune/timing.tsv",
    log:
        "<logs>/tune/<combination>_fold{fold}.log",
    benchmark:
        "<benchmarks>/tune/<combination>_fold{fold}.tsv"
    resources:
        **flow.asks.of("tune"),
    params:
        config=flow.config("tune"),
        code=flow.code("tune"),
        state=flow.state,
    message:
        "Choose the best of {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, fold {wildcards.fold}"
    shell:
        "run_script tune --config {params.config:q} --workers {input.workers:q} --state {params.state:q}"
        " --trials {output.trials:q} --best {output.best:q} --timing {output.timing:q} 2>&1 | log_to {log:q}"
