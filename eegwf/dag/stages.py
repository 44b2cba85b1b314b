"""The stages of the workflow, in the order in which they run: all that is known of each, once.

A stage is a rule in `rules/<stage>.smk`, a script `workflow/scripts/<stage>.py` and a module `eegwf/jobs/<stage>.py` of
the same name. Stages that do with an external data set what another stage does with that of the study have its script.
"""

from dataclasses import dataclass

from eegwf.config.stages.base import StageSettings
from eegwf.config.stages.data import (
    FoldsSettings,
    ImportSpectrogramSettings,
    ImportTablesSettings,
    InitializeSettings,
    SynthesizeSettings,
    WindowsSettings,
)
from eegwf.config.stages.evaluation import BaselineSettings, EvaluateSettings, SplitByWindowSettings
from eegwf.config.stages.external import (
    ExternalEvaluateSettings,
    ExternalLeakageSettings,
    ExternalPredictSettings,
    ExternalReportSettings,
)
from eegwf.config.stages.model import (
    ExplainSettings,
    FinalizeSettings,
    RetrainSettings,
    SelectBestSettings,
    TuneSettings,
)
from eegwf.config.stages.report import ReportSettings, SummarySettings
from eegwf.config.stages.spectrogram import SpectrogramSettings
from eegwf.plan import work
from eegwf.plan.costs import CostModel

ALL_KINDS = ("synthetic", "bids", "files", "fold_arrays")
RECORDINGS = ("synthetic", "bids", "files")
COMBINATION = "{model}_{spectrogram}_{classes}"
FOLD = f"{COMBINATION}_fold{{fold}}"
EXTERNAL = f"{COMBINATION}_{{external}}"

FIXED_TIME = CostModel()


@dataclass(frozen=True)
class RuleResources:
    """Resources that the first attempt of a job requests.

    Attributes
    ----------
    mem_mb, minutes
        Memory in MB, and time.
    cpus
        CPU cores; stages that train or explain a model request `threads` of the configuration instead.
    gpu
        What the stage uses a GPU for: a `model`, a `spectrogram`, or nothing.
    """

    mem_mb: int
    minutes: int
    cpus: int = 1
    gpu: str | None = None


@dataclass(frozen=True)
class Stage:
    """A stage of the workflow.

    Attributes
    ----------
    name
        Name of the rule.
    settings
        Class of the settings that decide its result.
    resources
        What its jobs request.
    cost
        How their computing time is predicted.
    job
        Name of a job by wildcards, for its log and its benchmark file; empty if the stage is one job.
    dataset_kinds
        Kinds of data sets that the stage is for.
    external
        Whether it is part of the test on an external data set.
    runs
        Stage whose script it runs; empty for its own.
    """

    name: str
    settings: type[StageSettings]
    resources: RuleResources
    cost: CostModel = FIXED_TIME
    job: str = ""
    dataset_kinds: tuple[str, ...] = ALL_KINDS
    external: bool = False
    runs: str = ""

    @property
    def script(self) -> str:
        """Name of its script in `workflow/scripts/` and of its module in `eegwf/jobs/`."""
        return self.runs or self.name


