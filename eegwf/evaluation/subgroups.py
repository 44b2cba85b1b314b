"""Scores of the primary member in groups of patients, by columns of `participants.tsv`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from eegwf.config.evaluation import Evaluation
from eegwf.data.participants import MIN_GROUP, UNKNOWN, Grouping
from eegwf.evaluation.bootstrap import replicate_scores
from eegwf.evaluation.intervals import patient_resamples, score_interval
from eegwf.evaluation.metrics import AVERAGED, Member, Patients
from eegwf.evaluation.scores import number

GROUP_SCORES = ("balanced_accuracy", "auroc", "detection_auroc")
Entry = dict[str, float | int | str | None]


def subgroup_scores(
    member: Member, groupings: Mapping[str, Grouping], classes: list[str], settings: Evaluation, seed: int
) -> dict[str, list[dict[str, Any]]]:
    """Score the groups of each column.

    Parameters
    ----------
    member
        Labeled windows of the primary member.
    groupings
        Groups of the patients by column.
    classes
        Names of the classes, the background first.
    settings
        Section `evaluation` of the configuration.
    seed
        Seed of the bootstrap.

    Returns
    -------
    dict
        For each column its groups, which together contain every patient with labeled windows once: `group`,
        `n_patients`, `n_windows`, each name in `GROUP_SCORES`, and `per_class` with `n_patients`, `n_windows` and
        `recall`. A score has `value`, `low`, `high`, `undefined` (number of resamples without a value) and `reason`,
        why there is no value; there is none below five patients of a class that it depends on.
    """
    result: dict[str, list[dict[str, Any]]] = {}
    for column, grouping in groupings.items():
        group_of = np.array([grouping.of(patient) for patient in member.patient], dtype=object)
        # Also groups without tested patients: what the table has and the evaluation lacks is part of the result.
        names = dict.fromkeys([*grouping.names, *[UNKNOWN] * (UNKNOWN in group_of)])
        result[column] = [
            {"group": name, **group_scores(_windows(member, group_of == name), classes, settings, seed)}
            for name in names
        ]
    return result


def group_scores(member: Member, classes: list[str], settings: Evaluation, seed: int) -> dict[str, Any]:
    """Score one group of patients.

    Parameters
    ----------
    member
        Labeled windows of the group.
    classes, settings, seed
        As in `subgroup_scores`.

    Returns
    -------
    dict
        A group of `subgroup_scores`, without its name.
    """
    patients = Patients.of(member, len(classes))
    found: dict[str, dict[str, np.ndarray]] = {}
    if patients.n >= MIN_GROUP:
        # Every patient once: the scores of the group itself, by the definitions of its resamples.
        draws = {"group": np.ones((1, patients.n)), **patient_resamples(patients.n, settings, seed)}
        arrays = (member.truth, member.predicted, member.p, patients.number)
        found = {kind: replicate_scores(*arrays, weights) for kind, weights in draws.items()}

    def entry(name: str, n_patients: list[int], reason: str, class_number: int | None = None) -> Entry:
        if reason:
            return no_score(reason)
        columns = {
            kind: scores[name] if class_number is None else scores[f"class_{name}"][:, class_number]
            for kind, scores in found.items()
        }
        return scored(number(columns.pop("group")[0]), columns, n_patients, settings)

    result: dict[str, Any] = {"n_patients": patients.n, "n_windows": len(member.truth)}
    few = few_patients_reason(patients.n)
    for name in GROUP_SCORES:
        result[name] = entry(name, patients.behind(name), few or _too_few(name, patients, classes))
    result["per_class"] = {
        label: {
            "n_patients": int(patients.of_class[c]),
            "n_windows": int((member.truth == c).sum()),
            "recall": entry("recall", [int(patients.of_class[c])], few or _too_few_of([c], patients, classes), c),
        }
        for c, label in enumerate(classes)
    }
    return result


def _windows(member: Member, rows: np.ndarray) -> Member:
    return Member(*member.take(rows), member.patient[rows], member.fold[rows])


def _too_few(score: str, patients: Patients, classes: list[str]) -> str:
    """Why an overall score is not computed; empty if it is."""
    if score in AVERAGED:
        # The balanced accuracy averages over the classes of the group, the AUROC over all.
        numbers = [c for c in range(len(classes)) if patients.of_class[c] or score != "balanced_accuracy"]
        return _too_few_of(numbers, patients, classes)
    if patients.with_seizures < MIN_GROUP:
        return few_patients_reason(patients.with_seizures, f"windows of any class but {classes[0]}")
    return _too_few_of([0], patients, classes)


def _too_few_of(numbers: list[int], patients: Patients, classes: list[str]) -> str:
    fewest = min(numbers, key=lambda c: patients.of_class[c])
    return few_patients_reason(int(patients.of_class[fewest]), f"windows of {classes[fewest]}")


def few_patients_reason(n_patients: int, thing: str = "") -> str:
    """Why patients are too few for a score.

    Parameters
    ----------
    n_patients
        Their number.
    thing
        What they have; empty for all patients.

    Returns
    -------
    str
        Such as `2 patients with windows of focal`; empty if there are at least five.
    """
    if n_patients >= MIN_GROUP:
        return ""
    return f"{n_patients} patient{'' if n_patients == 1 else 's'}" + (f" with {thing}" if thing else "")


def no_score(reason: str) -> Entry:
    """A score that is not computed, and why."""
    return {"value": None, "low": None, "high": None, "undefined": 0, "reason": reason}


def scored(
    value: float | None, resampled: Mapping[str, np.ndarray], n_patients: list[int], settings: Evaluation
) -> Entry:
    """A score with its interval.

    Parameters
    ----------
    value
        The score; None if it is undefined.
    resampled, n_patients, settings
        As in `eegwf.evaluation.intervals.score_interval`.

    Returns
    -------
    dict
        `value`, `low`, `high`, `undefined` and `reason`.
    """
    reason = None if value is not None else "undefined"
    return {"value": value, **score_interval(value, resampled, n_patients, settings)._asdict(), "reason": reason}
