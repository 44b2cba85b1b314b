"""What the Snakefile calls: the matrix of combinations, the slice of the configuration a job reads, digests of code.

Every cluster job parses the Snakefile again, so this module is quick and never imports torch.
"""

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from eegwf.config.data import LEAVE_ONE_OUT, Bids
from eegwf.config.load import Layers, read_layers, validate
from eegwf.config.study import Study
from eegwf.dag.code_digest import code_digest
from eegwf.dag.combinations import Matrix
from eegwf.dag.resources import Requests
from eegwf.dag.stage_config import data_digest, slice_of
from eegwf.data.fold_count import count_folds
from eegwf.errors import InputError
from eegwf.provenance.git import ROOT
from eegwf.spectrograms.names import SPECTROGRAMS, members

TARGET = re.compile(r"(?P<model>[^/_]+)_(?P<spectrogram>[^/_]+)_(?P<classes>[^/_]+)/")


class Flow:
    """A study as the workflow sees it.

    Parameters
    ----------
    study
        The validated configuration.
    containers
        Whether jobs run in an image, with the image's Python.
    layers
        What each configuration file gave: errors then name the file.

    Raises
    ------
    InputError
        If the matrix makes no sense (see `eegwf.dag.combinations`), or there are too few folds for the inner ones.
    """

    def __init__(self, study: Study, containers: bool = False, layers: Layers = ()):
        self.study = study
        self.layers = layers
        self.results = study.results.rstrip("/")
        self.kind = study.dataset.kind
        self.containers = containers
        self.models = list(study.models)
        self.spectrograms = self._spectrograms()
        self.matrix = Matrix(study, self.spectrograms, layers)
        self.asks = Requests(study, self.matrix)
        self.classes = list(study.classes)
        self.n_folds = count_folds(study)
        self.folds = list(range(1, self.n_folds + 1))
        self.ranks = list(range(1, study.retrain.top + 1))
        self.workers = list(range(1, study.tuning.workers + 1))
        if study.tuning.mode != "reserved" and study.tuning.inner_folds > max(self.n_folds - 1, 1):
            raise InputError(
                f"{self.matrix.place('tuning', 'inner_folds')}: {study.tuning.inner_folds} of {self.n_folds} folds; "
                f"one is the test fold, so choose {self.n_folds - 1} or fewer"
            )

    def _spectrograms(self) -> list[str]:
        if self.kind != "fold_arrays":
            return [*SPECTROGRAMS, "concat", "raw"]
        given = [name for name in SPECTROGRAMS if name in self.study.dataset.arrays]
        return [*given, "concat"] if len(given) == len(SPECTROGRAMS) else given

    def check_targets(self, targets: Iterable[str]) -> None:
        """Refuse a target asked for by name that stands for no sensible combination.

        Raises
        ------
        InputError
            With what to ask for instead.
        """
        words = list(map(str, targets))
        for before, target in zip(["", *words], words, strict=False):
            if before == "--report":  # a file for Snakemake's own report
                continue
            inside = target.removeprefix(self.results + "/")
            found = TARGET.match(inside)
            if found and inside != target:
                self.matrix.check(found.group("model", "spectrogram", "classes"), target)
            elif target.endswith("/report.html") and not found:
                raise InputError(
                    f"{target}: expected {self.results}/<model>_<spectrogram>_<classes>/report.html "
                    f"(the results of this configuration are in {self.results}/)"
                )

    def reports(self) -> list[str]:
        """Report of every combination in the matrix."""
        return self.finished("report.html")

    def finished(self, name: str) -> list[str]:
        """A file of every combination in the matrix."""
        return [f"{self.results}/{'_'.join(combination)}/{name}" for combination in self.matrix.combinations]

    @property
    def combinations(self) -> str:
        """For a rule's `params`: the combinations in the matrix, as JSON."""
        return json.dumps(self.matrix.combinations)

    def arrays(self, wildcards) -> list[str]:
        """Arrays a model reads: one spectrogram, three for `concat`, or the windows themselves for `raw`."""
        if wildcards.spectrogram == "raw":
            return [f"{self.results}/data/windows.npy"]
        return [f"{self.results}/spectrograms/{name}.npy" for name in members(wildcards.spectrogram)]

    def axes(self, wildcards) -> list[str]:
        """Descriptions that stand beside the arrays."""
        return [f"{array.removesuffix('.npy')}.json" for array in self.arrays(wildcards)]

    @property
    def fold_files(self) -> list[str]:
        """Files of an outer fold that a report reads."""
        ranks = [f"retrain/rank{rank}/{name}" for rank in self.ranks for name in ("model.json", "history.tsv")]
        maps = [f"explain/{name}" for name in self.map_files]
        return [*(f"tune/{name}" for name in self.tune_files), "retrain/timing.tsv", *ranks, *maps]

    @property
    def tune_files(self) -> list[str]:
        """Files that the tuning of an outer fold writes."""
        return ["trials.tsv", "best.json", "timing.tsv"]

    @property
    def studies(self) -> list[str]:
        """Studies of a combination: one for each outer fold, or one for all."""
        return list(dict.fromkeys(map(self._study_of, self.folds)))

    def _study_of(self, fold: int | str) -> str:
        return {"reserved": "reserved", "once": "fold1"}.get(self.study.tuning.mode, f"fold{fold}")

    def workers_of(self, wildcards) -> list[str]:
        """What the workers write of the study that an outer fold takes its parameters from."""
        run = f"{self.results}/{wildcards.model}_{wildcards.spectrogram}_{wildcards.classes}"
        return [f"{run}/studies/{self._study_of(wildcards.fold)}/worker{number}.json" for number in self.workers]

    @staticmethod
    def hidden_fold(wildcards) -> int:
        """For a rule's `params`: the outer fold that a study must not see, 0 for none."""
        return int(wildcards.study.removeprefix("fold").replace("reserved", "0"))

    def config(self, stage: str) -> Callable[[Any], str]:
        """For a rule's `params`: the slice of the configuration that the stage reads, as JSON."""
        return lambda wildcards: json.dumps(slice_of(self.study, stage, wildcards))

    def code(self, stage: str) -> Callable[[Any], str]:
        """For a rule's `params`: the digest of the code that the stage runs."""
        script = ROOT / "workflow" / "scripts" / f"{stage}.py"

        # Asked for by every job, of which there are thousands.
        @cache
        def of_model(model: str | None) -> str:
            return code_digest(script, *([self.matrix.entry(model).module] if model else []))

        return lambda wildcards: of_model(getattr(wildcards, "model", None))

    def data_digest(self, wildcards) -> str:
        """For a rule's `params`: changes when a file of the data set does (name, size or time)."""
        return data_digest(self.study)

    @property
    def data_rules(self) -> str:
        """Rule file that makes windows: from recordings, or from given arrays."""
        return "rules/arrays.smk" if self.kind == "fold_arrays" else "rules/data.smk"

    @property
    def spectrogram_rules(self) -> str:
        """Rule file that makes spectrograms; given arrays hold them already."""
        return "rules/array_spectrograms.smk" if self.kind == "fold_arrays" else "rules/spectrograms.smk"

    @property
    def root(self) -> str:
        """Root of the BIDS data set, the synthetic one included."""
        return self.study.dataset.root if isinstance(self.study.dataset, Bids) else f"{self.results}/data/bids"

    def dataset_inputs(self, wildcards) -> list[str]:
        """Inputs of the windows: the synthetic data set; real recordings are watched by `data_digest`."""
        return [self.root] if self.kind == "synthetic" else []

    def gate_array(self, wildcards) -> str:
        """The samples in which the gate looks for copies."""
        if self.kind == "fold_arrays":
            return f"{self.results}/spectrograms/{self.spectrograms[0]}.npy"
        return f"{self.results}/data/windows.npy"

    def given_folds(self, wildcards) -> list[str]:
        """Table of folds that came with the data, if any."""
        if self.kind == "fold_arrays":
            return [f"{self.results}/data/given_folds.tsv"]
        folds = self.study.folds
        return [folds] if isinstance(folds, str) and folds != LEAVE_ONE_OUT else []

    def given_option(self, wildcards, input) -> str:
        """Command-line option that names the given folds."""
        return f"--given {shlex.quote(str(input.given))}" if input.given else ""

    @property
    def rank_files(self) -> list[str]:
        """Files that retraining writes for every rank."""
        return ["model.safetensors", "model.json", "history.tsv", "validation.tsv", "test.tsv"]

    @property
    def map_files(self) -> list[str]:
        """Files of an explanation."""
        return ["saliency.npy", "gradcam.npy", "mean.npy", "maps.json"]

    @property
    def table_files(self) -> list[str]:
        """Files of the data that a report reads."""
        return ["recordings.tsv", "windows.tsv", "folds.tsv", "leakage.json"]

    def state(self, wildcards) -> str:
        """For a rule's `params`: folder of unfinished work, which no rule declares."""
        return f"{self.results}/state"

    def results_folder(self, wildcards) -> str:
        """For a rule's `params`: root of the study's results."""
        return self.results

    @staticmethod
    def name(wildcards) -> str:
        """For a rule's `params`: name of a study, or of what is done with one outer fold."""
        what = getattr(wildcards, "study", None) or f"fold{wildcards.fold}"
        return f"{wildcards.model}_{wildcards.spectrogram}_{wildcards.classes}_{what}"

    @staticmethod
    def folder(wildcards, output) -> str:
        """For a rule's `params`: the folder of the first output."""
        return str(Path(output[0]).parent)

    @staticmethod
    def retrain_folder(wildcards, output) -> str:
        """For a rule's `params`: the folder above the ranks."""
        return str(Path(output[0]).parents[1])

    @staticmethod
    def any_of(values: Iterable[Any]) -> str:
        """Wildcard constraint that admits these values alone."""
        return "|".join(re.escape(str(value)) for value in values)


