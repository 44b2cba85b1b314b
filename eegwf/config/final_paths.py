"""Names of the files of the final models of a combination, in its folder or in a bundle."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eegwf.config.model_paths import ModelPaths

# Version of the format of `models.json`.
FORMAT: Literal[1] = 1


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

    def model(self, number: int | str) -> ModelPaths:
        """Files of a final model, numbered from 1."""
        return ModelPaths(self.folder / f"model{number}")
