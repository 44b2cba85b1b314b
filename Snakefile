# From EEG recordings to results/<model>_<spectrogram>_<classes>/report.html.
# snakemake                                       every combination of the config's matrix
# snakemake results/vit_mel_3class/report.html    one of them
# snakemake results/summary.html                  all of them side by side

import sys

from eegwf.dag.flow import open_flow
from eegwf.dag.dry_run import watch
from eegwf.dag.job_shell import image_of, jobs_shell
from eegwf.dag.startup import start

# Used as a module of another workflow, its settings are the module's `config`.
is_module = not workflow.modifier.is_main_snakefile()

flow = open_flow(
    workflow.current_basedir,
    [] if is_module else workflow.overwrite_configfiles,
    config if is_module else workflow.config_settings.config,
    workflow.deployment_settings.deployment_method,
    sys.argv[1:],
)

watch(flow, sys.argv[1:])

# Jobs call `run_script tune ...`: the Python that runs Snakemake, or the image's, never another that the PATH holds.
shell.prefix(jobs_shell(flow.study, flow.containers))


container: image_of(flow.study)


pathvars:
    results=flow.results,
    data="<results>/data",
    spectrograms="<results>/spectrograms",
    combination="{model}_{spectrogram}_{classes}",
    run="<results>/<combination>",
    fold="<run>/fold{fold}",
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


localrules:
    all,


onstart:
    start(flow, workflow.dag.needrun_jobs(), workflow.local_exec)


rule all:
    input:
        flow.reports(),
        "<results>/summary.html",


include: flow.data_rules
include: flow.spectrogram_rules
include: "rules/folds.smk"
include: "rules/search.smk"
include: "rules/tune.smk"
include: "rules/retrain.smk"
include: "rules/evaluate.smk"
include: "rules/explain.smk"
include: "rules/report.smk"
include: "rules/summary.smk"


# Behind the rules: Snakemake puts constraints on what it finds in a name, and a path variable's it finds too late.
wildcard_constraints:
    model=flow.any_of(flow.models),
    spectrogram=flow.any_of(flow.spectrograms),
    classes=flow.any_of(flow.classes),
    fold=flow.any_of(flow.folds),
    rank=flow.any_of(flow.ranks),
    study=flow.any_of(flow.studies),
    worker=flow.any_of(flow.workers),
