"""Names of all files in the results folder of a study, each defined once.

Rules use the same classes with wildcards such as `{model}` in place of values.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from eegwf.config.final_paths import FinalPaths

# Files that hold times, hosts or dates, and the page that shows them: two equal runs differ in these alone.
VARYING_FILES = ("timing.tsv", "ledger.tsv", "report.html", "run.json")


class Combination(NamedTuple):
    """A model, a spectrogram and a class set."""

    model: str
    spectrogram: str
    classes: str

    @property
    def name(self) -> str:
        """Name of its folder, such as `vit_mel_3class`."""
        return "_".join(self)

    @classmethod
    def parse(cls, name: str) -> "Combination":
        """The combination of a folder's name; names of the parts contain no underscore."""
        return cls(*name.split("_"))


@dataclass(frozen=True)
class DataPaths:
    """Tables and arrays of the data, which all combinations share: `data/`."""

    folder: Path

    @property
    def bids(self) -> Path:
        """Root of the synthetic data set."""
        return self.folder / "bids"

    @property
    def recordings(self) -> Path:
        """Table of the recordings, also of the excluded ones."""
        return self.folder / "recordings.tsv"

    @property
    def events(self) -> Path:
        """Table of the annotated events."""
        return self.folder / "events.tsv"

    @property
    def windows(self) -> Path:
        """Table of the windows."""
        return self.folder / "windows.tsv"

    @property
    def windows_array(self) -> Path:
        """Samples of the windows, `(n_windows, n_chans, n_times)` in microvolts."""
        return self.folder / "windows.npy"

    @property
    def windows_axes(self) -> Path:
        """Sampling rate, channels and digest of the windows."""
        return self.folder / "windows.json"

    @property
    def folds(self) -> Path:
        """Table of the folds, by patient."""
        return self.folder / "folds.tsv"

    @property
    def given_folds(self) -> Path:
        """Table of the folds that came with imported arrays."""
        return self.folder / "given_folds.tsv"

    @property
    def truth(self) -> Path:
        """Ground truth of the synthetic data set."""
        return self.bids / "truth.json"

    @property
    def leakage(self) -> Path:
        """Results of the leakage checks."""
        return self.folder / "leakage.json"


@dataclass(frozen=True)
class RankPaths:
    """Files of one retrained parameter set: `foldK/retrain/rankR/`."""

    folder: Path

    @property
    def weights(self) -> Path:
        """Weights, and the statistics of the normalization."""
        return self.folder / "model.safetensors"

    @property
    def model(self) -> Path:
        """Description of the model: parameters, shape, training settings, validation score."""
        return self.folder / "model.json"

    @property
    def history(self) -> Path:
        """Table of the epochs."""
        return self.folder / "history.tsv"

    @property
    def validation(self) -> Path:
        """Predictions on the validation folds."""
        return self.folder / "validation.tsv"

    @property
    def test(self) -> Path:
        """Predictions on the test fold."""
        return self.folder / "test.tsv"

    @property
    def calibration(self) -> Path:
        """Calibration of the probabilities, fitted on the validation folds."""
        return self.folder / "calibration.json"

    @property
    def files(self) -> list[Path]:
        """All files that retraining writes for a rank."""
        return [self.weights, self.model, self.history, self.validation, self.calibration, self.test]


@dataclass(frozen=True)
class RetrainPaths:
    """Files of the retrained parameter sets of an outer fold: `retrain/`."""

    folder: Path

    @property
    def timing(self) -> Path:
        """Cost of each retraining."""
        return self.folder / "timing.tsv"

    def rank(self, rank: int | str) -> RankPaths:
        """Files of a retrained parameter set, numbered from 1."""
        return RankPaths(self.folder / f"rank{rank}")

    def seed(self, seed: int) -> Path:
        """Predictions on the test fold by rank 1, trained with another random seed, numbered from 2."""
        return RankPaths(self.folder / f"rank1_seed{seed}").test


