rule summary:
    input:
        metrics=flow.finished("metrics.json"),
        runs=flow.finished("run.json"),
        weights=flow.finished("fold1/retrain/rank1/model.safetensors"),
    output:
        table="<results>/summary.tsv",
        page="<results>/summary.html",
    log:
        "<logs>/summary.log",
    benchmark:
        "<benchmarks>/summary.tsv"
    resources:
        **flow.asks.of("summary"),
    params:
        combinations=flow.combinations,
        code=flow.code("summary"),
        results=flow.results_folder,
    message:
        "Put the combinations of the matrix side by side"
    shell:
        "run_script summary --combinations {params.combinations:q} --results {params.results:q}"
        " --table {output.table:q} --page {output.page:q} 2>&1 | log_to {log:q}"
