"""Names of the files of the final models of a combination, in its folder or in a bundle."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FinalModelPaths:
    """Files of one final model: `final/modelN/`, as those of a retrained parameter set without predictions."""

    folder: Path

    @property
    def weights(self) -> Path:
        """Weights, and the statistics of the normalization."""
        return self.folder / "model.safetensors"

    @property
    def model(self) -> Path:
        """Description of the model: parameters, shape, training settings, number of epochs."""
        return self.folder / "model.json"

    @property
    def history(self) -> Path:
        """Table of the epochs."""
        return self.folder / "history.tsv"

    @property
    def calibration(self) -> Path:
        """Calibration of the probabilities."""
        return self.folder / "calibration.json"

    @property
    def files(self) -> list[Path]:
        """All files of the model."""
        return [self.weights, self.model, self.history, self.calibration]


@dataclass(frozen=True)
class FinalPaths:
    """Files of the final models, which identify no patient: `final/`."""

    folder: Path

    @property
    def description(self) -> Path:
        """Models, preprocessing, classes, operating point, and the scores of cross-validation."""
        return self.folder / "models.json"

    @property
    def input_statistics(self) -> Path:
        """Band power of the training recordings, with which a new recording is compared."""
        return self.folder / "input_statistics.json"

    @property
    def fingerprints(self) -> Path:
        """Fingerprints of the windows of the study, sorted."""
        return self.folder / "fingerprints.npy"

    @property
    def common_files(self) -> list[Path]:
        """Files besides those of the models."""
        return [self.description, self.input_statistics, self.fingerprints]

    def model(self, number: int | str) -> FinalModelPaths:
        """Files of a final model, numbered from 1."""
        return FinalModelPaths(self.folder / f"model{number}")
