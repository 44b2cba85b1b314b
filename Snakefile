# From EEG recordings to results/<model>_<spectrogram>_<classes>/report.html.
# snakemake                                       every combination of the config's matrix
# snakemake results/vit_mel_3class/report.html    one combination
# snakemake results/summary.html                  comparison of all combinations
# snakemake results/vit_mel_2class/external/siena/report.html    test of a combination on another data set

import gc
import sys

from eegwf.config.data_paths import axes_of
from eegwf.dag.dry_run import print_plan_after_dry_run
from eegwf.dag.flow_reading import open_flow
from eegwf.dag.job_shell import image_of, job_shell_prefix
from eegwf.dag.report_marks import report_mark
from eegwf.dag.startup import start

# The graph of thousands of jobs has millions of objects and hardly any garbage.
gc.set_threshold(50_000, 20, 50)

# Used as a module of another workflow, its settings are the module's `config`.
is_module = not workflow.modifier.is_main_snakefile()

flow = open_flow(
    workflow.current_basedir,
    [] if is_module else workflow.overwrite_configfiles,
    config if is_module else workflow.config_settings.config,
    workflow.deployment_settings.deployment_method,
    sys.argv[1:],
)
paths, data, run, fold, external = flow.paths, flow.paths.data, flow.run, flow.fold, flow.external

print_plan_after_dry_run(flow, sys.argv[1:])

# Jobs call `run_script tune ...`: with the Python that runs Snakemake, or that of the image, never with another.
shell.prefix(job_shell_prefix(flow.study, flow.containers))


report: "workflow/report/workflow.rst"


container: image_of(flow.study)


localrules:
    all,


onstart:
    start(flow, workflow.dag.needrun_jobs(), workflow.local_exec)


rule all:
    input:
        flow.reports(),
        flow.external_reports(),
        paths.summary_page,


for stage in flow.stages + flow.external_stages:

    include: f"rules/{stage}.smk"


# After the rules, because Snakemake applies these constraints only to rules that are already defined.
wildcard_constraints:
    model=flow.wildcard_regex(flow.models),
    spectrogram=flow.wildcard_regex(flow.spectrograms),
    classes=flow.wildcard_regex(flow.classes),
    fold=flow.wildcard_regex(flow.folds),
    rank=flow.wildcard_regex(flow.ranks),
    study=flow.wildcard_regex(flow.studies),
    worker=flow.wildcard_regex(flow.workers),
    external=flow.wildcard_regex(external.sets),
