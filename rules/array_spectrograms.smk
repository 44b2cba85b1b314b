rule import_spectrogram:
    input:
        windows="<data>/windows.tsv",
    output:
        array="<spectrograms>/{spectrogram}.npy",
        axes="<spectrograms>/{spectrogram}.json",
    log:
        "<logs>/import_spectrogram/{spectrogram}.log",
    benchmark:
        "<benchmarks>/import_spectrogram/{spectrogram}.tsv"
    resources:
        **flow.asks.of("import_spectrogram"),
    params:
        config=flow.config("import_spectrogram"),
        code=flow.code("import_spectrogram"),
        files=flow.data_digest,
    message:
        "Import the given {wildcards.spectrogram} arrays"
    shell:
        "run_script import_spectrogram --config {params.config:q} --name {wildcards.spectrogram}"
        " --array {output.array:q} --axes {output.axes:q} 2>&1 | log_to {log:q}"
