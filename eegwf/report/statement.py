"""Text of the page: description of the study, main scores with baselines, and notes on their interpretation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from eegwf.config.data import FoldArrays
from eegwf.report.data import ReportData
from eegwf.report.formats import count, defined, duration, listing, number, score
from eegwf.report.interval_notes import few_patients, permutation_sentence, why_no_interval
from eegwf.report.optuna_studies import studies
from eegwf.report.validity import control_verdict, reserved_sentence

# Sizes of a full study (config/full.yaml); a run with smaller ones is a demonstration.
STUDY: dict[str, float] = {"trials": 100, "epochs": 100, "window": 20.0}
GRID = 100
MEMBER_NAMES = {"ensemble": "the ensemble (mean of the probabilities of the ranks)"}


@dataclass(frozen=True)
class Card:
    """A main score with its interval and baselines, as text.

    Attributes
    ----------
    name
        Name of the score.
    value
        The score.
    interval
        Its confidence interval, or why there is none.
    baseline
        The baselines.
    below
        Whether the lower bound of the interval is below the highest baseline.
    bounded
        Whether there is an interval.
    """

    name: str
    value: str
    interval: str
    baseline: str
    below: bool
    bounded: bool


def study_sentence(run: ReportData) -> str:
    """Describe the model, the data and the cross-validation."""
    recordings = kept_recordings(run)
    windows = ", ".join(f"{n:,d} {label}" for label, n in scored_windows(run).items())
    signal = _signal(run)
    patients = run.metrics["n_patients"]
    folds = len(run.metrics["per_fold"])
    # If all folds share one Optuna study, the hyperparameters were chosen with the test patients of most folds.
    context = run.study.windows.context
    beside = f" with {number(context)} s of context on each side" if context else ""
    trained = "whose weights were trained" if run.mode == "once" else "that were trained"
    text = (
        f"The model {run.model} classifies {signal} of {number(window_length(run))}-s windows{beside} into "
        f"{listing(run.classes)}. It was evaluated on {count(patients, 'patient')} "
        f"({count(len(recordings), 'recording')}, {duration(recordings['duration'].sum())}; scored windows: {windows}) "
        f"by cross-validation in {count(folds, 'fold')}: each patient was tested by classifiers {trained} without this "
        "patient."
    )
    return " ".join(filter(None, (text, reserved_sentence(run))))


def cards(run: ReportData) -> list[Card]:
    """The main scores of the primary member with their baselines."""
    scores, baselines = run.headline, run.metrics["baselines"]
    majority, chance = baselines["majority"], baselines["chance"]
    fractions = [values["n_windows"] / run.metrics["n_windows"] for values in scores["per_class"].values()]
    # With two classes the last is the positive class; with more, each is scored one versus rest; fractions sum to 1.
    prevalence = fractions[-1] if len(fractions) == 2 else sum(fractions) / len(fractions)
    shown: tuple[tuple[str, str, dict[str, float], dict[str, float | None]], ...] = (
        ("balanced_accuracy", "Balanced accuracy", {"chance": chance["balanced_accuracy"]}, majority),
        ("macro_f1", "Macro F1", {}, majority),
        ("accuracy", "Accuracy", {}, majority),
        ("auroc", "AUROC", {"chance": 0.5}, {}),
        ("auprc", "AUPRC", {"chance": prevalence}, {}),
    )
    result = []
    for key, name, baseline, of_majority in shown:
        value = of_majority.get(key)
        if defined(value):
            baseline = baseline | {"majority": value}
        entry = scores[key]
        low = entry["low"]
        baseline_text = ", ".join(f"{name} {score(value)}" for name, value in baseline.items())
        bounds = f"{score(low)} to {score(entry['high'])}" if defined(low) else _no_interval(run, key, entry)
        below = defined(low) and low < max(baseline.values())
        result.append(Card(name, score(entry["value"]), bounds, baseline_text, below, defined(low)))
    return result


def _no_interval(run: ReportData, key: str, entry: Mapping[str, Any]) -> str:
    return why_no_interval(run, key, entry) if defined(entry["value"]) else why_undefined(run)


def why_undefined(run: ReportData) -> str:
    """Reason why a score of the pooled windows may be undefined."""
    per_class = run.headline["per_class"]
    absent = [label for label, scores in per_class.items() if scores["n_windows"] == 0]
    if absent:
        return f"no labeled window of {listing(absent)}"
    if sum(scores["n_windows"] > 0 for scores in per_class.values()) == 1:
        return "all labeled windows are of one class"
    return "division of zero by zero"


def verdict(run: ReportData) -> str:
    """Comparison of the balanced accuracy with the baselines, of a control with chance level, and p value."""
    comparison = control_verdict(run) if run.permuted else _comparison(run)
    return " ".join(filter(None, (comparison, permutation_sentence(run))))


def _comparison(run: ReportData) -> str:
    entry = run.headline["balanced_accuracy"]
    baselines = {name: values["balanced_accuracy"] for name, values in run.metrics["baselines"].items()}
    baseline = max(baselines.values())
    names = listing([name for name, value in baselines.items() if math.isclose(value, baseline)])
    if entry["value"] <= baseline:
        return (
            f"The balanced accuracy is not above its baseline ({names}, {score(baseline)}): there is no evidence that "
            "the classifier generalizes to other patients."
        )
    if not defined(entry["low"]):
        return "There is no confidence interval, so the balanced accuracy can't be compared with its baseline."
    if entry["low"] < baseline:
        return (
            f"The confidence interval of the balanced accuracy includes its baseline ({names}, {score(baseline)}): the "
            "classifier is not shown to be better than a prediction without the signal."
        )
    return (
        f"The confidence interval of the balanced accuracy is entirely above its baseline ({names}, {score(baseline)})."
    )


def cautions(run: ReportData, shown: list[Card]) -> list[str]:
    """List the classes with few patients, and the scores whose interval is not entirely above the baseline.

    Parameters
    ----------
    run
        Content of the report.
    shown
        The main scores; `verdict` covers the first.

    Returns
    -------
    list of str
        A sentence for each class and score; none on scores for a permutation control, which is expected to be at chance
        level.
    """
    if run.permuted:
        return few_patients(run)
    return few_patients(run) + [
        f"{card.name}: the confidence interval ({card.interval}) is not entirely above the baseline ({card.baseline}); "
        "by this score, the classifier is not shown to be better than a prediction without the signal."
        for card in shown[1:]
        if card.below
    ]


def window_length(run: ReportData) -> float:
    """Length of a window in seconds."""
    dataset = run.study.dataset
    return dataset.window_length if isinstance(dataset, FoldArrays) else run.study.windows.length


def smaller_than_study(run: ReportData) -> list[str]:
    """List the sizes that are smaller than those of a full study."""
    sentences: list[str] = []

    def compare(name: str, value: float, full: float, unit: str = "", less: str = "fewer") -> None:
        if value < full:
            times = f"{full / value:.3g} times {less}"
            sentences.append(f"{name}: {number(value)}{unit} instead of {number(full)}{unit} ({times})")

    trials = run.study.tuning.n_trials
    if trials is None:  # the Optuna study is limited by epochs or minutes
        trials = min(
            (int(study.trials["state"].isin(("complete", "pruned")).sum()) for study in studies(run)), default=0
        )
    name = "tuning trials per fold" if run.mode == "per_fold" else "tuning trials"
    compare(name, trials, STUDY["trials"])
    epochs = run.study.training.epochs
    retraining = run.study.retrain.epochs or epochs
    if retraining == epochs:
        compare("maximum epochs", epochs, STUDY["epochs"])
    else:
        compare("maximum epochs in tuning", epochs, STUDY["epochs"])
        compare("maximum epochs in retraining", retraining, STUDY["epochs"])
    for name, n_freqs, n_frames in _grids(run):
        if n_freqs < GRID or n_frames < GRID:
            sentences.append(
                f"{name} grid: {n_freqs} × {n_frames} instead of {GRID} × {GRID} "
                f"({GRID * GRID / (n_freqs * n_frames):.3g} times fewer cells)"
            )
    compare("window", window_length(run), STUDY["window"], " s", "shorter")
    return sentences


def _signal(run: ReportData) -> str:
    """What the model classifies, in words."""
    if run.spectrogram == "concat":
        words = {"cwt": "CWT", "stft": "STFT", "acf": "autocorrelation"}
        members = run.study.spectrograms.members("concat")
        return f"stacked {listing([words.get(name, name) for name in members])} spectrograms"
    words = {"raw": "the time series", "acf": "short-time autocorrelations"}
    return words.get(run.spectrogram, f"{run.spectrogram} spectrograms")


def _grids(run: ReportData) -> list[tuple[str, int, int]]:
    """Name and size of each spectrogram of the input."""
    if run.spectrogram == "raw":
        return []
    maps = next((fold.maps for fold in run.outer if fold.maps is not None), None)
    if maps is not None:
        return [(array["spectrogram"], len(array["freqs"]), len(array["times"])) for array in maps.about["arrays"]]
    if run.study.dataset.kind == "fold_arrays":
        return []
    spectrograms = run.study.spectrograms
    grids = {name: getattr(spectrograms, name) for name in spectrograms.members(run.spectrogram)}
    return [(name, grid.n_freqs, grid.n_frames) for name, grid in grids.items()]


def scored_windows(run: ReportData) -> dict[str, int]:
    """Number of scored windows of each class."""
    return {label: scores["n_windows"] for label, scores in run.headline["per_class"].items()}


def why_no_events(run: ReportData) -> str:
    """Reason why no events were scored."""
    if run.study.dataset.kind == "fold_arrays":
        return "Seizure events were not scored: the data are arrays without recording times."
    return (
        "Seizure events were not scored: event scoring needs recordings with times, and a first class without seizure "
        f"event types. Either {run.classes[0]} of this class set includes seizure event types, or no recording with "
        "times was read."
    )


def kept_recordings(run: ReportData) -> pd.DataFrame:
    """Recordings, not excluded, of the patients with scored windows."""
    scored = run.predictions.loc[run.predictions["label"] != "", "patient"]
    table = run.recordings[run.recordings["patient"].isin(scored)]
    return table[table["excluded"] == ""] if "excluded" in table else table
