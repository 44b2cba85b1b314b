rule baseline:
    input:
        validations=flow.baseline.validations,
    output:
        paths.baseline("{classes}"),
    log:
        flow.log("baseline"),
    benchmark:
        flow.benchmark("baseline")
    resources:
        **flow.resources_for("baseline"),
    params:
        settings=flow.settings("baseline"),
        code=flow.code("baseline"),
        results=flow.results_folder,
    message:
        "Choose the classical baseline by the validation predictions, {wildcards.classes}"
    shell:
        "run_script baseline --settings {params.settings:q} --results {params.results:q} --output {output:q}"
        " 2>&1 | log_to {log:q}"
