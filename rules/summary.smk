rule summary:
    input:
        metrics=flow.summary.metrics(),
        predictions=flow.summary.predictions(),
        records=flow.summary.records(),
        ledgers=flow.summary.ledgers(),
        weights=flow.summary.weights(),
        evidence=flow.summary.evidence(),
        baselines=flow.baseline.choices(),
        splits=flow.splits.all(),
        external=flow.summary.external(),
    output:
        table=report(paths.summary_table, **report_mark("summary_table")),
        comparison=report(paths.comparison_table, **report_mark("comparison")),
        page=report(paths.summary_page, **report_mark("summary")),
    log:
        flow.log("summary"),
    benchmark:
        flow.benchmark("summary")
    resources:
        **flow.resources_for("summary"),
    params:
        settings=flow.settings("summary"),
        code=flow.code("summary"),
        results=flow.results_folder,
    message:
        "Compare the combinations of the matrix"
    shell:
        "run_script summary --settings {params.settings:q} --results {params.results:q}"
        " --table {output.table:q} --comparison {output.comparison:q} --page {output.page:q} 2>&1 | log_to {log:q}"
