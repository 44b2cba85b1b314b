"""Paragraph on methods: tuning, training, calibration, detection, statistics and software."""

from typing import Any

from eegwf.models.registry import entry_of
from eegwf.report.data import ReportData
from eegwf.report.events import target
from eegwf.report.formats import capitalized, count, listing, number
from eegwf.report.interval_notes import interval_method
from eegwf.report.optuna_studies import search_space, studies
from eegwf.report.tables import level

SAMPLERS = {"tpe": "tree-structured Parzen estimator", "gp": "Gaussian process", "random": "random search"}
PRUNERS = {
    "median": "Trials below the median of the others at the same epoch were stopped early",
    "asha": "Trials were stopped early by asynchronous successive halving",
    "hyperband": "Trials were stopped early by Hyperband",
}
STATES = {"complete": "complete", "pruned": "pruned", "fail": "failed"}
MONITORS = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "loss": "loss"}
BALANCE = {
    "sampling": "In training, the classes were drawn equally often.",
    "weights": "In training, the loss was weighted by class, against class imbalance.",
    "undersampling": "In training, windows of the larger classes were left out at random, against class imbalance.",
    "none": "Class imbalance was not corrected in training.",
}
NORMALIZATIONS = {
    "window": "Inputs were normalized by the mean and standard deviation of each channel of a window.",
    "patients": "Inputs were normalized per channel and frequency by mean and deviation of the training patients.",
    "level": "Inputs were normalized without the overall level of each window, by statistics of the training patients.",
    "recording": "Inputs were normalized per channel and frequency by median and robust deviation of the recording.",
    "recording_causal": "Inputs were normalized per channel and frequency by statistics of the recording so far.",
    "aligned": "Signals were aligned by the covariance of the channels of the recording.",
}
# Versions that the text names, in this order; `run.json` has more.
SOFTWARE = {
    "python": "Python", "torch": "PyTorch", "optuna": "Optuna", "scikit-learn": "scikit-learn", "mne": "MNE-Python",
    "timescoring": "timescoring", "snakemake": "Snakemake",
}  # fmt: skip


def sentences(run: ReportData, about: dict[str, Any]) -> str:
    """Second half of the paragraph.

    Parameters
    ----------
    run
        Content of the report.
    about
        Content of `run.json`.

    Returns
    -------
    str
        Sentences in the past tense.
    """
    parts = (tuning(run), training(run), retraining(run), controls(run), calibration(run), detection(run))
    return " ".join(filter(None, (*parts, statistics(run), software(about))))


def n_trials(run: ReportData) -> dict[str, int]:
    """Trials of all Optuna studies that really ran, by state."""
    tables = [study.trials for study in studies(run)]
    return {state: sum(int((table["state"] == state).sum()) for table in tables) for state in STATES}


def tuning(run: ReportData) -> str:
    """Searched hyperparameters, sampler, number of trials that ran, and patients of the validation."""
    searched, settings, n = search_space(run), run.study.tuning, n_trials(run)
    if not sum(n.values()):
        return "Hyperparameters were not tuned."
    where = {
        "per_fold": "In each outer fold, on its training patients alone",
        "reserved": "On the reserved patients alone",
        "once": "In the first outer fold, for all folds",
    }[run.mode]
    names = listing([name.replace("_", " ") for name in searched]) or "none"
    n_studies = len(studies(run))
    states = listing([f"{n[state]:,d} {word}" for state, word in STATES.items()])
    text = (
        f"{where}, {count(len(searched), 'hyperparameter')} ({names}) {'was' if len(searched) == 1 else 'were'} tuned "
        f"by Optuna ({SAMPLERS[settings.sampler]}) for the {MONITORS[run.study.training.monitor]} of the patients of "
        f"{count(settings.inner_folds, 'inner validation fold')}; {count(sum(n.values()), 'trial')} ran in "
        f"{count(n_studies, 'Optuna study')} ({states})."
    )
    return text + (f" {PRUNERS[settings.pruner]}." if settings.pruner in PRUNERS and _by_gradient(run) else "")


