"""What the page says in words: the study in a sentence, the headline beside its floors, and what to be careful of."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from eegwf.report.data import Run
from eegwf.report.formats import count, defined, duration, listing, number, score
from eegwf.report.optuna_studies import studies
from eegwf.report.validity import control_verdict, reserved_sentence
from eegwf.spectrograms.names import members

# The sizes of a real study (config/full.yaml); a run below them is a demonstration.
STUDY = {"trials": 100, "epochs": 100, "grid": 100, "window": 20.0}
TITLES = {"auroc": "AUROC", "auprc": "AUPRC", "f1": "F1", "macro_f1": "macro F1"}
MEMBER_NAMES = {"ensemble": "the ensemble (plain mean of the ranks' probabilities)"}


@dataclass(frozen=True)
class Card:
    """A headline score beside its floors, as text.

    Attributes
    ----------
    name, value, interval, floor
        What stands on the card; `interval` says why there is none.
    below
        Whether the interval reaches below the highest floor.
    bounded
        Whether there is an interval.
    """

    name: str
    value: str
    interval: str
    floor: str
    below: bool
    bounded: bool


def study_sentence(run: Run) -> str:
    """One plain sentence of what was done, on how much."""
    recordings = kept_recordings(run)
    windows = ", ".join(f"{of['n_windows']:,d} {label}" for label, of in run.headline["per_class"].items())
    inputs = {"raw": "the time series", "concat": "stacked mel, CWT and STFT spectrograms"}
    picture = inputs.get(run.spectrogram, f"{run.spectrogram} spectrograms")
    patients = run.metrics["n_patients"]
    folds = len(run.metrics["per_fold"])
    # With one study for all folds, the choice of parameters has seen what the weights have not.
    who = "classifiers whose weights" if run.mode == "once" else "classifiers that"
    told = (
        f"A {run.model} classifier looks at {picture} of {number(window_length(run))}-s windows and tells "
        f"{listing(run.classes)} apart in {count(patients, 'patient')} "
        f"({count(len(recordings), 'recording')}, {duration(recordings['duration'].sum())}; scored windows: "
        f"{windows}), each tested by {who} never saw that patient, in {count(folds, 'fold')}."
    )
    return " ".join(filter(None, (told, reserved_sentence(run))))


def cards(run: Run) -> list[Card]:
    """Headline scores of the primary member, each beside what looks at no signal."""
    scores, floors = run.headline, run.metrics["floors"]
    majority, chance = floors["majority"], floors["chance"]
    shares = [of["n_windows"] / run.metrics["n_windows"] for of in scores["per_class"].values()]
    # With two classes the last is the positive one; with more, each against the rest, and shares sum to 1.
    prevalence = shares[-1] if len(shares) == 2 else sum(shares) / len(shares)
    wanted = (
        ("balanced_accuracy", "Balanced accuracy", {"chance": chance["balanced_accuracy"]}, majority),
        ("macro_f1", "Macro F1", {}, majority),
        ("accuracy", "Accuracy", {}, majority),
        ("auroc", "AUROC", {"chance": 0.5}, {}),
        ("auprc", "AUPRC", {"chance": prevalence}, {}),
    )
    found = []
    for key, name, floor, of_majority in wanted:
        floor = floor | ({"majority": of_majority[key]} if defined(of_majority.get(key)) else {})
        entry = scores[key]
        low = entry["low"]
        told = ", ".join(f"{of} {score(value)}" for of, value in floor.items())
        bounds = f"{score(low)} to {score(entry['high'])}" if defined(low) else _no_interval(run, entry)
        below = defined(low) and low < max(floor.values())
        found.append(Card(name, score(entry["value"]), bounds, told, below, defined(low)))
    return found


def _no_interval(run: Run, entry: dict[str, Any]) -> str:
    if not defined(entry["value"]):
        return why_undefined(run)
    return "no interval: one patient has no spread" if run.metrics["n_patients"] < 2 else "no interval"


def why_undefined(run: Run) -> str:
    """Why a score of the pooled windows may be undefined."""
    absent = [label for label, of in run.headline["per_class"].items() if of["n_windows"] == 0]
    if absent:
        return f"no window of {listing(absent)} to score"
    if sum(of["n_windows"] > 0 for of in run.headline["per_class"].values()) == 1:
        return "all windows are of one class"
    return "its definition divides zero by zero here"


def verdict(run: Run) -> str:
    """Whether the headline's interval clears the floors; in a control, whether it is at chance."""
    if run.permuted:
        return control_verdict(run)
    entry = run.headline["balanced_accuracy"]
    floors = {name: of["balanced_accuracy"] for name, of in run.metrics["floors"].items()}
    floor = max(floors.values())
    name = listing([of for of, value in floors.items() if math.isclose(value, floor)])
    if not defined(entry["low"]):
        return "Without an interval this number can't be told from its floor."
    if entry["value"] <= floor:
        return f"This is not better than the floor ({name}, {score(floor)}): nothing was learned that carries over."
    if entry["low"] < floor:
        return (
            f"The interval reaches below the floor ({name}, {score(floor)}): on these patients the classifier has not "
            "been shown to beat an answer that looks at no signal."
        )
    return f"The whole interval lies above the floor ({name}, {score(floor)})."


