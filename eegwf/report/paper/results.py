"""Sentences on the results, with confidence intervals."""

from collections.abc import Mapping
from typing import Any

from eegwf.report import events
from eegwf.report.data import ReportData
from eegwf.report.formats import count, defined, listing, score
from eegwf.report.interval_notes import permutation_sentence
from eegwf.report.tables import level
from eegwf.report.validity import marks

SCORES = {"balanced_accuracy": "a balanced accuracy", "auroc": "an AUROC", "macro_f1": "a macro F1"}


def results(run: ReportData) -> str:
    """Scores of the primary member with intervals, the baseline, recalls, the permutation test and events."""
    scores = listing([f"{name} of {_with_interval(run, run.headline[key])}" for key, name in SCORES.items()])
    chance = run.metrics["baselines"]["chance"]["balanced_accuracy"]
    per_class = run.headline["per_class"]
    recalls = listing([f"{_with_interval(run, found['recall'])} for {label}" for label, found in per_class.items()])
    parts = (
        _warning(run),
        f"On {count(run.metrics['n_windows'], 'window')} of {count(run.metrics['n_patients'], 'patient')}, none of "
        f"whom was used to train the model that was tested on them, the {_member(run)} had {scores}; the balanced "
        f"accuracy of chance is {score(chance)}. The recall was {recalls}.",
        permutation_sentence(run),
        events.headline(run),
    )
    return " ".join(filter(None, parts))


def _member(run: ReportData) -> str:
    return run.primary if run.primary == "ensemble" else f"member {run.primary}"


def _with_interval(run: ReportData, entry: Mapping[str, Any]) -> str:
    if not defined(entry["value"]):
        return "undefined"
    if not defined(entry["low"]) or not defined(entry["high"]):
        return f"{score(entry['value'])} (no confidence interval)"
    return f"{score(entry['value'])} ({level(run)} CI {score(entry['low'])} to {score(entry['high'])})"


def _warning(run: ReportData) -> str:
    """Reasons why the scores are no result."""
    found = marks(run.study)
    return f"[Not a result: {listing(found)}.]" if found else ""