def training(run: ReportData) -> str:
    """Class balance, normalization and epochs of the trainings."""
    if not _by_gradient(run):
        # Models that are fitted without gradients draw no windows, but weight them.
        return _setting(run, "class_balance", {**BALANCE, "sampling": BALANCE["weights"]})
    balance = _setting(run, "class_balance", BALANCE)
    settings = run.study.training
    epochs = run.study.retrain.epochs or settings.epochs
    tuned = f"; {settings.epochs} in tuning" if epochs != settings.epochs else ""
    return " ".join(
        filter(
            None,
            (
                _setting(run, "normalization", NORMALIZATIONS),
                balance,
                f"Networks were trained for at most {count(epochs, 'epoch')}{tuned}; training stopped after "
                f"{count(settings.patience, 'epoch')} without a better validation score, and the weights of the best "
                "epoch were kept.",
            ),
        )
    )


def _setting(run: ReportData, name: str, texts: dict[str, str]) -> str:
    """Text of a setting of training; its values if trials differed in it."""
    _, values = run.study.models[run.model].setting_values(name, getattr(run.study.training, name))
    if len(values) > 1:
        return f"{capitalized(name.replace('_', ' '))} was tuned ({', '.join(map(str, values))})."
    return texts.get(values[0], "")


def retraining(run: ReportData) -> str:
    """Retrained parameter sets, and the ensemble."""
    members = [name for name in run.metrics["members"] if name != "ensemble"]
    n_seeds = run.study.retrain.n_seeds
    n_sets = len(members) // n_seeds
    seeds = f", each with {n_seeds} random seeds," if n_seeds > 1 else ""
    sets = "The best parameter set" if n_sets == 1 else f"The {n_sets} best parameter sets"
    text = f"{sets} of each fold{seeds} {'was' if n_sets == 1 else 'were'} retrained on its training patients."
    if run.primary == "ensemble":
        models = "its model" if len(members) == 1 else f"the {len(members)} models of a fold"
        return f"{text} Reported are the scores of the ensemble, the mean of the class probabilities of {models}."
    return f"{text} Reported are the scores of {run.primary}, which was declared before the run."


def controls(run: ReportData) -> str:
    """Shuffled labels and initial weights."""
    text = ""
    if run.permuted:
        text = "As a control, the labels of training and validation windows were shuffled."
    if run.init is not None:
        text += f" Training started from the weights of a model of {count(run.init['n_patients'], 'other patient')}."
    return text.strip()


def calibration(run: ReportData) -> str:
    """Calibration of the probabilities."""
    return (
        "Probabilities were calibrated on the validation patients, by a correction for the class proportions of the "
        f"training windows and a temperature for each of {count(len(run.metrics['calibration']['models']), 'model')}; "
        "predicted classes are those of the uncalibrated probabilities."
    )


def detection(run: ReportData) -> str:
    """Operating point and rules of the scores of events; empty without scores of events."""
    if not run.metrics.get("events"):
        return ""
    return (
        "For events, threshold, smoothing and minimum duration were chosen on the validation patients for "
        f"{target(run)}. Events were scored as in SzCORE (any overlap, tolerance of 30 s before and 60 s after a "
        "seizure, events less than 90 s apart merged, events longer than 5 minutes split)."
    )


def statistics(run: ReportData) -> str:
    """Confidence intervals and the permutation test."""
    text = f"{level(run)} confidence intervals were computed {interval_method(run)}."
    test = run.metrics["permutation"]
    if test["n_permutations"]:
        text += f" The balanced accuracy was tested with {test['n_permutations']:,d} permutations of the patients."
    return text


def software(about: dict[str, Any]) -> str:
    """Commit, random seed and versions of `run.json`."""
    versions = [f"{title} {about['versions'][name]}" for name, title in SOFTWARE.items() if name in about["versions"]]
    commit = f" (commit {about['commit']})" if about["commit"] else ""
    return (
        f"The analysis was run by eegwf{commit} with {listing(versions)}; the random seed was {number(about['seed'])}."
    )


def _by_gradient(run: ReportData) -> bool:
    return entry_of(run.model, run.study.models[run.model].fixed).gradient_trained