def read_flow(
    default: Path | str,
    files: Iterable[Path | str] = (),
    overrides: dict[str, Any] | None = None,
    containers: bool = False,
) -> Flow:
    """Read the configuration of a run, as `eegwf.config.load.load_study` takes it.

    Raises
    ------
    InputError
        Naming the file and the key.
    """
    merged, layers = read_layers(default, list(files), overrides)
    return Flow(validate(merged, layers), containers, layers)


def open_flow(
    base: Path | str,
    files: Iterable[Path | str],
    overrides: dict[str, Any],
    deployment: Iterable[Any] = (),
    arguments: Iterable[str] = (),
) -> Flow:
    """Read the configuration of a run; a user's mistake ends the process with one line.

    Parameters
    ----------
    base
        Checkout that the Snakefile stands in.
    files, overrides
        As `read_flow` takes them.
    deployment
        Snakemake's software deployment methods; with containers, jobs use the image's Python.
    arguments
        Snakemake's command line: targets in it that make no sense are refused.
    """
    containers = "apptainer" in map(str, deployment)
    if Path(str(base)).resolve() != ROOT:
        sys.exit(
            f"error: the Snakefile is of {base}, and the library eegwf of {ROOT}; start the Snakemake installed "
            f"with the former: {base}/.venv/bin/snakemake, made by `make .venv/.installed`"
        )
    try:
        flow = read_flow(ROOT / "config/config.yaml", files, overrides, containers)
        flow.check_targets(arguments)
    except InputError as error:
        # Anything but an exit would be shown with a stack trace by Snakemake.
        sys.exit(f"error: {error}")
    return flow