def cautions(run: Run, shown: list[Card]) -> list[str]:
    """Scores beside the headline whose interval reaches below a floor; in a control it must."""
    if run.permuted:
        return []
    return [
        f"{card.name}: the interval ({card.interval}) reaches below its floor ({card.floor}); by this score an answer "
        "that looks at no signal may be as good."
        for card in shown[1:]
        if card.below
    ]


def window_length(run: Run) -> float:
    """Length of a window in seconds."""
    dataset = run.config["dataset"]
    return dataset["window_length"] if dataset["kind"] == "fold_arrays" else run.config["windows"]["length"]


def smaller_than_study(run: Run) -> list[str]:
    """Which sizes are below a real study's, and by how much."""
    config, told = run.config, []

    def compare(name: str, value: float, full: float, unit: str = "", less: str = "fewer") -> None:
        if value < full:
            times = f"{full / value:.3g} times {less}"
            told.append(f"{name}: {number(value)}{unit} instead of {number(full)}{unit} ({times})")

    trials = config["tuning"]["trials"]
    if trials is None:  # epochs or minutes end a study
        trials = min(
            (int(study.trials["state"].isin(("complete", "pruned")).sum()) for study in studies(run)), default=0
        )
    name = "tuning trials for each fold" if run.mode == "per_fold" else "tuning trials"
    compare(name, trials, STUDY["trials"])
    epochs = config["training"]["epochs"]
    retraining = config["retrain"]["epochs"] or epochs
    if retraining == epochs:
        compare("epochs at most", epochs, STUDY["epochs"])
    else:
        compare("epochs at most in tuning", epochs, STUDY["epochs"])
        compare("epochs at most in retraining", retraining, STUDY["epochs"])
    for name, n_freqs, n_times in _grids(run):
        if n_freqs < STUDY["grid"] or n_times < STUDY["grid"]:
            full = STUDY["grid"]
            told.append(
                f"{name} grid: {n_freqs} × {n_times} instead of {full} × {full} "
                f"({full * full / (n_freqs * n_times):.3g} times fewer cells)"
            )
    compare("window", window_length(run), STUDY["window"], " s", "shorter")
    return told


def _grids(run: Run) -> list[tuple[str, int, int]]:
    """Name and size of each spectrogram that enters the model."""
    if run.spectrogram == "raw":
        return []
    maps = next((fold.maps for fold in run.outer if fold.maps is not None), None)
    if maps is not None:
        return [(one["spectrogram"], len(one["freqs"]), len(one["times"])) for one in maps.about["arrays"]]
    if run.config["dataset"]["kind"] == "fold_arrays":
        return []
    grids = run.config["spectrograms"]
    return [(name, grids[name]["n_freqs"], grids[name]["n_times"]) for name in members(run.spectrogram)]


def why_no_events(run: Run) -> str:
    """Why no event could be scored."""
    if run.config["dataset"]["kind"] == "fold_arrays":
        return "The windows came as arrays without recordings' times, so no seizure event could be scored."
    return (
        f"No seizure event was scored: events need a first class that holds no seizures, and {run.classes[0]} of this "
        "class set holds some, or no recording with times was read."
    )


def undefined_note(run: Run) -> str:
    """How many bootstrap replicates had no value, where that happened; why a score is undefined."""
    draws = run.metrics["bootstrap"]["replicates"]
    told, missing = {}, False
    for name, of in run.metrics["members"].items():
        for label, scores in [("", of), *of["per_class"].items()]:
            for key, entry in scores.items():
                if not isinstance(entry, dict) or "undefined" not in entry:
                    continue
                missing |= not defined(entry["value"])
                if entry["undefined"] > 0 and name == run.primary and defined(entry["value"]):
                    told[f"{TITLES.get(key, key.replace('_', ' '))}{f' of {label}' if label else ''}"] = entry[
                        "undefined"
                    ]
    sentences = []
    if missing:
        sentences.append(
            f"Undefined: {why_undefined(run)}, or a class was never predicted (precision) or occurs in no window "
            "(recall)."
        )
    if told:
        most = max(told.values())
        sentences.append(
            f"Replicates in which a score of {run.primary} is undefined (a class's patients were not drawn) are left "
            f"out of its interval: up to {most} of {draws}, for {listing(sorted(told)[:4])}"
            f"{' and others' if len(told) > 4 else ''}."
        )
    return " ".join(sentences)


def kept_recordings(run: Run) -> pd.DataFrame:
    """Recordings that were not left out, of patients who are tested."""
    table = run.recordings[~run.recordings["patient"].isin(run.reserved)]
    return table[table["excluded"] == ""] if "excluded" in table else table
