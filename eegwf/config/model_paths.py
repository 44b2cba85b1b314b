"""Names of the files of a trained model, in the folder of an outer fold or of the final models."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ModelPaths:
    """Files of a trained model."""

    folder: Path

    @property
    def weights(self) -> Path:
        """Weights, and the statistics of the normalization."""
        return self.folder / "model.safetensors"

    @property
    def model(self) -> Path:
        """Description of the model: parameters, shape, settings and epochs of the training."""
        return self.folder / "model.json"

    @property
    def history(self) -> Path:
        """Table of the epochs."""
        return self.folder / "history.tsv"

    @property
    def calibration(self) -> Path:
        """Calibration of the probabilities, fitted on validation folds."""
        return self.folder / "calibration.json"

    @property
    def files(self) -> list[Path]:
        """All files of the model."""
        return [self.weights, self.model, self.history, self.calibration]
