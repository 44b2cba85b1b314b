rule initialize:
    input:
        windows=data.windows,
        recordings=data.recordings,
        arrays=data.windows_array,
        axes=data.windows_axes,
    output:
        paths.init.files,
    log:
        flow.log("initialize"),
    benchmark:
        flow.benchmark("initialize")
    resources:
        **flow.resources_for("initialize"),
    params:
        settings=flow.settings("initialize"),
        code=flow.code("initialize"),
        source=flow.source_digest,
        output=flow.folder,
    message:
        "Copy the initial weights and check whether a patient is in their training set"
    shell:
        "run_script initialize --settings {params.settings:q} --windows {input.windows:q} --arrays {input.arrays:q}"
        " --recordings {input.recordings:q} --output {params.output:q} 2>&1 | log_to {log:q}"
