"""Names of the tables and arrays of a data set, and of the initial weights of a study, each defined once."""

from dataclasses import dataclass
from pathlib import Path


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


def axes_of(array: Path) -> Path:
    """Description of an array, in a file beside it: axes, channels and digest."""
    return array.with_suffix(".json")
