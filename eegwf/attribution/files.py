"""Files of the attribution of an outer fold."""

from typing import Any

import numpy as np
import pandas as pd

from eegwf.attribution.explain import Explained
from eegwf.attribution.explained_signals import explained_signals
from eegwf.attribution.fold import FoldTask
from eegwf.attribution.mean_maps import OUTCOMES
from eegwf.attribution.methods import entry
from eegwf.attribution.randomization import n_stages
from eegwf.compute.device import device_name
from eegwf.config.fold_paths import AttributionPaths
from eegwf.data.context import n_context
from eegwf.storage.files import write_array, write_json, write_table

DESCRIBED = ("spectrogram", "ch_names", "freqs", "times")


def write_attribution(paths: AttributionPaths, task: FoldTask, result: Explained) -> None:
    """Write all files.

    Parameters
    ----------
    paths
        The files.
    task
        Windows, classifiers and settings.
    result
        Maps and their evidence.
    """
    classes, windows = np.array(task.windows.classes), task.windows
    index = np.array([example.index for example in result.examples], dtype=int)
    write_json(paths.description, _description(task, result))
    write_table(paths.windows, _windows_table(task, result))
    write_array(paths.means, result.means.means())
    inputs = result.mean_inputs.means()[0]
    write_array(paths.mean_inputs, np.sqrt(inputs) if task.is_time_series else inputs)
    write_array(paths.examples, result.example_maps.astype(np.float16))
    write_array(paths.example_inputs, task.dataset.half(windows.window[index]).numpy())
    with result.stopwatch.measure("relevance of samples", len(windows.window)):
        example_signals, window_relevance = explained_signals(task, index)
    write_array(paths.example_signals, example_signals)
    write_array(paths.window_relevance, window_relevance)
    write_table(paths.evidence, result.evidence.table(classes[task.target], windows.patient))
    write_table(paths.timing, result.stopwatch.table())


def _description(task: FoldTask, result: Explained) -> dict[str, Any]:
    cells, axes = task.cells, task.signal_axes if task.transform is not None else None
    baselines = zip(task.baselines.patient, task.baselines.window, strict=True)
    return {
        "member": f"rank{task.rank}",
        "classes": list(task.windows.classes),
        "methods": task.methods,
        "titles": {method: entry(method).title for method in task.methods},
        "signed": {method: entry(method).signed for method in task.methods},
        "refused": task.refused,
        "outcomes": list(OUTCOMES),
        "n_windows": np.bincount(task.windows.label, minlength=len(task.windows.classes)).tolist(),
        "n_compared": len(task.compared()),
        "n_classifiers": len(task.classifiers),
        "examples": len(result.examples),
        "baselines": [{"patient": str(patient), "window": int(window)} for patient, window in baselines],
        "ch_names": list(cells.ch_names),
        "bands": list(cells.band_names),
        "intervals": cells.intervals.round(6).tolist(),
        "stages": n_stages(task.classifier.network),
        "label_randomization": task.settings.label_randomization,
        "truth": task.truth is not None,
        "signal": axes is not None,
        "sfreq": None if axes is None else axes["sfreq"],
        **({"context": context} if (context := n_context(axes or {})) else {}),
        "signal_ch_names": [] if axes is None else axes["ch_names"],
        "device": device_name(task.device),
        "arrays": [{key: array[key] for key in DESCRIBED} for array in task.dataset.described],
    }


def _windows_table(task: FoldTask, result: Explained) -> pd.DataFrame:
    """`windows.tsv`: the explained windows, and the place of the examples in their arrays (-1: no example)."""
    windows, classes = task.windows, np.array(task.windows.classes)
    kind, place = np.full(len(windows.window), "", dtype=object), np.full(len(windows.window), -1)
    for number, example in enumerate(result.examples):
        kind[example.index], place[example.index] = example.kind, number
    return pd.DataFrame(
        {
            "window": windows.window,
            "patient": windows.patient,
            "recording": windows.recording,
            "onset": windows.onset,
            "label": classes[windows.label],
            "predicted": classes[task.target],
            "p": [float(f"{p:.9g}") for p in task.p.max(axis=1)],
            "outcome": np.where(windows.label == task.target, *OUTCOMES),
            "example": kind,
            "example_index": place,
        }
    )
