"""Score the classical baseline with folds by patient and by window, to show what a leak would have claimed."""

from pathlib import Path
from typing import Any

from eegwf.compute.device import prepare
from eegwf.config.stages.evaluation import SplitByWindowSettings
from eegwf.data.splits import load_window_set
from eegwf.errors import InputError
from eegwf.evaluation.split_by_window import compare_splits
from eegwf.models.bandpower import BandPower
from eegwf.models.registry import SPLIT_BY_WINDOW_MODEL
from eegwf.storage.files import read_table, write_json
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.closed_form import read_features
from eegwf.training.computed_dataset import open_dataset
from eegwf.training.spectrogram_dataset import SpectrogramDataset, time_range


def run(settings: SplitByWindowSettings, windows: Path, folds: Path, arrays: list[Path], output: Path) -> None:
    """Write the scores of `bandpower` with its default parameters in both cross-validations.

    Parameters
    ----------
    settings
        Classes, seed, and level of the intervals.
    windows, folds, arrays
        Tables of the study, and the arrays of the input.
    output
        File to write, JSON. If the model can't be fitted, it contains the reason instead of scores.

    Raises
    ------
    InputError
        If the data do not fit.
    """
    # One thread, so that the result does not depend on the number of cores.
    prepare("cpu", threads=1)
    dataset = open_dataset(arrays, settings.on_the_fly)
    window_set = load_window_set(windows, folds, settings.classes).scored()
    duration = read_table(windows, ("duration",), text=("recording", "patient", "label"))["duration"].to_numpy()
    result: dict[str, Any] = {
        "model": SPLIT_BY_WINDOW_MODEL,
        "arrays": [description["spectrogram"] for description in dataset.described],
        "classes": list(window_set.classes),
        "permuted": settings.permute_labels,
        "interval": {"method": "jackknife", "confidence": settings.confidence},
        "reason": None,
    }
    try:
        network = _network(dataset, len(window_set.classes))
        rows = window_set.window
        result |= compare_splits(
            network,
            read_features(network.features, BatchLoader(dataset, rows, "cpu"), rows),
            window_set,
            duration[rows] + _beyond_windows(dataset) if settings.timed else None,
            settings.seed,
            settings.confidence,
            settings.permute_labels,
        )
    except InputError as error:
        # The other results do not depend on this comparison, so that the study goes on without it.
        result["reason"] = str(error)
    write_json(output, result)


def _beyond_windows(dataset: SpectrogramDataset) -> float:
    """Seconds of the signal beside a window that its input contains, by which windows share more samples."""
    return 2 * max(-time_range(description)[0] for description in dataset.described)


def _network(dataset: SpectrogramDataset, n_classes: int) -> BandPower:
    """Model with its default parameters."""
    try:
        return BandPower(dataset.n_chans, dataset.n_freqs, dataset.n_frames, n_classes, **dataset.axes)
    except ValueError as error:
        raise InputError(str(error)) from None
