rule spectrogram:
    input:
        array=DATA + "/windows.npy",
        axes=DATA + "/windows.json",
    output:
        array=RESULTS + "/spectrograms/{spectrogram}.npy",
        axes=RESULTS + "/spectrograms/{spectrogram}.json",
    log:
        LOGS + "/spectrogram/{spectrogram}.log",
    benchmark:
        BENCHMARKS + "/spectrogram/{spectrogram}.tsv"
    threads: 64
    resources:
        cpus_per_task=8,
    params:
        config=flow.config("spectrogram"),
        code=flow.code("spectrogram"),
    message:
        "Turn windows into {wildcards.spectrogram} spectrograms"
    shell:
        "{PYTHON:q} {SCRIPTS:q}/spectrogram.py --name {wildcards.spectrogram} --config {params.config:q}"
        " --windows {input.array:q} --array {output.array:q} --axes {output.axes:q}"
        " --threads {threads} 2>&1 | tee {log:q}"
