"""Names of all files in the results folder of a study, each defined once.

Rules use the same classes with wildcards such as `{model}` in place of values.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from eegwf.config.data_paths import DataPaths, ExternalPaths, InitPaths
from eegwf.config.final_paths import FinalPaths
from eegwf.config.fold_paths import FoldPaths
from eegwf.config.paper_paths import PaperPaths

# Files that hold times, hosts, dates or the commit, and the page that shows them: two equal runs differ in these alone.
VARYING_FILES = (
    "timing.tsv", "ledger.tsv", "report.html", "run.json", "text.md", "model_card.md", "tripod_ai.tsv", "szcore.tsv",
)  # fmt: skip


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

    @property
    def paper(self) -> PaperPaths:
        """Texts, tables and figures for a paper."""
        return PaperPaths(self.folder / "paper")

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
class ResultPaths:
    """All files of a study."""

    root: Path

    @property
    def data(self) -> DataPaths:
        """Tables and arrays of the data."""
        return DataPaths(self.root / "data")

    def spectrogram(self, name: str) -> Path:
        """Array of a spectrogram, `(n_windows, n_chans, n_freqs, n_frames)`."""
        return self.root / "spectrograms" / f"{name}.npy"

    @property
    def init(self) -> InitPaths:
        """Initial weights of fine-tuning."""
        return InitPaths(self.root / "init")

    def external(self, name: str) -> ExternalPaths:
        """Tables and arrays of an external data set."""
        return ExternalPaths(self.root / "external" / name)

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

    def baseline(self, classes: str) -> Path:
        """Choice of the classical baseline of a class set."""
        return self.root / f"baseline_{classes}.json"

    def split_by_window(self, classes: str) -> Path:
        """Scores of `bandpower` with folds by patient and by window, of a class set."""
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
