"""Text on confidence intervals: how they were computed, why one is missing, and classes with few patients."""

from collections.abc import Mapping
from typing import Any

from eegwf.evaluation.intervals import FEW_PATIENTS, MIN_PATIENTS
from eegwf.evaluation.metrics import AVERAGED
from eegwf.report.data import ReportData
from eegwf.report.formats import count, defined, listing

TITLES = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "f1": "F1",
    "macro_f1": "macro F1",
    "mcc": "MCC",
    "cohen_kappa": "Cohen's kappa",
}


def interval_method(run: ReportData) -> str:
    """How the confidence intervals were computed, to follow the word "intervals"."""
    method = run.metrics["interval"]["method"]
    if method == "jackknife":
        return "by Student's t on the logit scale with the standard error of the patient jackknife"
    kind = {"percentile": "percentiles", "bca": "bias-corrected and accelerated percentiles"}[method]
    return f"by {kind} of {run.metrics['bootstrap']['replicates']:,d} bootstrap replicates over the patients"


def interval_provenance(run: ReportData) -> str:
    """Method of the intervals, and the seed if they are random."""
    text = interval_method(run).removeprefix("by ")
    random = run.metrics["interval"]["method"] != "jackknife"
    return text + (f", seed {run.metrics['bootstrap']['seed']}" if random else "")


def few_patients(run: ReportData) -> list[str]:
    """List the classes with few patients.

    Parameters
    ----------
    run
        Content of the report.

    Returns
    -------
    list of str
        A sentence for each class that has windows of fewer than five patients; below three there is no interval.
    """
    sentences = []
    for label, scores in run.headline["per_class"].items():
        n = scores["n_patients"]
        if not 0 < n < FEW_PATIENTS:
            continue
        only = f"Only {count(n, 'patient')} {'has' if n == 1 else 'have'} windows of {label}"
        if n < MIN_PATIENTS:
            sentences.append(
                f"{only}: the scores of this class, and those that average over the classes, have no confidence "
                f"interval, which needs at least {MIN_PATIENTS} patients of each class."
            )
        else:
            sentences.append(
                f"{only}: the scores that depend on this class, and their confidence intervals, are uncertain, because "
                f"the variation between so few patients can hardly be estimated."
            )
    return sentences


def why_no_interval(run: ReportData, key: str, entry: Mapping[str, Any]) -> str:
    """Reason why a defined score has no interval.

    Parameters
    ----------
    run
        Content of the report.
    key
        Name of the score.
    entry
        The score.

    Returns
    -------
    str
        The reason, starting with "no interval".
    """
    n = run.metrics["n_patients"]
    if n < MIN_PATIENTS:
        return "no interval: only one patient" if n == 1 else f"no interval: only {n} patients"
    counts = {label: scores["n_patients"] for label, scores in run.headline["per_class"].items()}
    few = [label for label, of_class in counts.items() if 0 < of_class < MIN_PATIENTS]
    if key in AVERAGED and few:
        return f"no interval: only {count(counts[few[0]], 'patient')} with {few[0]}"
    if run.metrics["interval"]["method"] == "jackknife" and not entry["undefined"]:
        return "no interval: the score does not vary between patients"
    return "no interval"


def undefined_note(run: ReportData, why: str) -> str:
    """Note on undefined scores, and on resamples in which a score of the primary member is undefined.

    Parameters
    ----------
    run
        Content of the report.
    why
        Reason why an overall score may be undefined.

    Returns
    -------
    str
        The note; empty if all scores are defined in all resamples.
    """
    undefined: dict[str, int] = {}
    missing = False
    for name, member in run.metrics["members"].items():
        for label, scores in [("", member), *member["per_class"].items()]:
            for key, entry in scores.items():
                if not isinstance(entry, dict) or "undefined" not in entry:
                    continue
                missing |= not defined(entry["value"])
                if entry["undefined"] > 0 and name == run.primary and defined(entry["value"]):
                    title = TITLES.get(key, key.replace("_", " "))
                    undefined[f"{title} of {label}" if label else title] = entry["undefined"]
    sentences = []
    if missing:
        sentences.append(
            f"Undefined scores: {why}, or the class was never predicted (precision) or has no window (recall)."
        )
    if undefined:
        names = f"{listing(sorted(undefined)[:4])}{' and others' if len(undefined) > 4 else ''}"
        most = max(undefined.values())
        if run.metrics["interval"]["method"] == "jackknife":
            sentences.append(
                f"Without one of the patients, some scores of {run.primary} are undefined and therefore have no "
                f"interval: {names}."
            )
        else:
            sentences.append(
                f"The intervals of {run.primary} omit bootstrap replicates in which the score is undefined because no "
                f"patient with the class was drawn: up to {most} of {run.metrics['bootstrap']['replicates']}, for "
                f"{names}."
            )
    return " ".join(sentences)


def permutation_sentence(run: ReportData) -> str:
    """Result of the permutation test; empty if there was none."""
    test = run.metrics["permutation"]
    if not defined(test["p_value"]):
        return ""
    value = "p < 0.001" if test["p_value"] < 0.001 else f"p = {test['p_value']:.3f}"
    return (
        f"Permutation test by patient, with the null hypothesis that the predictions carry no information on the "
        f"labels: {value} (balanced accuracy, {test['n_permutations']:,d} permutations)."
    )
