rule import_spectrogram:
    input:
        windows=data.windows,
    output:
        array=paths.spectrogram("{spectrogram}"),
        axes=axes_of(paths.spectrogram("{spectrogram}")),
    log:
        flow.log("import_spectrogram"),
    benchmark:
        flow.benchmark("import_spectrogram")
    resources:
        **flow.resources_for("import_spectrogram"),
    params:
        settings=flow.settings("import_spectrogram"),
        code=flow.code("import_spectrogram"),
        files=flow.data_digest,
    message:
        "Import the given {wildcards.spectrogram} arrays"
    shell:
        "run_script import_spectrogram --settings {params.settings:q} --name {wildcards.spectrogram}"
        " --array {output.array:q} --axes {output.axes:q} 2>&1 | log_to {log:q}"
