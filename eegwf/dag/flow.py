"""What the Snakefile and the rules call: paths, settings, resources and code digests of a study's jobs.

Every cluster job parses the Snakefile again, so this module is quick and never imports torch.
"""

import re
import shlex
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from eegwf.config.data import LEAVE_ONE_OUT, FoldArrays, RecordedDataset
from eegwf.config.fold_paths import FoldPaths
from eegwf.config.layers import Layers
from eegwf.config.paths import Combination, ResultPaths, RunPaths
from eegwf.config.study import Study
from eegwf.dag.baseline_flow import BaselineFlow
from eegwf.dag.code_digest import code_digest
from eegwf.dag.combinations import Combinations
from eegwf.dag.external_flow import ExternalFlow
from eegwf.dag.input_arrays import array_axes, input_arrays
from eegwf.dag.resources import ResourceRequests
from eegwf.dag.split_by_window_flow import SplitByWindowFlow
from eegwf.dag.stage_config import data_digest, source_digest, stage_config
from eegwf.dag.stages import STAGES
from eegwf.dag.summary_flow import SummaryFlow
from eegwf.dag.targets import check_targets
from eegwf.data.fold_count import count_folds
from eegwf.data.participants import participants_path
from eegwf.errors import InputError
from eegwf.provenance.git import ROOT
from eegwf.spectrograms.names import SPECTROGRAMS

# A combination of any job, for the paths of rules.
WILDCARDS = Combination("{model}", "{spectrogram}", "{classes}")


