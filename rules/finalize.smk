rule finalize:
    input:
        tables=[data.windows, data.windows_axes, data.windows_array, data.folds, data.recordings, data.events],
        arrays=flow.arrays,
        axes=flow.axes,
        init=flow.init_files,
        metrics=run.metrics,
        folds=flow.retrained_files(),
    output:
        flow.final_files(),
    log:
        flow.log("finalize"),
    benchmark:
        flow.benchmark("finalize")
    threads: flow.study.threads
    resources:
        **flow.resources_for("finalize"),
    params:
        settings=flow.settings("finalize"),
        code=flow.code("finalize"),
        state=flow.state,
        init=flow.init_option,
        data=flow.data_folder,
        output=flow.combination_folder,
    message:
        "Train final models of {wildcards.model} on {wildcards.spectrogram}, {wildcards.classes}, with all patients"
    shell:
        "run_script finalize --name {wildcards.model}_{wildcards.spectrogram}_{wildcards.classes}"
        " --settings {params.settings:q} --code {params.code} --data {params.data:q} --arrays {input.arrays:q}"
        " --state {params.state:q} {params.init} --output {params.output:q} 2>&1 | log_to {log:q}"
