"""Names of the files of an outer fold of a combination, each defined once."""

from dataclasses import dataclass
from pathlib import Path

from eegwf.config.model_paths import ModelPaths


@dataclass(frozen=True)
class RankPaths(ModelPaths):
    """Files of one retrained parameter set: `foldK/retrain/rankR/`."""

    @property
    def validation(self) -> Path:
        """Predictions on the validation folds."""
        return self.folder / "validation.tsv"

    @property
    def test(self) -> Path:
        """Predictions on the test fold."""
        return self.folder / "test.tsv"

    @property
    def files(self) -> list[Path]:
        """All files that retraining writes for a rank."""
        return [*super().files, self.validation, self.test]


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
    def window_relevance(self) -> Path:
        """Relevance of the samples of all explained windows, summed over short columns of time."""
        return self.folder / "window_relevance.npy"

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
            self.window_relevance,
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
