rule windows:
    input:
        flow.dataset_inputs,
    output:
        recordings="<data>/recordings.tsv",
        events="<data>/events.tsv",
        windows="<data>/windows.tsv",
        axes="<data>/windows.json",
        array="<data>/windows.npy",
    log:
        "<logs>/windows.log",
    benchmark:
        "<benchmarks>/windows.tsv"
    threads: 64
    resources:
        **flow.asks.of("windows"),
    params:
        config=flow.config("windows"),
        code=flow.code("windows"),
        files=flow.data_digest,
        root=flow.root,
        output=flow.folder,
        state=flow.state,
    message:
        "Read the recordings and cut them into windows"
    shell:
        "run_script windows --config {params.config:q} --code {params.code} --root {params.root:q}"
        " --state {params.state:q} --output {params.output:q} --workers {threads} 2>&1 | log_to {log:q}"


rule synthesise:
    output:
        directory("<data>/bids"),
    log:
        "<logs>/synthesise.log",
    benchmark:
        "<benchmarks>/synthesise.tsv"
    threads: 64
    resources:
        **flow.asks.of("synthesise"),
    params:
        config=flow.config("synthesise"),
        code=flow.code("synthesise"),
    message:
        "Write the synthetic data set"
    shell:
        "run_script synthesise --config {params.config:q} --output {output:q} --workers {threads} 2>&1 | log_to {log:q}"