class Flow:
    """A study as the workflow sees it.

    Parameters
    ----------
    study
        The validated configuration.
    containers
        Whether jobs run in a container image, with its Python.
    layers
        Contents of each configuration file, so that errors name the file.

    Attributes
    ----------
    paths
        All files of the study.
    run, fold
        Files of a combination and of an outer fold, with wildcards in place of their names.
    external
        The external data sets.
    splits
        The comparisons of folds by patient with folds by window.
    baseline
        The classical baselines.
    summary
        Inputs of the summary.

    Raises
    ------
    InputError
        If the matrix contains no sensible combination (see `eegwf.dag.combinations`), or there are too few folds for
        the inner ones; if the configuration file of an external data set is wrong.
    """

    def __init__(self, study: Study, containers: bool = False, layers: Layers = ()):
        self.study = study
        self.layers = layers
        self.containers = containers
        self.results = study.results
        self.paths = ResultPaths(Path(self.results))
        self.run: RunPaths = self.paths.run(WILDCARDS)
        self.fold: FoldPaths = self.run.fold("{fold}")
        self.kind = study.dataset.kind
        self.models = list(study.models)
        self.spectrograms = self._spectrograms()
        self.combinations = Combinations(study, self.spectrograms, layers)
        self.resources_for = ResourceRequests(study, self.combinations).for_rule
        self.classes = list(study.classes)
        self.n_folds = count_folds(study)
        self.folds = list(range(1, self.n_folds + 1))
        self.ranks = list(study.retrain.ranks)
        # The first seed is that of the ordinary training of rank 1.
        self.further_seeds = list(range(2, study.evaluation.seeds + 1))
        self.workers = list(range(1, study.tuning.n_workers + 1))
        self.external = ExternalFlow(study, self.paths, self.run, self.folds)
        self.splits = SplitByWindowFlow(study, self.paths, self.combinations)
        self.summary = SummaryFlow(self.paths, self.combinations.all, self.folds, self.external)
        self.baseline = BaselineFlow(study, self.paths, self.combinations.all, self.folds, self.ranks)
        if study.tuning.mode != "reserved" and study.tuning.inner_folds > max(self.n_folds - 1, 1):
            raise InputError(
                f"{self.combinations.place('tuning', 'inner_folds')}: {study.tuning.inner_folds} of {self.n_folds} "
                f"folds; one of them is the test fold, so choose {self.n_folds - 1} or fewer"
            )

    def _spectrograms(self) -> list[str]:
        if not isinstance(self.study.dataset, FoldArrays):
            return [*SPECTROGRAMS, "concat", "raw"]
        given: list[str] = [name for name in SPECTROGRAMS if name in self.study.dataset.arrays]
        return [*given, "concat"] if {*self.study.spectrograms.concat} <= {*given} else given

    @property
    def stages(self) -> list[str]:
        """Stages of this study but for those of external tests; each has a rule file of its name."""
        names = [stage.name for stage in STAGES.values() if self.kind in stage.dataset_kinds and not stage.external]
        return [name for name in self._without_arrays(names) if name != "initialize" or self.study.training.init]

    @property
    def external_stages(self) -> list[str]:
        """Stages of the external tests; none without an external data set."""
        names = [stage.name for stage in STAGES.values() if stage.external] if self.external.sets else []
        return self._without_arrays(names)

    def _without_arrays(self, names: list[str]) -> list[str]:
        """Stages without those that write spectrograms, if these are computed on the fly."""
        on_the_fly = self.study.spectrograms.on_the_fly
        return [name for name in names if not (on_the_fly and STAGES[name].script == "spectrogram")]

    def check_targets(self, targets: Iterable[str]) -> None:
        """Refuse a target whose name is not that of a sensible combination, as `eegwf.dag.targets` does."""
        check_targets(targets, self.results, self.combinations, self.external)

    # Files, for the rules.

    def reports(self) -> list[str]:
        """Report of every combination in the matrix."""
        return [str(self.paths.run(combination).report) for combination in self.combinations.all]

    def external_reports(self) -> list[str]:
        """Report of every combination in the matrix on every external data set."""
        return self.external.reports(self.combinations.all)

    def arrays(self, wildcards: Any) -> list[str]:
        """Arrays that a model reads: one spectrogram, several for `concat`, or the windows themselves for `raw`."""
        return input_arrays(self.paths, wildcards.spectrogram, self.study.spectrograms)

    def axes(self, wildcards: Any) -> list[str]:
        """Descriptions of the arrays that a model reads."""
        return array_axes(self.arrays(wildcards))

    def outputs_of_retrain(self) -> list[Path]:
        """Files that the retraining of an outer fold writes, those of rank 1 first, with wildcards."""
        files = [file for rank in self.ranks for file in self.fold.rank(rank).files]
        seeds = [self.fold.retrained.seed(seed) for seed in self.further_seeds]
        return [*files, *seeds, self.fold.retrained.timing]

    def rank_weights(self) -> list[Path]:
        """Weights of all ranks of an outer fold, with wildcards."""
        return [self.fold.rank(rank).weights for rank in self.ranks]

    def rank_models(self) -> list[Path]:
        """Descriptions of the models of all ranks of an outer fold, with wildcards."""
        return [self.fold.rank(rank).model for rank in self.ranks]

    def test_predictions(self) -> list[Path]:
        """Test predictions of all folds and ranks of a combination, with wildcards."""
        return [self.run.fold(fold).rank(rank).test for fold in self.folds for rank in self.ranks]

    def seed_predictions(self) -> list[Path]:
        """Test predictions of all folds by rank 1, trained with further random seeds, with wildcards."""
        return [self.run.fold(fold).retrained.seed(seed) for fold in self.folds for seed in self.further_seeds]

    def validation_predictions(self) -> list[Path]:
        """Validation predictions of all folds and ranks of a combination, in the order of the test predictions."""
        return [self.run.fold(fold).rank(rank).validation for fold in self.folds for rank in self.ranks]

    def calibrations(self) -> list[Path]:
        """Calibrations of all folds and ranks of a combination, in the order of the test predictions."""
        return [self.run.fold(fold).rank(rank).calibration for fold in self.folds for rank in self.ranks]

    def retrained_files(self) -> list[Path]:
        """Files of all outer folds that the training of final models reads, with wildcards."""
        folds = list(map(self.run.fold, self.folds))
        ranks = [fold.rank(rank) for fold in folds for rank in self.ranks]
        files = [file for rank in ranks for file in (rank.model, rank.history, rank.validation, rank.calibration)]
        return files + [fold.best for fold in folds] + [rank.test for rank in ranks]

    def final_files(self) -> list[Path]:
        """Files of the final models, as many as the ranks, with wildcards."""
        final = self.run.final
        return final.common_files + [file for rank in self.ranks for file in final.model(rank).files]

    def fold_files(self) -> list[Path]:
        """Files of all outer folds that a report reads, with wildcards."""
        files = []
        for fold in map(self.run.fold, self.folds):
            files += [fold.trials, fold.best, fold.tuning_timing, fold.retrained.timing]
            files += [file for rank in map(fold.rank, self.ranks) for file in (rank.model, rank.history)]
            files += fold.attribution.files
        return files

    @property
    def studies(self) -> list[str]:
        """Optuna studies of a combination: one for each outer fold, or one for all."""
        return list(dict.fromkeys(map(self._study_of, self.folds)))

    def _study_of(self, fold: int | str) -> str:
        return {"reserved": "reserved", "once": "fold1"}.get(self.study.tuning.mode, f"fold{fold}")

    def workers_of(self, wildcards: Any) -> list[str]:
        """Files of the workers of the Optuna study whose parameter sets an outer fold uses."""
        run = self.paths.run(Combination(wildcards.model, wildcards.spectrogram, wildcards.classes))
        return [str(run.worker(self._study_of(wildcards.fold), number)) for number in self.workers]

    @property
    def root(self) -> str:
        """Root of the data set, also of the synthetic one."""
        return self.study.dataset.root if isinstance(self.study.dataset, RecordedDataset) else str(self.paths.data.bids)

    def dataset_inputs(self, wildcards: Any) -> list[str]:
        """Inputs of the windows: the synthetic data set; changes of real recordings are found by `data_digest`."""
        return [self.root] if self.kind == "synthetic" else []

    def participants(self, wildcards: Any) -> list[str]:
        """Inputs of the evaluation for its subgroups: `participants.tsv`, or the synthetic data set that has it."""
        if not self.study.subgroups:
            return []
        if self.kind == "synthetic":
            return [self.root]
        path = participants_path(self.root)
        # A missing file is reported by the job, in a line that says what to do.
        return [str(path)] if path.is_file() else []

    def explained_inputs(self, wildcards: Any) -> list[str]:
        """Inputs of attribution besides those of the models: the time series, which imported arrays lack, and truth."""
        signals = [] if self.kind == "fold_arrays" else [str(self.paths.data.windows_array)]
        return [*signals, *self.dataset_inputs(wildcards)]

    def explained_options(self, wildcards: Any) -> str:
        """Command-line options of attribution that name the time series and the ground truth, where there are any."""
        options = {"signals": self.paths.data.windows_array} if self.kind != "fold_arrays" else {}
        options |= {"truth": self.paths.data.truth} if self.kind == "synthetic" else {}
        return " ".join(f"--{name} {shlex.quote(str(path))}" for name, path in options.items())

    def leakage_check_array(self, wildcards: Any) -> str:
        """Samples in which the leakage checks look for copies."""
        if self.kind == "fold_arrays":
            return str(self.paths.spectrogram(self.spectrograms[0]))
        return str(self.paths.data.windows_array)

    def init_files(self, wildcards: Any) -> list[str]:
        """Initial weights of fine-tuning, which trainings read; none without `training.init`."""
        return [str(path) for path in self.paths.init.files] if self.study.training.init else []

    def report_files(self, wildcards: Any) -> list[str]:
        """Further inputs of the report: initial weights, samples whose EEG it shows, a table of published scores."""
        report = self.study.report
        shown = report.include_eeg and self.kind != "fold_arrays"
        samples = [self.paths.data.windows_array, self.paths.data.windows_axes] if shown else []
        published = [report.published] if report.published else []
        return [*self.init_files(wildcards), *map(str, samples), *published]

    def given_folds(self, wildcards: Any) -> list[str]:
        """Table of folds that came with the data, if any."""
        if self.kind == "fold_arrays":
            return [str(self.paths.data.given_folds)]
        folds = self.study.folds
        return [folds] if isinstance(folds, str) and folds != LEAVE_ONE_OUT else []

    def log(self, stage: str) -> str:
        """Log of a stage's jobs, with wildcards."""
        return str(self.paths.log(stage, STAGES[stage].job))

    def benchmark(self, stage: str) -> str:
        """Benchmark file of a stage's jobs, with wildcards."""
        return str(self.paths.benchmark(stage, STAGES[stage].job))

    # Values of the rules' `params`: a job is repeated when one of them changes.

    def settings(self, stage: str) -> Callable[[Any], str]:
        """Settings that decide the result of a stage's job, as JSON."""
        return lambda wildcards: stage_config(self.study, stage, wildcards, self.combinations.all).model_dump_json()

    def code(self, stage: str) -> Callable[[Any], str]:
        """Digest of the code that a stage runs."""
        script = ROOT / "workflow" / "scripts" / f"{STAGES[stage].script}.py"

        # Every job requests it, and a study has thousands of jobs.
        @cache
        def digest_with(model: str | None) -> str:
            return code_digest(script, *([self.combinations.entry(model).module] if model else []))

        return lambda wildcards: digest_with(getattr(wildcards, "model", None))

    def data_digest(self, wildcards: Any) -> str:
        """Digest that changes when a file of the data set does (name, size or time)."""
        return data_digest(self.study.dataset)

    def participants_option(self, wildcards: Any) -> str:
        """Command-line option that names `participants.tsv`."""
        path = participants_path(self.root)
        return f"--participants {shlex.quote(str(path))}" if self.study.subgroups else ""

    def init_option(self, wildcards: Any) -> str:
        """Command-line option that names the folder of the initial weights."""
        return f"--init {shlex.quote(str(self.paths.init.folder))}" if self.study.training.init else ""

    def source_digest(self, wildcards: Any) -> str:
        """Digest that changes when a file of the source of the initial weights does (name, size or time)."""
        return source_digest(self.study)

    def given_option(self, wildcards: Any, input: Any) -> str:
        """Command-line option that names the table of given folds."""
        return f"--given {shlex.quote(str(input.given))}" if input.given else ""

    def state(self, wildcards: Any) -> str:
        """Folder of unfinished work."""
        return str(self.paths.state)

    def data_folder(self, wildcards: Any) -> str:
        """Folder of the tables and arrays of the data."""
        return str(self.paths.data.folder)

    def combination_folder(self, wildcards: Any) -> str:
        """Folder of a combination."""
        return str(self.paths.run(Combination(wildcards.model, wildcards.spectrogram, wildcards.classes)).folder)

    def results_folder(self, wildcards: Any) -> str:
        """Root of the study's results."""
        return self.results

    @staticmethod
    def excluded_fold(wildcards: Any) -> int:
        """Outer fold whose windows an Optuna study must not see; 0 for none."""
        return int(wildcards.study.removeprefix("fold").replace("reserved", "0"))

    @staticmethod
    def name(wildcards: Any) -> str:
        """Name of an Optuna study, or of an outer fold of a combination; it seeds random draws."""
        part = getattr(wildcards, "study", None) or f"fold{wildcards.fold}"
        return f"{wildcards.model}_{wildcards.spectrogram}_{wildcards.classes}_{part}"

    @staticmethod
    def folder(wildcards: Any, output: Any) -> str:
        """Folder of the first output."""
        return str(Path(output[0]).parent)

    def retrain_folder(self, wildcards: Any, output: Any) -> str:
        """Folder of the ranks."""
        return str(Path(output[0]).parents[1])

    @staticmethod
    def wildcard_regex(values: Iterable[Any]) -> str:
        """Wildcard constraint that allows these values only."""
        return "|".join(re.escape(str(value)) for value in values)
