rule external_windows:
    input:
        dataset=external.dataset_inputs,
        like=data.windows_axes,
    output:
        recordings=external.data.recordings,
        events=external.data.events,
        windows=external.data.windows,
        axes=external.data.windows_axes,
        array=external.data.windows_array,
    log:
        flow.log("external_windows"),
    benchmark:
        flow.benchmark("external_windows")
    priority: 1  # a data set that can't be used stops the run before its trainings
    threads: 64
    resources:
        **flow.resources_for("external_windows"),
    params:
        settings=external.settings("external_windows"),
        code=flow.code("external_windows"),
        files=external.data_digest,
        root=external.root,
        output=flow.folder,
        state=flow.state,
    message:
        "Read the recordings of {wildcards.external} as those of the study"
    shell:
        "run_script windows --settings {params.settings:q} --code {params.code} --root {params.root:q}"
        " --like {input.like:q} --state {params.state:q} --output {params.output:q} --workers {threads} 2>&1 | log_to {log:q}"
