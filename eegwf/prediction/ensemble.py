"""The models that predict a recording: final models, or those of an outer fold, with their calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from eegwf.config.final_paths import FinalPaths
from eegwf.config.model_paths import ModelPaths
from eegwf.config.paths import RunPaths
from eegwf.errors import InputError
from eegwf.evaluation.detector import OperatingPoint
from eegwf.evaluation.predictions import ENSEMBLE, rounded
from eegwf.prediction.description import FinalDescription
from eegwf.storage.files import read_json
from eegwf.training.calibration import Calibration, read_calibration
from eegwf.training.classifier import Classifier, load_classifier
from eegwf.training.inference import batch_logits


@dataclass(frozen=True)
class Ensemble:
    """Models whose mean probability is the prediction.

    Attributes
    ----------
    name
        `final`, or `fold1`, ... for the models of an outer fold.
    members
        Classifiers in evaluation mode, each with its calibration.
    point
        Operating point of the detector; None if the class set has no background.
    reason
        Why the operating point is the default, or misses its target; otherwise empty.
    """

    name: str
    members: tuple[tuple[Classifier, Calibration], ...]
    point: OperatingPoint | None
    reason: str = ""

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of normalization of the models."""
        return frozenset(classifier.normalization.kind for classifier, _ in self.members)

    @torch.inference_mode()
    def predict(self, inputs: Mapping[str, torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
        """Predict windows.

        Parameters
        ----------
        inputs
            Float32 input of at most `eegwf.training.inference.BATCH` windows, for each kind of normalization.

        Returns
        -------
        calibrated, raw
            Mean calibrated probabilities and mean softmax, `(n_windows, n_classes)`, with nine significant digits.

        Raises
        ------
        InputError
            If a probability is not finite, because of damaged weights or a damaged calibration.
        """
        softmax = [self._softmax(classifier, inputs[classifier.normalization.kind]) for classifier, _ in self.members]
        calibrated = [rounded(calibration.apply(p)) for p, (_, calibration) in zip(softmax, self.members, strict=True)]
        result = rounded(np.mean(calibrated, axis=0)), rounded(np.mean(softmax, axis=0))
        if not all(np.isfinite(p).all() for p in result):
            raise InputError(f"the {self.name} models give probabilities that are not finite; train them again")
        return result

    @staticmethod
    def _softmax(classifier: Classifier, x: torch.Tensor) -> np.ndarray:
        device = next(classifier.parameters()).device
        logits = batch_logits(classifier, x.to(device))
        return rounded(torch.softmax(logits.cpu().double(), dim=1).numpy())


def load_final_models(paths: FinalPaths, description: FinalDescription, device: str = "cpu") -> Ensemble:
    """Load the final models of a combination.

    Parameters
    ----------
    paths
        Their files.
    description
        Content of `models.json`.
    device
        Device of the classifiers.

    Returns
    -------
    Ensemble
        The models of the primary member.

    Raises
    ------
    InputError
        If a file is missing or does not fit the others.
    """
    numbers = list(range(1, len(description.models) + 1))
    if description.primary != ENSEMBLE:
        numbers = [int(description.primary.removeprefix("rank"))]
    folders = [paths.model(number) for number in numbers]
    point = description.operating_point
    members = _load(folders, list(description.classes), device)
    return Ensemble("final", members, point.point if point else None, point.reason if point else "")


def load_fold_models(run: RunPaths, fold: int, description: FinalDescription, device: str = "cpu") -> Ensemble:
    """Load the models of an outer fold, which were trained without the patients of this fold.

    Parameters
    ----------
    run
        Files of the combination.
    fold
        Number of the outer fold.
    description
        Content of `models.json` of the combination.
    device
        Device of the classifiers.

    Returns
    -------
    Ensemble
        The models of the primary member, with the operating point that was chosen on the validation folds.

    Raises
    ------
    InputError
        If a file is missing or does not fit the others.
    """
    if description.primary == ENSEMBLE:
        ranks = [entry["rank"] for entry in read_json(run.fold(fold).best)]
    else:
        ranks = [int(description.primary.removeprefix("rank"))]
    members = _load([run.fold(fold).rank(rank) for rank in ranks], list(description.classes), device)
    events = read_json(run.metrics)["events"]
    if description.operating_point is None or events is None:
        return Ensemble(f"fold{fold}", members, None)
    chosen = {entry["fold"]: entry for entry in events["operating_points"]}
    if fold not in chosen:
        return Ensemble(f"fold{fold}", members, OperatingPoint(), "no operating point was chosen in this fold")
    return Ensemble(f"fold{fold}", members, OperatingPoint.read(chosen[fold]), chosen[fold]["reason"])


def _load(folders: Sequence[ModelPaths], classes: list[str], device: str) -> tuple[tuple[Classifier, Calibration], ...]:
    members = []
    for paths in folders:
        if not paths.weights.is_file():
            raise InputError(f"{paths.weights}: no such file; the run is not complete, so run it again")
        try:
            classifier, described = load_classifier(paths.folder, device)
            calibration = read_calibration(paths.calibration, classes)
            calibration.apply(np.full((1, len(classes)), 1 / len(classes)))
        except (InputError, OSError):
            raise
        except Exception as error:  # A bundle comes from outside, and a wrong entry raises many kinds of errors.
            raise InputError(
                f"{paths.folder}: not a model of this version of eegwf ({error!r}); make it again"
            ) from None
        if described["classes"] != classes:
            raise InputError(
                f"{paths.model}: classes {', '.join(described['classes'])}, expected {', '.join(classes)} as in "
                "models.json; run `finalize` again"
            )
        members.append((classifier, calibration))
    return tuple(members)