@dataclass(frozen=True)
class AttributionPaths:
    """Attribution maps of an outer fold and their evidence: `foldK/explain/`."""

    folder: Path

    @property
    def description(self) -> Path:
        """Methods, classes, axes and cells of the maps."""
        return self.folder / "maps.json"

    @property
    def windows(self) -> Path:
        """Table of the windows that were explained."""
        return self.folder / "windows.tsv"

    @property
    def means(self) -> Path:
        """Mean map of each method, class and outcome over channels and frequencies, collapsed over time."""
        return self.folder / "means.npy"

    @property
    def mean_inputs(self) -> Path:
        """Mean input of each class and outcome over channels and frequencies."""
        return self.folder / "mean_inputs.npy"

    @property
    def examples(self) -> Path:
        """Maps of the example windows by each method."""
        return self.folder / "examples.npy"

    @property
    def example_inputs(self) -> Path:
        """Inputs of the example windows."""
        return self.folder / "example_inputs.npy"

    @property
    def example_signals(self) -> Path:
        """Time series of the example windows, and the relevance of each sample; no windows for imported arrays."""
        return self.folder / "example_signals.npy"

    @property
    def evidence(self) -> Path:
        """Measures of each method, by class and patient."""
        return self.folder / "evidence.tsv"

    @property
    def timing(self) -> Path:
        """Seconds that each method took."""
        return self.folder / "timing.tsv"

    @property
    def files(self) -> list[Path]:
        """All files of an attribution."""
        return [
            self.description,
            self.windows,
            self.means,
            self.mean_inputs,
            self.examples,
            self.example_inputs,
            self.example_signals,
            self.evidence,
            self.timing,
        ]


@dataclass(frozen=True)
class FoldPaths:
    """Files of an outer fold of a combination: `foldK/`."""

    folder: Path

    @property
    def trials(self) -> Path:
        """Table of the trials."""
        return self.folder / "tune" / "trials.tsv"

    @property
    def best(self) -> Path:
        """The best parameter sets."""
        return self.folder / "tune" / "best.json"

    @property
    def tuning_timing(self) -> Path:
        """Cost of each trial."""
        return self.folder / "tune" / "timing.tsv"

    @property
    def retrained(self) -> RetrainPaths:
        """The retrained parameter sets."""
        return RetrainPaths(self.folder / "retrain")

    def rank(self, rank: int | str) -> RankPaths:
        """Files of a retrained parameter set, numbered from 1."""
        return self.retrained.rank(rank)

    @property
    def attribution(self) -> AttributionPaths:
        """Attribution maps."""
        return AttributionPaths(self.folder / "explain")


@dataclass(frozen=True)
class ExternalRunPaths:
    """Files of the test of a combination on an external data set: `<combination>/external/<name>/`."""

    folder: Path

    @property
    def predictions(self) -> Path:
        """Predictions of the models of each fold and of the final models."""
        return self.folder / "predictions.tsv"

    @property
    def mapping(self) -> Path:
        """Class of each event type of the data set."""
        return self.folder / "mapping.tsv"

    @property
    def metrics(self) -> Path:
        """Scores with their confidence intervals, and their differences from the internal ones."""
        return self.folder / "metrics.json"

    @property
    def per_patient(self) -> Path:
        """Scores of each patient."""
        return self.folder / "per_patient.tsv"

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"


@dataclass(frozen=True)
class RunPaths:
    """Files of a combination: `<model>_<spectrogram>_<classes>/`."""

    folder: Path

    @property
    def predictions(self) -> Path:
        """Test predictions of all folds and members."""
        return self.folder / "predictions.tsv"

    @property
    def metrics(self) -> Path:
        """Scores with their confidence intervals."""
        return self.folder / "metrics.json"

    @property
    def per_patient(self) -> Path:
        """Scores of each patient."""
        return self.folder / "per_patient.tsv"

    @property
    def events(self) -> Path:
        """Event scores of each patient."""
        return self.folder / "events.tsv"

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    @property
    def timing(self) -> Path:
        """Computing time of each job."""
        return self.folder / "timing.tsv"

    @property
    def ledger(self) -> Path:
        """Computing cost of each stage."""
        return self.folder / "ledger.tsv"

    @property
    def run_record(self) -> Path:
        """Configuration, versions, commit, host and date."""
        return self.folder / "run.json"

    def fold(self, fold: int | str) -> FoldPaths:
        """Files of an outer fold, numbered from 1."""
        return FoldPaths(self.folder / f"fold{fold}")

    def external(self, name: str) -> ExternalRunPaths:
        """Files of the test on an external data set."""
        return ExternalRunPaths(self.folder / "external" / name)

    @property
    def final(self) -> FinalPaths:
        """Models that are trained on all patients."""
        return FinalPaths(self.folder / "final")

    def worker(self, study: str, worker: int | str) -> Path:
        """File in which a worker of an Optuna study writes the study's name and state folder.

        Parameters
        ----------
        study
            Name of the study within the combination: `fold1`, ..., or `reserved`.
        worker
            Number of the worker, from 1.

        Returns
        -------
        Path
            JSON file.
        """
        return self.folder / "studies" / study / f"worker{worker}.json"


