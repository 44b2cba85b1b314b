"""Content of `metrics.json`: scores of all members with confidence intervals, baselines and warnings."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from eegwf.config.evaluation import Evaluation
from eegwf.evaluation.baselines import baselines, sanity_warnings
from eegwf.evaluation.bootstrap import replicate_scores
from eegwf.evaluation.intervals import MIN_PATIENTS, jackknife_interval, patient_resamples, score_interval
from eegwf.evaluation.permutation import permutation_p_value
from eegwf.evaluation.scores import CLASS_SCORES, SCORES, SIGNED, class_scores, confusion, number, scores
from eegwf.seeds import seed_of

# Scores that average over the classes, each of which needs patients for an interval.
AVERAGED = ("balanced_accuracy", "macro_f1", "auroc", "auprc")
OF_FOLDS = ("auroc", "auprc")
Entry = dict[str, float | int | None]


@dataclass(frozen=True)
class Member:
    """Labeled windows of a member.

    Attributes
    ----------
    truth, predicted
        Class numbers, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`.
    patient, fold
        Patient and fold of each window, `(n_windows,)`; the same for all members.
    """

    truth: np.ndarray
    predicted: np.ndarray
    p: np.ndarray
    patient: np.ndarray
    fold: np.ndarray

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """True classes, predicted classes and probabilities of a selection of windows."""
        return self.truth[rows], self.predicted[rows], self.p[rows]


@dataclass(frozen=True)
class Patients:
    """Patients of the labeled windows, the same for all members.

    Attributes
    ----------
    number
        Patient number of each window, `(n_windows,)`.
    n
        Number of patients.
    of_class, of_rest
        Number of patients who have windows of each class, and of any other class, `(n_classes,)`.
    with_seizures
        Number of patients who have windows of any class but the first.
    """

    number: np.ndarray
    n: int
    of_class: np.ndarray
    of_rest: np.ndarray
    with_seizures: int

    @classmethod
    def of(cls, member: Member, n_classes: int) -> "Patients":
        """Count the patients of each class.

        Parameters
        ----------
        member
            Labeled windows of any member.
        n_classes
            Number of classes.

        Returns
        -------
        Patients
            The counts.
        """
        names, number = np.unique(member.patient, return_inverse=True)
        windows = np.zeros((len(names), n_classes), dtype=int)
        np.add.at(windows, (number, member.truth), 1)
        rest = windows.sum(axis=1, keepdims=True) - windows
        return cls(number, len(names), (windows > 0).sum(0), (rest > 0).sum(0), int((rest[:, 0] > 0).sum()))

    def behind(self, score: str) -> list[int]:
        """Numbers of patients that an overall score depends on: those of the classes it averages, or all."""
        if score in AVERAGED:
            return [int(count) for count in self.of_class if count]
        if score in ("sensitivity_at_specificity", "detection_auroc"):
            return [int(self.of_class[0]), self.with_seizures]
        return [self.n]

    def behind_class(self, score: str, number: int) -> list[int]:
        """Count the patients that the score of a class depends on.

        Parameters
        ----------
        score
            Name of the score.
        number
            Number of the class.

        Returns
        -------
        list of int
            Patients with windows of the class, and, unless the score is its recall, with windows of other classes.
        """
        own, rest = int(self.of_class[number]), int(self.of_rest[number])
        return [own] if score == "recall" else [own, rest]


def compute_metrics(members: dict[str, Member], classes: list[str], settings: Evaluation, seed: int) -> dict[str, Any]:
    """Compute the content of `metrics.json`.

    Parameters
    ----------
    members
        Labeled windows of each member, at least one.
    classes
        Names of the classes, the background first.
    settings
        Section `evaluation` of the configuration.
    seed
        Seed of the bootstrap and of the permutation test.

    Returns
    -------
    dict
        Scores of members, folds, patients and baselines as in `docs/outputs.md`; None where undefined.
    """
    primary = members[settings.primary]
    patients = Patients.of(primary, len(classes))
    resamples = patient_resamples(patients.n, settings, seed)
    values = {
        name: scores(member.truth, member.predicted, member.p, settings.specificity) for name, member in members.items()
    }
    confusions = {name: confusion(member.truth, member.predicted, len(classes)) for name, member in members.items()}
    return {
        "primary": settings.primary,
        "classes": classes,
        "n_windows": len(primary.truth),
        "n_patients": patients.n,
        "interval": {
            "method": settings.interval,
            "confidence": settings.confidence,
            "min_patients": MIN_PATIENTS,
        },
        "bootstrap": {"replicates": settings.n_bootstrap, "confidence": settings.confidence, "seed": seed},
        "specificity": settings.specificity,
        "members": {
            name: _member_scores(member, values[name], patients, resamples, classes, settings)
            for name, member in members.items()
        },
        "permutation": _permutation(primary, patients, len(classes), settings, seed),
        "confusion": {name: matrix.tolist() for name, matrix in confusions.items()},
        "per_fold": [_fold_scores(primary, fold, settings.specificity) for fold in np.unique(primary.fold)],
        "baselines": baselines(primary.truth, primary.fold, len(classes)),
        "sanity_warnings": sanity_warnings(values, confusions, primary.truth, primary.fold, classes),
    }


def _member_scores(
    member: Member,
    values: dict[str, float | None],
    patients: Patients,
    resamples: dict[str, np.ndarray],
    classes: list[str],
    settings: Evaluation,
) -> dict[str, Any]:
    """Scores of a member with their intervals and the number of resamples in which a score is undefined."""
    weighted = (member.truth, member.predicted, member.p, patients.number)
    resampled = {
        kind: replicate_scores(*weighted, draws, specificity=settings.specificity) for kind, draws in resamples.items()
    }

    def entry(name: str, value: float | None, n_patients: list[int], number_of: int | None = None) -> Entry:
        columns = {
            kind: found[name] if number_of is None else found[f"class_{name}"][:, number_of]
            for kind, found in resampled.items()
        }
        bounds = (-1.0, 1.0) if name in SIGNED else (0.0, 1.0)
        return {"value": value, **score_interval(value, columns, n_patients, settings, bounds)._asdict()}

    of_classes = class_scores(member.truth, member.predicted, member.p)
    result: dict[str, Any] = {name: entry(name, values[name], patients.behind(name)) for name in SCORES}
    result["per_class"] = {
        label: {
            "n_windows": int((member.truth == number_of).sum()),
            "n_patients": int(patients.of_class[number_of]),
            **{
                name: entry(name, of_classes[name][number_of], patients.behind_class(name, number_of), number_of)
                for name in CLASS_SCORES
            },
        }
        for number_of, label in enumerate(classes)
    }
    result["mean_of_folds"] = _mean_of_folds(member, patients)
    result["mean_of_patients"] = _mean_of_patients(member, patients, settings.confidence)
    return result


def _mean_of_folds(member: Member, patients: Patients) -> dict[str, Entry]:
    """Mean over the outer folds in which a score is defined, each fold with the ranking of its own models."""
    folds, fold = np.unique(member.fold, return_inverse=True)
    draws = np.zeros((len(folds), patients.n))
    draws[fold, patients.number] = 1  # all windows of a patient are in one fold
    found = replicate_scores(member.truth, member.predicted, member.p, patients.number, draws)
    return {name: {"value": _mean(found[name]), "n_folds": int((~np.isnan(found[name])).sum())} for name in OF_FOLDS}


def _mean_of_patients(member: Member, patients: Patients, confidence: float) -> dict[str, Entry]:
    """Mean over the patients for whom a score is defined, with the jackknife interval of Student's t."""
    alone = np.eye(patients.n)
    found = replicate_scores(member.truth, member.predicted, member.p, patients.number, alone)
    recall, has = found["class_recall"], ~np.isnan(found["class_recall"])
    of_patients = {
        "balanced_accuracy": np.where(has, recall, 0).sum(axis=1) / has.sum(axis=1),  # over the classes of the patient
        "accuracy": found["accuracy"],
        "detection_auroc": found["detection_auroc"],
    }
    result: dict[str, Entry] = {}
    for name, values in of_patients.items():
        defined = values[~np.isnan(values)]
        n, mean = len(defined), _mean(defined)
        left_out = (defined.sum() - defined) / (n - 1) if n > 1 else np.full(n, np.nan)
        low, high, _ = jackknife_interval(mean, left_out, [n], confidence)
        result[name] = {"value": mean, "low": low, "high": high, "n_patients": n}
    return result


def _mean(values: np.ndarray) -> float | None:
    defined = values[~np.isnan(values)]
    return number(defined.mean()) if len(defined) else None


def _permutation(
    member: Member, patients: Patients, n_classes: int, settings: Evaluation, seed: int
) -> dict[str, float | int | str | None]:
    p_value = permutation_p_value(
        member.truth,
        member.predicted,
        patients.number,
        member.fold,
        n_classes,
        settings.n_permutations,
        seed_of(seed, "permutation"),
    )
    return {"score": "balanced_accuracy", "p_value": p_value, "n_permutations": settings.n_permutations}


def _fold_scores(member: Member, fold: int, specificity: float) -> dict[str, Any]:
    rows = member.fold == fold
    return {
        "fold": int(fold),
        "n_windows": int(rows.sum()),
        "n_patients": len(np.unique(member.patient[rows])),
        **scores(*member.take(rows), specificity),
    }
