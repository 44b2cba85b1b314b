rule evaluate:
    input:
        tests=expand(
            FOLD + "/retrain/rank{rank}/test.tsv",
            fold=flow.folds,
            rank=flow.ranks,
            allow_missing=True,
        ),
        tables=expand(DATA + "/{table}.tsv", table=["windows", "recordings", "events"]),
    output:
        predictions=RUN + "/predictions.tsv",
        metrics=RUN + "/metrics.json",
        patients=RUN + "/per_patient.tsv",
        events=RUN + "/events.tsv",
    log:
        LOGS + "/evaluate/" + NAME + ".log",
    benchmark:
        BENCHMARKS + "/evaluate/" + NAME + ".tsv"
    resources:
        cpus_per_task=1,
    params:
        config=flow.config("evaluate"),
        code=flow.code("evaluate"),
        data=DATA,
        output=RUN,
    message:
        "Score {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}"
    shell:
        "{PYTHON:q} {SCRIPTS:q}/evaluate.py --config {params.config:q} --tests {input.tests:q}"
        " --data {params.data:q} --output {params.output:q} 2>&1 | tee {log:q}"
