"""Section of the summary on the score that a split by window would have claimed."""

from dataclasses import dataclass
from typing import Any

from eegwf.report.formats import count, defined, difference, listing, number, score, share, with_interval
from eegwf.report.tables import Cell, Table

SPLITS = {"by_patient": "split by patient", "by_window": "split by window, not a result"}
SHARED = {
    "patient": "of a patient in training",
    "samples": "with samples in training",
    "adjacent": "next to a training window",
}
NEVER = (
    "The score of a split by window must never be reported as a result: it says nothing about patients who are not in "
    "the training data. All models of this study were split by patient."
)
ELSEWHERE = (
    "This does not make a split by window valid: its score is still not that of other patients, and a model with more "
    "weights may recognize patients whom logistic regression on band power does not."
)


@dataclass(frozen=True)
class SplitSection:
    """Section of a class set.

    Attributes
    ----------
    text
        What was compared, what was found, and what it means.
    table
        Both scores; None if they could not be computed.
    """

    text: str
    table: Table | None


def split_section(found: dict[str, Any]) -> SplitSection:
    """Describe the scores with folds by patient and by window.

    Parameters
    ----------
    found
        Content of `split_by_window_<classes>.json`.

    Returns
    -------
    SplitSection
        The text states what was found, also if the split by window did not raise the score.
    """
    if found["reason"]:
        return SplitSection(f"The comparison could not be computed: {found['reason']}. {NEVER}", None)
    parts = [_compared(found), _finding(found), NEVER]
    return SplitSection(" ".join(parts), _table(found))


def _compared(found: dict[str, Any]) -> str:
    n_folds, n_study_folds = found["n_folds"], found["n_study_folds"]
    joined = f", joined to {n_folds}" if n_study_folds > n_folds else ""
    text = (
        f"The model is {found['model']} on {listing(found['arrays'])}, with its default parameters and without tuning. "
        f"It was cross-validated with {count(n_folds, 'fold')} twice, on the same "
        f"{count(found['n_windows'], 'window')} of {count(found['n_patients'], 'patient')}: with the folds of this "
        f"study, by patient{joined}, and with windows "
        "that are assigned to folds at random."
    )
    if found["permuted"]:
        text += " The labels of the training windows were shuffled, so that no split can give more than chance."
    return text


def _finding(found: dict[str, Any]) -> str:
    by_patient = found["by_patient"]["balanced_accuracy"]
    by_window = found["by_window"]["balanced_accuracy"]["value"]
    if not defined(by_patient["value"]) or not defined(by_window):
        return ""
    change = by_window - by_patient["value"]
    values = f"{score(by_window)} instead of {score(by_patient['value'])} ({difference(change)})"
    if found["permuted"]:
        return f"With the split by window, the balanced accuracy is {values}."
    if change <= 0:
        return f"The split by window did not raise the balanced accuracy: it is {values}. {ELSEWHERE}"
    if defined(by_patient["high"]) and by_window <= by_patient["high"]:
        return (
            f"With the split by window, the balanced accuracy is {values}, which is within the confidence interval of "
            "the split by patient. So few patients can't distinguish such a leak from the variation between patients; "
            "this is no evidence that there is none."
        )
    return (
        f"With the split by window, the balanced accuracy is {values}. The model and the windows are the same. "
        "The difference arises because windows of one patient are in training and test, so that the model is tested on "
        "patients whom it was trained on."
    )


def _table(found: dict[str, Any]) -> Table:
    rows: list[list[Cell]] = []
    for name, title in SPLITS.items():
        entry = found[name]
        scores: list[Cell] = [
            with_interval(entry[kind]) if "low" in entry[kind] else score(entry[kind]["value"])
            for kind in ("balanced_accuracy", "auroc")
        ]
        shared = [share(entry["shared"][kind]) if defined(entry["shared"][kind]) else "unknown" for kind in SHARED]
        rows.append([title, *scores, *shared])
    level = number(round(100 * found["interval"]["confidence"], 6))
    note = (
        f"{level} % confidence intervals from the jackknife over patients. The split by window has none, since an "
        "interval over patients would describe the score of other patients, which this score is not. The last columns "
        "are fractions of the test windows: those with windows of the same patient in training; those that overlap "
        "with a training window; and those that overlap with one or have a common edge with it."
    )
    columns = ["cross-validation", "balanced accuracy", "AUROC", *SHARED.values()]
    return Table("Scores with folds by patient and by window", columns, rows, note)
