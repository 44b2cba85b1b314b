"""A small finished study on disk, for the tests of the report: evaluated by the real functions, invented otherwise."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.load import load_study
from eegwf.config.study import Evaluation
from eegwf.data.leakage import check_leakage
from eegwf.evaluation.evaluate import evaluate, write_evaluation
from eegwf.files import write_array, write_json, write_table

ROOT = Path(__file__).resolve().parents[1]
N_WINDOWS, LENGTH, N_CHANS, N_FREQS, N_TIMES = 30, 5.0, 3, 6, 5
EVENT_TYPES = {"2class": ["bckg", "sz"], "3class": ["bckg", "sz_foc", "sz_gen"]}


def write_study(
    results: Path,
    classes: str = "2class",
    spectrogram: str = "mel",
    patients: list[str] | None = None,
    absent: str = "",
    timed: bool = True,
    n_folds: int = 3,
    n_ranks: int = 2,
) -> dict[str, Any]:
    """Write what a report reads and return the configuration.

    Parameters
    ----------
    results
        Folder to fill; the combination is `vit_<spectrogram>_<classes>`.
    patients
        Names, dealt to the folds in turn; the first has background alone.
    absent
        Event type that no window has.
    timed
        Whether recordings have times, so that events are scored.
    """
    rng = np.random.default_rng(3)
    overrides = {"folds": n_folds, "retrain": {"top": n_ranks}, "evaluation": {"bootstrap": 100}}
    config = load_study(ROOT / "config/config.yaml", [], overrides).model_dump(mode="json")
    class_set = config["classes"][classes]
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
    result = evaluate(
        parts,
        windows,
        class_set,
        Evaluation.model_validate(config["evaluation"]),
        1,
        *((recordings, events) if timed else (None, None)),
    )
    write_evaluation(folder, result)
    counts = pd.crosstab(windows["patient"], windows["label"]).reindex(patients)[[t for t in types if t != absent]]
    folds = counts.reset_index().assign(fold=[n % n_folds + 1 for n in range(len(patients))])
    leakage = check_leakage(windows, folds, rng.normal(size=(len(windows), 2, 4)))
    write_table(results / "data/recordings.tsv", recordings)
    write_table(results / "data/windows.tsv", windows)
    write_table(results / "data/folds.tsv", folds[["patient", "fold", *counts.columns]])
    write_json(results / "data/leakage.json", leakage)
    for number_of in range(1, n_folds + 1):
        _fold(folder / f"fold{number_of}", spectrogram, list(class_set), n_ranks, rng)
    return config


def _predictions(folder, windows, truth, fold, classes, n_ranks, rng) -> dict[int, list[Path]]:
    parts: dict[int, list[Path]] = {}
    names = np.array(classes, dtype=object)
    table = windows[["window", "patient", "recording", "onset"]].assign(fold=fold)
    table["label"] = np.where(windows["label"] == "", "", names[truth])
    for rank in range(1, n_ranks + 1):
        logits = 1.2 * np.eye(len(classes))[truth] + rng.normal(size=(len(truth), len(classes)))
        p = np.round(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), 9)
        one = table.assign(predicted=names[p.argmax(1)])
        one[[f"p_{name}" for name in classes]] = p
        for number in np.unique(fold):
            path = folder / f"fold{number}/retrain/rank{rank}/test.tsv"
            write_table(path, one[one["fold"] == number])
            parts.setdefault(rank, []).append(path)
    return parts


def _fold(folder: Path, spectrogram: str, classes: list[str], n_ranks: int, rng) -> None:
    """Trials (one pruned, one failed), retrained ranks and maps of one fold."""
    values = rng.uniform(0.6, 0.8, 4).round(6)
    states = ["complete"] * 4 + ["pruned", "fail"]
    reasons = [""] * 5 + ["out of <memory>"]
    trials = {"trial": range(6), "state": states, "value": [*values, None, None], "epochs": 3, "reason": reasons}
    write_table(folder / "tune/trials.tsv", pd.DataFrame(trials).assign(param_lr=1e-3, param_depth=2))
    best = []
    for rank, trial in enumerate(np.argsort(-values)[:n_ranks], start=1):
        params = {"lr": 0.001 * rank, "depth": 2}
        best.append({"study": "s", "rank": rank, "trial": int(trial), "value": float(values[trial]), "params": params})
        model = {"best_epoch": 2, "validation_value": float(values[trial]) - 0.02}
        write_json(folder / f"retrain/rank{rank}/model.json", model)
        history = pd.DataFrame({"epoch": [1, 2, 3], "train_loss": [1.0, 0.6, 0.4], "validation_loss": [1.0, 0.8, 0.9]})
        write_table(folder / f"retrain/rank{rank}/history.tsv", history.assign(balanced_accuracy=[0.5, 0.7, 0.65]))
    write_json(folder / "tune/best.json", best)
    inputs = ("mel", "cwt", "stft") if spectrogram == "concat" else (spectrogram,)
    axes = [
        {
            "spectrogram": name,
            "ch_names": ["F3-C3", "C3-P3", "P3-O1"],
            "freqs": list(np.geomspace(1, 32, N_FREQS) if name == "cwt" else np.linspace(2, 60, N_FREQS)),
            "times": [0.5, 1.5, 2.5, 3.5, 4.5],
        }
        for name in inputs
    ]
    shape = (len(classes), N_CHANS * len(inputs), N_FREQS, N_TIMES)
    for kind in ("saliency", "mean"):
        write_array(folder / f"explain/{kind}.npy", rng.uniform(0, 2, shape).astype(np.float32))
    write_array(folder / "explain/gradcam.npy", rng.uniform(0, 2, (shape[0], *shape[2:])).astype(np.float32))
    about = {"classes": classes, "n_windows": [20] * len(classes), "n_classifiers": n_ranks, "arrays": axes}
    write_json(folder / "explain/maps.json", about | {"n_zero_gradcam": [1] + [0] * (len(classes) - 1)})
