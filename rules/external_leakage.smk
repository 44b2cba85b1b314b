rule external_leakage:
    input:
        study=data.windows,
        windows=external.data.windows,
        arrays=[data.windows_array, data.windows_axes, external.data.windows_array, external.data.windows_axes],
        init=flow.init_files,
    output:
        external.data.leakage,
    log:
        flow.log("external_leakage"),
    benchmark:
        flow.benchmark("external_leakage")
    priority: 1  # a data set that can't be used stops the run before its trainings
    resources:
        **flow.resources_for("external_leakage"),
    params:
        settings=external.settings("external_leakage"),
        code=flow.code("external_leakage"),
        configfile=external.configfile,
        init=flow.init_option,
    message:
        "Look for persons who trained the models and are in {wildcards.external}"
    shell:
        "run_script external_leakage --settings {params.settings:q} --name {wildcards.external}"
        " --configfile {params.configfile:q} --study {input.study:q} --windows {input.windows:q} {params.init} --output {output:q} 2>&1 | log_to {log:q}"
