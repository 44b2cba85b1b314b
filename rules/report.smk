rule report:
    input:
        tables=[data.recordings, data.events, data.windows, data.folds, data.leakage],
        evaluation=[run.metrics, run.predictions, run.per_patient, run.events],
        folds=flow.fold_files(),
        baseline=flow.baseline.files,
        others=flow.report_files,
    output:
        report=report(run.report, **report_mark("report")),
        records=[run.timing, run.run_record],
        ledger=report(run.ledger, **report_mark("ledger")),
        paper=directory(run.paper.folder),
    log:
        flow.log("report"),
    benchmark:
        flow.benchmark("report")
    resources:
        **flow.resources_for("report"),
    params:
        settings=flow.settings("report"),
        code=flow.code("report"),
        results=flow.results_folder,
        stages=flow.stages,
        baseline=flow.baseline.option,
    message:
        "Report {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}"
    shell:
        "run_script report --settings {params.settings:q} --results {params.results:q} --model {wildcards.model}"
        " --spectrogram {wildcards.spectrogram} --classes {wildcards.classes} --stages {params.stages}"
        " {params.baseline} --output {output.report:q} 2>&1 | log_to {log:q}"
