"""Notes on the validity of the scores: mode of tuning, permutation control, reproducibility, selection optimism."""

from dataclasses import dataclass

from eegwf.config.study import StudyDesign
from eegwf.report.data import ReportData
from eegwf.report.formats import count, defined, difference, difference_interval, score
from eegwf.report.optimism import Optimism, mean
from eegwf.report.selection import TESTED

OPTIMISTIC, PERMUTED = "optimistic", "permuted labels"
MEANINGS = {
    OPTIMISTIC: "the hyperparameters of all folds were chosen by an Optuna study that used the test patients of all "
    "folds except the first (tuning.mode: once)",
    PERMUTED: "permutation control with shuffled training and validation labels (permute_labels: true)",
}


@dataclass(frozen=True)
class Banner:
    """A warning above the main scores.

    Attributes
    ----------
    title
        Heading.
    text
        Explanation.
    """

    title: str
    text: str


def marks(study: StudyDesign) -> list[str]:
    """Names of the properties of a configuration because of which its scores are not a result; mostly empty."""
    return [OPTIMISTIC] * (study.tuning.mode == "once") + [PERMUTED] * study.permute_labels


def banners(run: ReportData, tuned: list[float | None]) -> list[Banner]:
    """List the warnings above the main scores.

    Parameters
    ----------
    run
        Content of the report.
    tuned
        Best validation value of tuning for each fold.

    Returns
    -------
    list of Banner
        The warnings; mostly empty.
    """
    result = []
    if run.permuted:
        result.append(Banner("Permutation control: shuffled labels", _control(run, mean(tuned))))
    if run.mode == "once":
        result.append(Banner("Optimistic bias: tuning used test patients", _optimistic(run)))
    return result


def _control(run: ReportData, tuned: float | None) -> str:
    chance = run.metrics["baselines"]["chance"]["balanced_accuracy"]
    text = (
        "These scores are not a result. The labels of the training and validation windows were shuffled "
        "(permute_labels: true); the labels of the test windows were not. Test scores must be at chance level "
        f"(balanced accuracy {score(chance)}); scores above it indicate leakage."
    )
    if tuned is not None and run.study.training.monitor == "balanced_accuracy":
        text += (
            f" The mean validation value of the best trials is {score(tuned)}; its difference from chance level is the "
            "optimism of tuning."
        )
    return text


def _optimistic(run: ReportData) -> str:
    folds = sorted(row["fold"] for row in run.metrics["per_fold"])
    value = next((row["balanced_accuracy"] for row in run.metrics["per_fold"] if row["fold"] == 1), None)
    others = f"folds 2 {'and' if folds[-1] == 3 else 'to'} {folds[-1]}"
    return (
        "The hyperparameters of all folds were chosen by the Optuna study of fold 1 (tuning.mode: once), which used "
        f"the test patients of {others} in training or validation. Only the test score of fold 1 is unbiased: balanced "
        f"accuracy {score(value)} ({run.primary}, fold 1). The pooled scores below include the biased folds."
    )


def control_verdict(run: ReportData) -> str:
    """Comparison of the balanced accuracy of a permutation control with chance level."""
    entry = run.headline["balanced_accuracy"]
    chance = run.metrics["baselines"]["chance"]["balanced_accuracy"]
    if not defined(entry["low"]) or not defined(entry["high"]):
        return "There is no confidence interval, so this control can't be compared with chance level."
    interval = "The confidence interval of the balanced accuracy"
    if entry["low"] > chance:
        return (
            f"{interval} is entirely above chance level ({score(chance)}) although the labels were shuffled: check the "
            "study for leakage."
        )
    if entry["high"] < chance:
        return (
            f"{interval} is entirely below chance level ({score(chance)}); with shuffled labels it is expected to "
            "include it."
        )
    return f"{interval} includes chance level ({score(chance)}), as expected with shuffled labels."


def reserved_sentence(run: ReportData) -> str:
    """Number of patients reserved for tuning; empty if there is none."""
    n = len(run.reserved)
    if not n:
        return ""
    was, are = ("was", "is") if n == 1 else ("were", "are")
    return f"{count(n, 'further patient')} {was} reserved for tuning and {are} in no outer fold."


def repeatability(run: ReportData) -> str:
    """Reason why another run would not give byte-identical results; empty if it would."""
    tuning = run.study.tuning
    causes = []
    if tuning.n_workers > 1:
        causes.append(f"{tuning.n_workers} workers shared the trials of each Optuna study")
    costs = [fold.tuning_cost for fold in run.outer if len(fold.tuning_cost)]
    if tuning.trials_per_gpu != 1 and any((cost["device"] != "cpu").any() for cost in costs):
        causes.append("several trials ran at once on a GPU")
    if tuning.timeout_minutes is not None:
        causes.append(f"tuning was limited in time ({tuning.timeout_minutes:g} minutes per Optuna study)")
    if not causes:
        return ""
    return (
        f"Tuning is not reproducible byte for byte: {' and '.join(causes)}, so another run may evaluate other trials "
        "and choose other hyperparameters. Retraining of the parameter sets on this page is reproducible on the CPU."
    )


def optimism_claim(run: ReportData, optimism: Optimism, level: str, compared: str) -> str:
    """Format the mean selection optimism with its interval.

    Parameters
    ----------
    run
        Content of the report.
    optimism
        Mean selection optimism.
    level
        Confidence level of its interval, as text.
    compared
        Name of the score.

    Returns
    -------
    str
        Value, score and interval; empty if the optimism is undefined.
    """
    if optimism.value is None:
        return ""
    value = f"{difference(optimism.value)} {compared}" + (" in fold 1" if run.mode == "once" else "")
    bounds = difference_interval(optimism.low, optimism.high)
    return f"{value} ({level} confidence interval {bounds})" if bounds else f"{value} (no interval: {optimism.reason})"


def why_no_optimism(run: ReportData) -> str:
    """Reason why the selection optimism is undefined, if it is."""
    monitor = run.study.training.monitor
    if monitor not in TESTED:
        return f"tuning optimized {monitor}, which is not computed on the test folds"
    if run.mode == "once":
        return "the test fold of fold 1 lacks a class, or there is no tuned value"
    return "there is no tuned value, or no test score of the same patients"