@dataclass(frozen=True)
class ExternalPaths:
    """Tables and arrays of an external data set, which all combinations share: `external/<name>/`."""

    folder: Path

    @property
    def data(self) -> DataPaths:
        """Tables and arrays of the data; `leakage` has the checks across the two data sets."""
        return DataPaths(self.folder / "data")

    def spectrogram(self, name: str) -> Path:
        """Array of a spectrogram, as of the study."""
        return self.folder / "spectrograms" / f"{name}.npy"


@dataclass(frozen=True)
class InitPaths:
    """Initial weights of fine-tuning, copied from another study: `init/`."""

    folder: Path

    @property
    def weights(self) -> Path:
        """Weights of the first final model of the source."""
        return self.folder / "model.safetensors"

    @property
    def model(self) -> Path:
        """Description of that model."""
        return self.folder / "model.json"

    @property
    def record(self) -> Path:
        """Name, classes and digest of the source, and the checks that no patient is in both studies."""
        return self.folder / "source.json"

    @property
    def fingerprints(self) -> Path:
        """Fingerprints of the windows of the source, sorted."""
        return self.folder / "fingerprints.npy"

    @property
    def files(self) -> list[Path]:
        """All files."""
        return [self.weights, self.model, self.record, self.fingerprints]


@dataclass(frozen=True)
class ResultPaths:
    """All files of a study."""

    root: Path

    @property
    def data(self) -> DataPaths:
        """Tables and arrays of the data."""
        return DataPaths(self.root / "data")

    def spectrogram(self, name: str) -> Path:
        """Array of a spectrogram, `(n_windows, n_chans, n_freqs, n_frames)` log power."""
        return self.root / "spectrograms" / f"{name}.npy"

    def external(self, name: str) -> ExternalPaths:
        """Tables and arrays of an external data set."""
        return ExternalPaths(self.root / "external" / name)

    @property
    def init(self) -> InitPaths:
        """Initial weights of fine-tuning."""
        return InitPaths(self.root / "init")

    def run(self, combination: Combination) -> RunPaths:
        """Files of a combination."""
        return RunPaths(self.root / combination.name)

    def finished_runs(self) -> list[RunPaths]:
        """Combinations that have a report, by name."""
        return [RunPaths(path.parent) for path in sorted(self.root.glob(f"*/{RunPaths(Path()).run_record.name}"))]

    @property
    def summary_table(self) -> Path:
        """Scores of all combinations."""
        return self.root / "summary.tsv"

    @property
    def summary_page(self) -> Path:
        """Page that compares all combinations."""
        return self.root / "summary.html"

    @property
    def comparison_table(self) -> Path:
        """Differences of all pairs of combinations of a class set."""
        return self.root / "comparison.tsv"

    def split_by_window(self, classes: str) -> Path:
        """Scores of the classical baseline with folds by patient and by window, of a class set."""
        return self.root / f"split_by_window_{classes}.json"

    @property
    def state(self) -> Path:
        """Unfinished work, which no rule declares."""
        return self.root / "state"

    @property
    def snakemake_lock(self) -> Path:
        """Lock of the Snakemake process that writes into the folder."""
        return self.state / "snakemake.lock"

    def log(self, stage: str, job: str = "") -> Path:
        """Log of a job.

        Parameters
        ----------
        stage
            Name of the stage.
        job
            Name of the job; empty for a stage of one job.

        Returns
        -------
        Path
            Text file.
        """
        return self.root / "logs" / (f"{stage}/{job}.log" if job else f"{stage}.log")

    @property
    def benchmarks(self) -> Path:
        """Folder of Snakemake's measurements."""
        return self.root / "benchmarks"

    def benchmark(self, stage: str, job: str = "") -> Path:
        """Snakemake's measurement of a job.

        Parameters
        ----------
        stage
            Name of the stage.
        job
            Name of the job; empty for a stage of one job.

        Returns
        -------
        Path
            Table with a row for each repetition.
        """
        return self.benchmarks / (f"{stage}/{job}.tsv" if job else f"{stage}.tsv")


def axes_of(array: Path) -> Path:
    """Description of an array, in a file beside it: axes, channels and digest."""
    return array.with_suffix(".json")
