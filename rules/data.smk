rule windows:
    input:
        flow.dataset_inputs,
    output:
        recordings=DATA + "/recordings.tsv",
        events=DATA + "/events.tsv",
        windows=DATA + "/windows.tsv",
        axes=DATA + "/windows.json",
        array=DATA + "/windows.npy",
    log:
        LOGS + "/windows.log",
    benchmark:
        BENCHMARKS + "/windows.tsv"
    threads: 64
    resources:
        cpus_per_task=8,
    params:
        config=flow.config("windows"),
        code=flow.code("windows"),
        files=flow.data_digest,
        root=flow.root,
        output=DATA,
        state=RESULTS + "/state",
    message:
        "Read the recordings and cut them into windows"
    shell:
        "{PYTHON:q} {SCRIPTS:q}/windows.py --config {params.config:q} --code {params.code} --root {params.root:q}"
        " --state {params.state:q} --output {params.output:q} --workers {threads} 2>&1 | tee {log:q}"


rule synthesise:
    output:
        directory(DATA + "/bids"),
    log:
        LOGS + "/synthesise.log",
    benchmark:
        BENCHMARKS + "/synthesise.tsv"
    threads: 64
    resources:
        cpus_per_task=4,
    params:
        config=flow.config("synthesise"),
        code=flow.code("synthesise"),
    message:
        "Write the synthetic data set"
    shell:
        "{PYTHON:q} {SCRIPTS:q}/synthesise.py --config {params.config:q} --output {output:q}"
        " --workers {threads} 2>&1 | tee {log:q}"
