"""A small finished study on disk, for the tests of the report: real evaluation of fabricated predictions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.layers import merge
from eegwf.config.load import load_study
from eegwf.config.study import StudyDesign
from eegwf.data.leakage import check_leakage
from eegwf.evaluation.evaluate import evaluate, write_evaluation
from eegwf.storage.files import read_table, write_json, write_table
from tests.helpers.explain_folder import write_explanation
from tests.helpers.rank_files import write_validation

ROOT = Path(__file__).resolve().parents[2]
N_WINDOWS, LENGTH, N_CHANS = 30, 5.0, 3
# Hz; the time series has none.
FREQS = {"cwt": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0], "acf": [0.5, 1.0, 2.0, 4.0, 8.0, 16.0], "raw": None}
CH_NAMES = ["Fp1-F7", "F7-T3", "T3-T5", "T5-O1", "F3-C3", "C3-P3", "P3-O1", "Fz-Cz", "X1-X2"]
EVENT_TYPES = {"2class": ["bckg", "sz"], "3class": ["bckg", "sz_foc", "sz_gen"]}


def changed(study: StudyDesign, changes: dict[str, Any]) -> StudyDesign:
    """A configuration with other settings; sections are merged key by key, as configuration files are."""
    return StudyDesign.model_validate(merge(study.model_dump(mode="json"), changes))


def write_study(
    results: Path,
    classes: str = "2class",
    spectrogram: str = "mel",
    patients: list[str] | None = None,
    absent: str = "",
    timed: bool = True,
    n_folds: int = 3,
    n_ranks: int = 2,
    n_seeds: int = 1,
    overrides: dict[str, Any] | None = None,
    n_trials: int = 6,
    value: Callable[[dict[str, Any]], float] | None = None,
) -> StudyDesign:
    """Write the files that a report reads.

    Parameters
    ----------
    results
        Folder to fill.
    classes, spectrogram
        The combination is `vit_<spectrogram>_<classes>`.
    patients
        Names, assigned to the folds in turn; the first has background windows only.
    absent
        Event type without windows.
    timed
        Whether recordings have times, so that events are scored.
    n_folds, n_ranks, n_seeds
        Number of outer folds, of retrained models of each, and of random seeds of a parameter set.
    overrides
        Further configuration. In `tuning.mode: reserved` three more patients are reserved; in that mode and in `once`
        all folds have the files of one Optuna study.
    n_trials
        Trials of an Optuna study: all complete but the last two.
    value
        Value of a complete trial, computed from its parameters; by default random.

    Returns
    -------
    StudyDesign
        The configuration.
    """
    rng = np.random.default_rng(3)
    small = {
        "folds": n_folds,
        "retrain": {"n_best": n_ranks // n_seeds, "n_seeds": n_seeds},
        "evaluation": {"n_bootstrap": 100},
        "report": {"figure_formats": []},
    }
    study = load_study(ROOT / "config/config.yaml", [], small | (overrides or {})).design()
    mode = study.tuning.mode
    class_set = study.classes[classes]
    patients = patients or [f"sub-{number:02d}" for number in range(1, 10)]
    types = EVENT_TYPES[classes]
    number = np.repeat(np.arange(len(patients)), N_WINDOWS)
    truth = (np.arange(len(number)) // 5) % len(types)
    truth[(number == 0) | (np.array(types)[truth] == absent)] = 0
    labels = np.array(types, dtype=object)[truth]
    labels[7::10] = ""
    windows = pd.DataFrame(
        {
            "window": np.arange(len(number)),
            "recording": [f"{patients[n]} rec" for n in number],
            "patient": [patients[n] for n in number],
            "onset": np.tile(np.arange(N_WINDOWS) * LENGTH, len(patients)),
            "duration": LENGTH,
            "label": labels,
            "overlap": 1.0,
        }
    )
    fold = number % n_folds + 1
    folder = results / f"vit_{spectrogram}_{classes}"
    parts = _predictions(folder, windows, truth, fold, list(class_set), n_ranks, rng)
    recordings = pd.DataFrame({"recording": [f"{name} rec" for name in patients], "patient": patients})
    recordings = recordings.assign(
        path="a.edf" if timed else "", sfreq=256, duration=N_WINDOWS * LENGTH, n_chans=N_CHANS, n_events=3, excluded=""
    )
    bad = [["bad rec", "sub-99", "b.edf", None, None, None, None, "b.edf: <b>cut</b> short"]]
    recordings = pd.concat([recordings, pd.DataFrame(bad, columns=recordings.columns)], ignore_index=True)
    events = windows.loc[labels != "", ["recording", "onset", "duration", "label"]]
    tables = (recordings, events) if timed else (None, None)
    write_evaluation(folder, evaluate(parts, windows, class_set, study.evaluation, 1, *tables))
    counts = pd.crosstab(windows["patient"], windows["label"]).reindex(patients)[[t for t in types if t != absent]]
    folds = counts.reset_index().assign(fold=[n % n_folds + 1 for n in range(len(patients))])
    leakage = check_leakage(windows, folds, rng.normal(size=(len(windows), 2, 4)))
    folds = folds[["patient", "fold", *counts.columns]]
    if mode == "reserved":
        recordings, windows, folds = _with_reserved(recordings, windows, folds)
    write_table(results / "data/recordings.tsv", recordings)
    write_table(results / "data/events.tsv", events)
    write_table(results / "data/windows.tsv", windows)
    write_table(results / "data/folds.tsv", folds)
    write_json(results / "data/leakage.json", leakage)
    searched = study.models["vit"].model_dump(mode="json")["search"]
    for number_of in range(1, n_folds + 1):
        tuned_on = {"once": "fold1", "reserved": "reserved"}.get(mode, f"fold{number_of}")
        # Folds that share an Optuna study have the same files of it.
        seed = 5 if mode != "per_fold" else 5 + number_of
        trials = _trials(searched, n_trials, value, np.random.default_rng(seed))
        name = f"vit_{spectrogram}_{classes}_{tuned_on}"
        _fold(folder / f"fold{number_of}", name, trials, searched, spectrogram, list(class_set), n_ranks, rng)
    return study


def _predictions(folder, windows, truth, fold, classes, n_ranks, rng) -> dict[int, list[Path]]:
    parts: dict[int, list[Path]] = {}
    names = np.array(classes, dtype=object)
    table = windows[["window", "patient", "recording", "onset"]].assign(fold=fold)
    table["label"] = np.where(windows["label"] == "", "", names[truth])
    for rank in range(1, n_ranks + 1):
        logits = 1.2 * np.eye(len(classes))[truth] + rng.normal(size=(len(truth), len(classes)))
        p = np.round(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), 9)
        predictions = table.assign(predicted=names[p.argmax(1)])
        predictions[[f"p_{name}" for name in classes]] = p
        for number in np.unique(fold):
            path = folder / f"fold{number}/retrain/rank{rank}/test.tsv"
            write_table(path, predictions[predictions["fold"] == number])
            parts.setdefault(rank, []).append(path)
    write_validation(parts, classes)
    return parts


def _with_reserved(recordings, windows, folds) -> tuple[pd.DataFrame, ...]:
    """Three more patients, in fold 0."""
    names = [f"kept-{number}" for number in range(1, 4)]
    first = windows["patient"].iloc[0]
    for inner_fold, name in enumerate(names, start=1):
        more = windows[windows["patient"] == first].assign(patient=name, recording=f"{name} rec")
        windows = pd.concat([windows, more], ignore_index=True)
        copies = recordings[recordings["patient"] == first].assign(patient=name, recording=f"{name} rec")
        recordings = pd.concat([recordings, copies], ignore_index=True)
        counts = folds[folds["patient"] == first].assign(patient=name, fold=0, inner=inner_fold)
        folds = pd.concat([folds, counts], ignore_index=True)
    folds["inner"] = folds["inner"].fillna(0).astype(int)
    windows["window"] = np.arange(len(windows))
    columns = ["patient", "fold", "inner"]
    return recordings, windows, folds[columns + [name for name in folds if name not in columns]]


def _trials(searched: dict[str, Any], n_trials: int, value, rng) -> pd.DataFrame:
    """Trials sampled from the search space; the last but one is pruned, the last has failed."""
    n_complete = n_trials - 2
    states = ["complete"] * n_complete + ["pruned", "fail"]
    reasons = [""] * (n_trials - 1) + ["out of <memory>"]
    sets = [{name: _sample(entry, rng) for name, entry in searched.items()} for _ in range(n_trials)]
    values = [value(params) if value else round(rng.uniform(0.6, 0.8), 6) for params in sets[:n_complete]]
    trials = {"trial": range(n_trials), "state": states, "value": [*values, None, None], "epochs": 3, "reason": reasons}
    return pd.DataFrame(trials | {f"param_{name}": [params[name] for params in sets] for name in searched})


def _sample(entry: dict[str, Any], rng) -> Any:
    if "choices" in entry:
        return entry["choices"][rng.integers(len(entry["choices"]))]
    low, high = entry["low"], entry["high"]
    if entry["log"]:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    whole = isinstance(low, int) and isinstance(high, int)
    return int(rng.integers(low, high + 1)) if whole else float(rng.uniform(low, high))


def _fold(
    folder: Path, study: str, trials: pd.DataFrame, searched, spectrogram: str, classes: list[str], n_ranks: int, rng
) -> None:
    """Trials, retrained ranks, their costs, and attribution maps of a fold."""
    write_table(folder / "tune/trials.tsv", trials)
    cost = {"seconds": 10.0, "epochs": 3, "windows": 300, "windows_per_second": 30.0, "device": "cpu"}
    write_table(folder / "tune/timing.tsv", trials[["trial"]].assign(**cost))
    write_table(
        folder / "retrain/timing.tsv",
        pd.DataFrame({"rank": range(1, n_ranks + 1)}).assign(**cost | {"seconds": 20.0, "device": "NVIDIA H100"}),
    )
    complete = trials[trials["state"] == "complete"]
    values = complete["value"].to_numpy(dtype=float)
    best = []
    for rank, trial in enumerate(np.argsort(-values, kind="stable")[:n_ranks], start=1):
        params = {name: complete[f"param_{name}"].iloc[trial] for name in searched}
        params = {name: value.item() if isinstance(value, np.generic) else value for name, value in params.items()}
        best.append(
            {"study": study, "rank": rank, "trial": int(trial), "value": float(values[trial]), "params": params}
        )
        model = {"best_epoch": 2, "validation_value": float(values[trial]) - 0.02}
        write_json(folder / f"retrain/rank{rank}/model.json", model)
        history = pd.DataFrame({"epoch": [1, 2, 3], "train_loss": [1.0, 0.6, 0.4], "validation_loss": [1.0, 0.8, 0.9]})
        write_table(folder / f"retrain/rank{rank}/history.tsv", history.assign(balanced_accuracy=[0.5, 0.7, 0.65]))
    write_json(folder / "tune/best.json", best)
    dataset = ("mel", "cwt", "stft") if spectrogram == "concat" else (spectrogram,)
    axes = [
        {
            "spectrogram": name,
            "ch_names": CH_NAMES,
            "freqs": FREQS.get(name, [2.0, 13.6, 25.2, 36.8, 48.4, 60.0]),
            "times": [0.5, 1.5, 2.5, 3.5, 4.5],
        }
        for name in dataset
    ]
    windows = read_table(folder / "retrain/rank1/test.tsv", text=("patient", "recording", "label", "predicted"))
    write_explanation(folder / "explain", classes, axes, windows, int(rng.integers(1000)))
