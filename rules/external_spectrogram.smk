rule external_spectrogram:
    input:
        array=external.data.windows_array,
        axes=external.data.windows_axes,
    output:
        array=external.paths.spectrogram("{spectrogram}"),
        axes=axes_of(external.paths.spectrogram("{spectrogram}")),
    log:
        flow.log("external_spectrogram"),
    benchmark:
        flow.benchmark("external_spectrogram")
    threads: 64
    resources:
        **flow.resources_for("external_spectrogram"),
    params:
        settings=external.settings("external_spectrogram"),
        code=flow.code("external_spectrogram"),
        state=flow.state,
    message:
        "Compute {wildcards.spectrogram} spectrograms of the windows of {wildcards.external}"
    shell:
        "run_script spectrogram --name {wildcards.spectrogram} --settings {params.settings:q} --code {params.code}"
        " --windows {input.array:q} --state {params.state:q} --array {output.array:q} --axes {output.axes:q}"
        " --threads {threads} 2>&1 | log_to {log:q}"
