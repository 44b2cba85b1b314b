rule report:
    input:
        data=expand(DATA + "/{file}", file=flow.table_files),
        metrics=RUN + "/metrics.json",
        predictions=RUN + "/predictions.tsv",
        patients=RUN + "/per_patient.tsv",
        events=RUN + "/events.tsv",
        best=expand(FOLD + "/tune/best.json", fold=flow.folds, allow_missing=True),
        maps=expand(FOLD + "/explain/maps.json", fold=flow.folds, allow_missing=True),
    output:
        report=RUN + "/report.html",
        timing=RUN + "/timing.tsv",
        run=RUN + "/run.json",
    log:
        LOGS + "/report/" + NAME + ".log",
    benchmark:
        BENCHMARKS + "/report/" + NAME + ".tsv"
    resources:
        cpus_per_task=1,
    params:
        config=flow.config("report"),
        code=flow.code("report"),
        results=RESULTS,
    message:
        "Report {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}"
    shell:
        "{PYTHON:q} {SCRIPTS:q}/report.py --config {params.config:q} --results {params.results:q}"
        " --model {wildcards.model} --spectrogram {wildcards.spectrogram} --classes {wildcards.classes}"
        " --output {output.report:q} 2>&1 | tee {log:q}"
