"""Calibration of the probabilities of a retrained model: correction of the class prior, and a temperature.

The calibrated probabilities of a window are `softmax(log(p) / temperature + prior_shift)`, with p the softmax of the
network. With balanced classes in training, `log(p)` is, up to a constant, an estimate of the log likelihood of the
classes. The temperature scales this estimate, and the log prior is added unscaled: an uninformative network obtains a
high temperature, and then the probabilities are those of the prior. Scaling the sum of both would make them uniform.

References
----------
Saerens, Latinne and Decaestecker (2002), Adjusting the outputs of a classifier to new a priori probabilities,
Neural Computation 14. Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks, ICML.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eegwf.errors import InputError
from eegwf.storage.files import read_json

LOWEST, HIGHEST = (
    0.25,
    20.0,
)  # bounds of the temperature: windows of few patients may be separated perfectly, or not at all
TINY = np.finfo(float).tiny  # of probabilities in logarithms, because the softmax of a network may be 0


@dataclass(frozen=True)
class Calibration:
    """Calibration of a model.

    Attributes
    ----------
    prior_shift
        Addend of the logarithm of each class, `(n_classes,)`.
    temperature
        Divisor of the logarithms of the probabilities.
    note
        Why the temperature was not fitted, or is at a bound; otherwise empty.
    """

    prior_shift: tuple[float, ...]
    temperature: float
    note: str = ""

    def apply(self, p: np.ndarray) -> np.ndarray:
        """Calibrated probabilities `(n_windows, n_classes)` of the softmax `p` of the network."""
        logits = np.log(np.maximum(p, TINY)) / self.temperature + np.asarray(self.prior_shift)
        likelihood = np.exp(logits - logits.max(axis=1, keepdims=True))
        return likelihood / likelihood.sum(axis=1, keepdims=True)


def prior_shift(label: np.ndarray, n_classes: int, class_balance: str) -> np.ndarray:
    """Compute the difference between the log prior of the training windows and that of the training.

    Parameters
    ----------
    label
        Class index of each training window, `(n_windows,)`.
    n_classes
        Number of classes.
    class_balance
        Setting of training. All but `none` train with equal classes, by draws or by weights.

    Returns
    -------
    ndarray
        `log(proportion of the class in the training windows) - log(1 / n_classes)`; zeros for `none`.
    """
    if class_balance == "none":
        return np.zeros(n_classes)
    counts = np.maximum(np.bincount(label, minlength=n_classes), 1)
    return np.log(counts / counts.sum()) + np.log(n_classes)


def patient_log_loss(truth: np.ndarray, p: np.ndarray, patient: np.ndarray) -> float:
    """Compute the mean over patients of the mean log loss of their windows.

    Parameters
    ----------
    truth
        Class numbers, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`.
    patient
        Patient of each window, `(n_windows,)`.

    Returns
    -------
    float
        Log loss in nats, in which every patient has the same weight.
    """
    return float(-(patient_weights(patient) * np.log(np.maximum(p[np.arange(len(truth)), truth], TINY))).sum())


def patient_weights(patient: np.ndarray) -> np.ndarray:
    """Weights of windows that sum to 1, with the same sum for every patient."""
    _, group, counts = np.unique(patient.astype(str), return_inverse=True, return_counts=True)
    return 1 / (len(counts) * counts[group])


def fit_temperature(truth: np.ndarray, p: np.ndarray, patient: np.ndarray, shift: np.ndarray) -> tuple[float, str]:
    """Fit the temperature by minimizing the log loss, with the same weight for every patient.

    Windows of a patient are correlated, and the temperature is meant for other patients. Equal weights prevent that a
    patient with a long recording determines it.

    Parameters
    ----------
    truth
        Class numbers of the labeled validation windows, `(n_windows,)`.
    p
        Softmax of the network, `(n_windows, n_classes)`.
    patient
        Patient of each window, `(n_windows,)`.
    shift
        Correction of the prior, `(n_classes,)`.

    Returns
    -------
    temperature
        Value in `LOWEST` ... `HIGHEST`, with 9 significant digits; 1 if it can't be fitted.
    note
        Why the temperature is 1 or at a bound; otherwise empty.

    Notes
    -----
    The log loss is a convex function of the reciprocal of the temperature, so that a zero of its derivative is the
    minimum.
    """
    if len(set(patient)) < 2:
        return 1.0, "not fitted (fewer than 2 validation patients have labeled windows)"
    if len(set(truth.tolist())) < 2:
        return 1.0, "not fitted (the validation windows are of one class)"
    log_p = np.log(np.maximum(p, TINY))
    if np.ptp(log_p, axis=1).max() == 0:
        return 1.0, "not fitted (all classes have the same probability in every validation window)"
    weights, true = patient_weights(patient), log_p[np.arange(len(truth)), truth]

    def slope(log_temperature: float) -> float:
        """Derivative of the log loss by the reciprocal of the temperature."""
        q = Calibration(tuple(shift), float(np.exp(log_temperature))).apply(p)
        return float((weights * ((q * log_p).sum(axis=1) - true)).sum())

    low, high = float(np.log(LOWEST)), float(np.log(HIGHEST))
    if slope(low) <= 0:
        return LOWEST, "at its lower bound (more certain probabilities would fit the validation windows better)"
    if slope(high) >= 0:
        return HIGHEST, "at its upper bound (less certain probabilities would fit the validation windows better)"
    from scipy.optimize import brentq  # takes a fifth of a second

    return float(f"{np.exp(brentq(slope, low, high, xtol=1e-12)):.9g}"), ""


def fit_calibration(
    truth: np.ndarray,
    p: np.ndarray,
    patient: np.ndarray,
    training_label: np.ndarray,
    class_balance: str,
    classes: tuple[str, ...] | list[str],
) -> dict[str, Any]:
    """Fit the calibration of a retrained model.

    Parameters
    ----------
    truth
        Class numbers of the validation windows, `(n_windows,)`; those of -1 (borderline) are ignored.
    p
        Softmax of the network, as written to `validation.tsv`, `(n_windows, n_classes)`.
    patient
        Patient of each validation window, `(n_windows,)`.
    training_label
        Class number of each training window.
    class_balance
        Setting of training.
    classes
        Names of the classes.

    Returns
    -------
    dict
        Content of `calibration.json`: `classes`, `prior_shift`, `temperature`, `note`, `n_windows` and `n_patients` of
        the fit, and the log loss with equal weights of the patients: `log_loss_before` (of p), `log_loss_prior` (with
        the prior corrected) and `log_loss_after`; None without labeled windows.
    """
    labeled = truth >= 0
    truth, p, patient = truth[labeled], p[labeled].reshape(-1, len(classes)), patient[labeled]
    shift = np.array([float(f"{value:.9g}") for value in prior_shift(training_label, len(classes), class_balance)])
    temperature, note = fit_temperature(truth, p, patient, shift)
    stages = {
        "log_loss_before": p,
        "log_loss_prior": Calibration(tuple(shift), 1.0).apply(p) if len(p) else p,
        "log_loss_after": Calibration(tuple(shift), temperature).apply(p) if len(p) else p,
    }
    return {
        "classes": list(classes),
        "prior_shift": shift.tolist(),
        "temperature": temperature,
        "note": note,
        "n_windows": len(truth),
        "n_patients": len(set(patient)),
        **{name: patient_log_loss(truth, q, patient) if len(p) else None for name, q in stages.items()},
    }


def read_calibration(path: Path, classes: list[str] | None = None) -> Calibration:
    """Read `calibration.json`.

    Parameters
    ----------
    path
        The file.
    classes
        Expected names of the classes; None for any.

    Returns
    -------
    Calibration
        The calibration of the model in the same folder.

    Raises
    ------
    InputError
        If there is no file, or it is of another class set.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; an earlier version of eegwf made these predictions: retrain")
    content = read_json(path)
    if classes is not None and content["classes"] != classes:
        raise InputError(
            f"{path}: classes {', '.join(content['classes'])}, expected {', '.join(classes)}; if the class set has "
            "changed, retrain"
        )
    return Calibration(tuple(content["prior_shift"]), content["temperature"], content["note"])
