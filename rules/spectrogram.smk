rule spectrogram:
    input:
        array=data.windows_array,
        axes=data.windows_axes,
    output:
        array=paths.spectrogram("{spectrogram}"),
        axes=axes_of(paths.spectrogram("{spectrogram}")),
    log:
        flow.log("spectrogram"),
    benchmark:
        flow.benchmark("spectrogram")
    threads: 64
    resources:
        **flow.resources_for("spectrogram"),
    params:
        settings=flow.settings("spectrogram"),
        code=flow.code("spectrogram"),
        state=flow.state,
    message:
        "Compute {wildcards.spectrogram} spectrograms of the windows"
    shell:
        "run_script spectrogram --name {wildcards.spectrogram} --settings {params.settings:q} --code {params.code}"
        " --windows {input.array:q} --state {params.state:q} --array {output.array:q} --axes {output.axes:q}"
        " --threads {threads} 2>&1 | log_to {log:q}"
