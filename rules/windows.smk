rule windows:
    input:
        flow.dataset_inputs,
    output:
        recordings=data.recordings,
        events=data.events,
        windows=data.windows,
        axes=data.windows_axes,
        array=data.windows_array,
    log:
        flow.log("windows"),
    benchmark:
        flow.benchmark("windows")
    threads: 64
    resources:
        **flow.resources_for("windows"),
    params:
        settings=flow.settings("windows"),
        code=flow.code("windows"),
        files=flow.data_digest,
        root=flow.root,
        output=flow.folder,
        state=flow.state,
    message:
        "Read the recordings and cut them into windows"
    shell:
        "run_script windows --settings {params.settings:q} --code {params.code} --root {params.root:q}"
        " --state {params.state:q} --output {params.output:q} --workers {threads} 2>&1 | log_to {log:q}"