EXTERNAL_STAGES = (
    Stage(
        "external_synthesize",
        SynthesizeSettings,
        RuleResources(2_000, 30, cpus=4),
        job="{external}",
        dataset_kinds=RECORDINGS,
        external=True,
        runs="synthesize",
    ),
    Stage(
        "external_windows",
        WindowsSettings,
        RuleResources(8_000, 240, cpus=8),
        job="{external}",
        dataset_kinds=RECORDINGS,
        external=True,
        runs="windows",
    ),
    Stage(
        "external_leakage",
        ExternalLeakageSettings,
        RuleResources(4_000, 60),
        job="{external}",
        dataset_kinds=RECORDINGS,
        external=True,
    ),
    Stage(
        "external_spectrogram",
        SpectrogramSettings,
        RuleResources(4_000, 120, cpus=8, gpu="spectrogram"),
        job="{external}_{spectrogram}",
        dataset_kinds=RECORDINGS,
        external=True,
        runs="spectrogram",
    ),
    Stage(
        "external_predict",
        ExternalPredictSettings,
        RuleResources(6_000, 60, gpu="model"),
        job=EXTERNAL,
        dataset_kinds=RECORDINGS,
        external=True,
    ),
    Stage(
        "external_evaluate",
        ExternalEvaluateSettings,
        RuleResources(4_000, 60),
        job=EXTERNAL,
        dataset_kinds=RECORDINGS,
        external=True,
    ),
    Stage(
        "external_report",
        ExternalReportSettings,
        RuleResources(4_000, 30),
        job=EXTERNAL,
        dataset_kinds=RECORDINGS,
        external=True,
    ),
)

# Memory was measured on the default study: 1.2 GB for a training, 0.9 GB for an explanation, 0.7 GB for a spectrogram,
# 0.5 GB for reading recordings, 0.2 GB for the rest. The values are larger, since a job that exceeds them is killed.
STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("synthesize", SynthesizeSettings, RuleResources(2_000, 30, cpus=4), dataset_kinds=("synthetic",)),
        Stage(
            "windows",
            WindowsSettings,
            RuleResources(8_000, 240, cpus=8),
            CostModel(work.windows),
            dataset_kinds=RECORDINGS,
        ),
        Stage("import_tables", ImportTablesSettings, RuleResources(2_000, 20), dataset_kinds=("fold_arrays",)),
        Stage(
            "import_spectrogram",
            ImportSpectrogramSettings,
            RuleResources(4_000, 60),
            job="{spectrogram}",
            dataset_kinds=("fold_arrays",),
        ),
        Stage("folds", FoldsSettings, RuleResources(4_000, 20)),
        Stage(
            "spectrogram",
            SpectrogramSettings,
            RuleResources(4_000, 120, cpus=8, gpu="spectrogram"),
            CostModel(work.windows, rate_of="spectrogram"),
            job="{spectrogram}",
            dataset_kinds=RECORDINGS,
        ),
        # Similarity compares every recording with every one of the other study.
        Stage("initialize", InitializeSettings, RuleResources(4_000, 60), dataset_kinds=RECORDINGS),
        Stage(
            "tune",
            TuneSettings,
            RuleResources(6_000, 480, gpu="model"),
            CostModel(work.tuning, rate_of="model", timing=work.tuning_timing, fixed_seconds=work.tuning_timeout),
            job=f"{COMBINATION}_{{study}}_worker{{worker}}",
        ),
        Stage("select_best", SelectBestSettings, RuleResources(1_000, 20), job=FOLD),
        Stage(
            "retrain",
            RetrainSettings,
            RuleResources(6_000, 240, gpu="model"),
            CostModel(work.retraining, rate_of="model", timing=work.retraining_timing),
            job=FOLD,
        ),
        Stage(
            "finalize",
            FinalizeSettings,
            RuleResources(6_000, 240, gpu="model"),
            CostModel(work.finalizing, rate_of="model"),
            job=COMBINATION,
            dataset_kinds=RECORDINGS,
        ),
        Stage("evaluate", EvaluateSettings, RuleResources(4_000, 60), job=COMBINATION),
        Stage(
            "explain",
            ExplainSettings,
            RuleResources(6_000, 60, gpu="model"),
            CostModel(work.attribution, rate_of="model"),
            job=FOLD,
        ),
        Stage("baseline", BaselineSettings, RuleResources(4_000, 60), job="{classes}"),
        Stage("report", ReportSettings, RuleResources(4_000, 30), job=COMBINATION),
        *EXTERNAL_STAGES,
        Stage("split_by_window", SplitByWindowSettings, RuleResources(4_000, 60), job="{classes}"),
        Stage("summary", SummarySettings, RuleResources(2_000, 20)),
    )
}
