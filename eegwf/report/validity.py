"""What the way of tuning, or a control, does to the claim: said where nobody can miss it."""

from dataclasses import dataclass
from typing import Any

from eegwf.report.data import Run
from eegwf.report.formats import count, defined, difference, difference_interval, score
from eegwf.report.selection import Optimism, mean

OPTIMISTIC, PERMUTED = "optimistic", "permuted labels"
MEANINGS = {
    OPTIMISTIC: "parameters of all folds were chosen by a study that has seen the test patients of all folds but the "
    "first (tuning.mode: once)",
    PERMUTED: "a control with shuffled training and validation labels (permute_labels: true)",
}


@dataclass(frozen=True)
class Banner:
    """A warning of the first screen."""

    title: str
    text: str


def marks(config: dict[str, Any]) -> list[str]:
    """What keeps a run with this configuration from being quoted as a result; none for an honest one."""
    found = [OPTIMISTIC] if config["tuning"].get("mode") == "once" else []
    return found + ([PERMUTED] if config.get("permute_labels") else [])


def banners(run: Run, tuned: list[float | None]) -> list[Banner]:
    """The first screen's warnings; `tuned` are the best validation values of the folds' studies."""
    found = []
    if run.permuted:
        found.append(Banner("A control, not a result: shuffled labels", _control(run, mean(tuned))))
    if run.mode == "once":
        found.append(Banner("These scores are too good: tuning has seen most test patients", _optimistic(run)))
    return found


def _control(run: Run, tuned: float | None) -> str:
    chance = run.metrics["floors"]["chance"]["balanced_accuracy"]
    told = (
        "The labels of the training and validation windows were shuffled (permute_labels: true); those of the test "
        f"windows were not. Test scores must be at chance (balanced accuracy {score(chance)}): if they are not, "
        "something leaks."
    )
    if tuned is not None and run.config["training"]["monitor"] == "balanced_accuracy":
        told += f" Tuning still found a validation value of {score(tuned)}: what is above chance is its optimism."
    return told


def _optimistic(run: Run) -> str:
    folds = sorted(row["fold"] for row in run.metrics["per_fold"])
    value = next((row["balanced_accuracy"] for row in run.metrics["per_fold"] if row["fold"] == 1), None)
    others = f"folds 2 {'and' if folds[-1] == 3 else 'to'} {folds[-1]}"
    return (
        f"The parameters of all folds were chosen by fold 1's study (tuning.mode: once), which has seen the test "
        f"patients of {others} in training or validation. Only fold 1's test score is honest: balanced accuracy "
        f"{score(value)} ({run.primary}, fold 1). The pooled scores below mix it with the others."
    )


def control_verdict(run: Run) -> str:
    """Whether a control's headline is at chance, as it must be."""
    entry = run.headline["balanced_accuracy"]
    chance = run.metrics["floors"]["chance"]["balanced_accuracy"]
    if not defined(entry["low"]) or not defined(entry["high"]):
        return "Without an interval it can't be told whether this control is at chance."
    if entry["low"] > chance:
        return (
            f"The whole interval lies above chance ({score(chance)}), although labels were shuffled: look for a leak."
        )
    if entry["high"] < chance:
        return f"The whole interval lies below chance ({score(chance)}), where shuffled labels should have put it."
    return f"The interval holds chance ({score(chance)}), as that of a control with shuffled labels must."


def reserved_sentence(run: Run) -> str:
    """How many patients tuned and were never tested; empty if none."""
    n = len(run.reserved)
    if not n:
        return ""
    was, are = ("was", "is") if n == 1 else ("were", "are")
    return f"{count(n, 'more patient')} {was} reserved for tuning and {are} in no fold."


def repeatability(run: Run) -> str:
    """Why another run would not give the same bytes; empty if it would."""
    tuning = run.config["tuning"]
    causes = []
    if tuning.get("workers", 1) > 1:
        causes.append(f"{tuning['workers']} workers shared the trials of each study")
    if tuning.get("minutes") is not None:
        causes.append(f"tuning had a budget in minutes ({tuning['minutes']:g} of each study)")
    if not causes:
        return ""
    return (
        f"Not repeatable to the byte: {' and '.join(causes)}, so that another run may draw other trials and choose "
        "other parameters. Retraining the parameters shown here is repeatable on the CPU."
    )


def optimism_claim(run: Run, optimism: Optimism, level: str, compared: str) -> str:
    """The mean optimism, its interval, and which folds it is of; empty if it is undefined."""
    if optimism.value is None:
        return ""
    told = f"{difference(optimism.value)} {compared}" + (" in fold 1" if run.mode == "once" else "")
    bounds = difference_interval(optimism.low, optimism.high)
    return f"{told} ({level} interval {bounds})" if bounds else f"{told} (no interval: one fold has no spread)"
