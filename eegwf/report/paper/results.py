"""Sentences on the results, with confidence intervals."""

from collections.abc import Mapping
from typing import Any

from eegwf.report import events
from eegwf.report.data import ReportData
from eegwf.report.formats import count, defined, listing, score
from eegwf.report.interval_notes import permutation_sentence
from eegwf.report.tables import level
from eegwf.report.validity import marks

SCORES = {"balanced_accuracy": "balanced accuracy", "auroc": "AUROC", "macro_f1": "macro F1"}


def results(run: ReportData) -> str:
    """Scores of the primary member with intervals, the baseline, recalls, the permutation test and events."""
    scores = listing([f"{name} {_with_interval(run, run.headline[key])}" for key, name in SCORES.items()])
    chance = run.metrics["baselines"]["chance"]["balanced_accuracy"]
    recalls = listing(
        [f"{label} {_with_interval(run, found['recall'])}" for label, found in run.headline["per_class"].items()]
    )
    parts = (
        _warning(run),
        f"On {count(run.metrics['n_windows'], 'window')} of {count(run.metrics['n_patients'], 'patient')}, none of whom "
        f"was used to train the model that was tested on them, the {_member(run)} had a {scores}; the balanced accuracy "
        f"of chance is {score(chance)}. The recall was {recalls}.",
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
