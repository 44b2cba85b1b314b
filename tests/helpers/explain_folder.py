"""Files of an attribution folder with random maps, as the rule `explain` writes them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.attribution.bands import BANDS
from eegwf.config.fold_paths import AttributionPaths
from eegwf.storage.files import write_array, write_json, write_table

METHODS = ("saliency", "gradcam", "occlusion", "random", "energy")
TITLES = {
    "saliency": "saliency", "gradcam": "Grad-CAM", "occlusion": "occlusion", "random": "random map",
    "energy": "energy of the input",
}  # fmt: skip
EXAMPLES = ("hit", "miss", "false alarm", "borderline")
# Probability of the class after deletion: lower is better. Grad-CAM does not beat the controls.
DELETION = {"saliency": 0.45, "gradcam": 0.72, "occlusion": 0.4, "random": 0.7, "energy": 0.6}


def write_explanation(
    folder: Path,
    classes: list[str],
    arrays: list[dict[str, Any]],
    windows: pd.DataFrame,
    seed: int,
    signal: bool = True,
    truth: bool = True,
) -> None:
    """Write maps and evidence.

    Parameters
    ----------
    folder
        The folder `explain` of a fold.
    classes
        Names of the classes.
    arrays
        Spectrograms of the input with `spectrogram`, `ch_names`, `freqs` and `times`.
    windows
        Test windows of the fold: window, patient, recording, onset, label and predicted.
    seed
        Seed of the values.
    signal
        Whether there is a time series.
    truth
        Whether the localization is measured.
    """
    rng = np.random.default_rng(seed)
    paths = AttributionPaths(folder)
    names = [name for array in arrays for name in array["ch_names"]]
    freqs, times = arrays[0]["freqs"] or [0.0], arrays[0]["times"]
    sizes = (len(names), len(freqs), len(times))
    table = _windows(windows, classes, rng)
    n_examples = int((table["example"] != "").sum())
    write_table(paths.windows, table)
    write_array(paths.means, _means(classes, table, rng, sizes[:2]))
    inputs = 10 - 12 * np.linspace(0, 1, sizes[1]) + rng.normal(size=(len(classes), 2, *sizes[:2]))
    write_array(paths.mean_inputs, inputs.astype(np.float32))
    write_array(paths.examples, _examples(rng, (len(METHODS), n_examples, *sizes)))
    write_array(paths.example_inputs, rng.normal(size=(n_examples, *sizes)).astype(np.float16))
    sfreq = 64.0
    shape = (n_examples, 2, len(arrays[0]["ch_names"]), int(sfreq * 5)) if signal else (0, 2, 0, 0)
    write_array(paths.example_signals, _signals(rng, shape))
    relevance = rng.uniform(-1, 1, (len(table), shape[2], 20)) if signal else np.zeros((0, 0, 0))
    write_array(paths.window_relevance, relevance.astype(np.float16))
    write_table(paths.evidence, _evidence(table, classes, rng, signal, truth))
    seconds = dict.fromkeys(METHODS, 0.5) | {"occlusion": 4.0, "deletion": 9.0}
    rows = [{"method": name, "seconds": value, "n_windows": len(table)} for name, value in seconds.items()]
    write_table(paths.timing, pd.DataFrame(rows))
    write_json(
        paths.description,
        {
            "member": "rank1",
            "classes": classes,
            "methods": list(METHODS),
            "refused": {"deeplift": "DeepLift is not defined for vit: its rules have no <attention>"},
            "titles": TITLES,
            "signed": {name: name == "occlusion" for name in METHODS},
            "bands": _bands([array["freqs"] for array in arrays]),
            "intervals": [[time - 0.5, time + 0.5] for time in times],
            "ch_names": names,
            "arrays": arrays,
            "baselines": [{"patient": "other", "window": 0}],
            "n_windows": [int((table["label"] == label).sum()) for label in classes],
            "examples": n_examples,
            "truth": truth,
            "signal": signal,
            "sfreq": sfreq if signal else None,
            "signal_ch_names": list(arrays[0]["ch_names"]) if signal else [],
            "stages": 3,
            "device": "NVIDIA H100",
        },
    )


def _bands(freqs: list[list[float] | None]) -> list[str]:
    """Bands with a frequency in each spectrogram."""
    bands = [
        ["broadband"]
        if one is None
        else [band for band, (low, high) in BANDS.items() if any(low <= f < high for f in one)]
        for one in freqs
    ]
    return [band for band in bands[0] if all(band in one for one in bands)]


def _windows(windows: pd.DataFrame, classes: list[str], rng) -> pd.DataFrame:
    """Up to 12 windows of each class, the first of each kind as example."""
    chosen = [windows[windows["label"] == label].head(12) for label in classes]
    columns = ["window", "patient", "recording", "onset", "label", "predicted"]
    table = pd.concat(chosen, ignore_index=True)[columns]
    table["p"] = np.round(rng.uniform(1 / len(classes), 1, len(table)), 6)
    correct, seizure = table["label"] == table["predicted"], table["label"] != classes[0]
    table["outcome"] = np.where(correct, "correct", "wrong")
    kinds = {"hit": correct & seizure, "miss": ~correct & seizure, "false alarm": ~correct & ~seizure}
    table["example"], table["example_index"] = "", -1
    for kind in EXAMPLES:
        free = kinds.get(kind, correct) & (table["example"] == "")
        table.loc[free[free].index[:2], "example"] = kind
    flagged = [row for kind in EXAMPLES for row in table.index[table["example"] == kind]]
    table.loc[flagged, "example_index"] = np.arange(len(flagged))
    return table


def _means(classes: list[str], table: pd.DataFrame, rng, sizes: tuple[int, int]) -> np.ndarray:
    """Grad-CAM does not vary over the channels, and has four tokens over frequency."""
    maps = rng.uniform(0, 2, (len(METHODS), len(classes), 2, *sizes)).astype(np.float32)
    maps[METHODS.index("occlusion")] -= 1
    maps[METHODS.index("gradcam")] = _tokens(maps[METHODS.index("gradcam"), :, :, :1], 3, 4)
    for number, label in enumerate(classes):
        for outcome, name in enumerate(("correct", "wrong")):
            if not ((table["label"] == label) & (table["outcome"] == name)).any():
                maps[:, number, outcome] = np.nan
    return maps


def _tokens(values: np.ndarray, axis: int, n_tokens: int) -> np.ndarray:
    """Repeat values along an axis, as if there were few tokens."""
    size = values.shape[axis]
    return np.take(values, np.arange(size) * n_tokens // size * size // n_tokens, axis=axis)


def _examples(rng, shape: tuple[int, ...]) -> np.ndarray:
    maps = rng.uniform(0, 1, shape)
    maps[METHODS.index("occlusion")] -= 0.5
    number = METHODS.index("gradcam")
    maps[number] = _tokens(maps[number, :, :1, :, :1], 2, 4)
    return (maps / np.abs(maps).max(axis=(2, 3, 4), keepdims=True)).astype(np.float16)


def _signals(rng, shape: tuple[int, ...]) -> np.ndarray:
    signals = rng.normal(size=shape).astype(np.float32)
    signals[:, 0] *= 40
    return signals


def _evidence(table: pd.DataFrame, classes: list[str], rng, signal: bool, truth: bool) -> pd.DataFrame:
    rows = []
    for (target, patient), windows in table.groupby(["label", "patient"]):
        about = {"target": target, "patient": patient, "n_windows": len(windows)}
        for method in METHODS:
            values = _measures(method, target != classes[0], signal, truth)
            for measure, value in values.items():
                noisy = value + rng.normal(scale=0.03)
                rows.append({"method": method, "measure": measure, **about, "value": round(noisy, 6)})
    return pd.DataFrame(rows)[["method", "measure", "target", "patient", "n_windows", "value"]]


def _measures(method: str, seizure: bool, signal: bool, truth: bool) -> dict[str, float]:
    values = {"before": 0.9, "deletion": DELETION[method], "insertion": 1.1 - DELETION[method]}
    if signal:
        values |= {f"deletion_{unit}": DELETION[method] + 0.1 for unit in ("channels", "bands", "seconds")}
    if method not in ("random", "energy"):
        values |= {"cascade_1": 0.6, "cascade_2": 0.3, "cascade_3": 0.05, "label_randomized": 0.1, "other_rank": 0.7}
    if truth and seizure:
        values |= {"auroc_channels": 1.2 - DELETION[method], "auroc_seconds": 0.6, "auroc_freqs": 0.7}
        values |= {"pointing": 0.5, "mass": 1.4}
    return values
