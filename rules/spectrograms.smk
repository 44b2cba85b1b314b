rule spectrogram:
    input:
        array="<data>/windows.npy",
        axes="<data>/windows.json",
    output:
        array="<spectrograms>/{spectrogram}.npy",
        axes="<spectrograms>/{spectrogram}.json",
    log:
        "<logs>/spectrogram/{spectrogram}.log",
    benchmark:
        "<benchmarks>/spectrogram/{spectrogram}.tsv"
    threads: 64
    resources:
        **flow.asks.of("spectrogram"),
    params:
        config=flow.config("spectrogram"),
        code=flow.code("spectrogram"),
        state=flow.state,
    message:
        "Turn windows into {wildcards.spectrogram} spectrograms"
    shell:
        "run_script spectrogram --name {wildcards.spectrogram} --config {params.config:q} --code {params.code}"
        " --windows {input.array:q} --state {params.state:q} --array {output.array:q} --axes {output.axes:q}"
        " --threads {threads} 2>&1 | log_to {log:q}"
