"""Sizes of a study: counted once its windows are cut, estimated from the headers of its recordings before."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from eegwf.config.data import RecordedDataset, Synthetic
from eegwf.config.paths import ResultPaths
from eegwf.config.study import Study
from eegwf.data.events import classify
from eegwf.data.fold_count import count_folds
from eegwf.errors import InputError
from eegwf.storage.files import read_json, read_table

BYTES = 2  # float16
# Sampling rate in Hz and number of channels of a data set that is not there yet and whose configuration sets neither.
EXPECTED_SFREQ, EXPECTED_CHANNELS = 256.0, 19


@dataclass(frozen=True)
class Sizes:
    """Windows and values of a study.

    Attributes
    ----------
    n_windows, n_chans, n_times
        Shape of the array of windows, which have their context.
    n_folds
        Number of outer folds.
    labels
        Number of windows of each event type; None before it is known.
    """

    study: Study
    n_windows: int
    n_chans: int
    n_times: int
    n_folds: int
    labels: pd.Series | None

    def labeled(self, classes: str) -> int:
        """Number of windows that a class set trains on and scores; all windows before the labels are known."""
        if self.labels is None:
            return self.n_windows
        class_set = self.study.classes[classes]
        kept = (n for label, n in self.labels.items() if label and classify(str(label), class_set) is not None)
        return int(sum(kept))

    def unlabeled(self) -> int:
        """Number of borderline windows; none before the labels are known."""
        return 0 if self.labels is None else int(self.labels.get("", 0))

    def values(self, spectrogram: str) -> int:
        """Number of values of a window."""
        if spectrogram == "raw":
            return self.n_chans * self.n_times
        grids = [getattr(self.study.spectrograms, name) for name in self.study.spectrograms.members(spectrogram)]
        return sum(self.n_chans * grid.n_freqs * grid.n_frames for grid in grids)

    def disk(self, spectrograms: Iterable[str]) -> tuple[int, int]:
        """Bytes of the windows and of these spectrograms, which are not stored if they are computed on the fly.

        Returns
        -------
        final, peak
            Bytes at the end, and at most while they are written: the windows of each recording are kept until all are
            joined.
        """
        windows = BYTES * self.n_windows * self.values("raw")
        stored = set() if self.study.spectrograms.on_the_fly else {*spectrograms} - {"raw"}
        final = windows + BYTES * self.n_windows * sum(self.values(name) for name in stored)
        return final, max(2 * windows, final)


def read_sizes(study: Study, results: Path, hours: float | None = None) -> Sizes:
    """Sizes of a study.

    Parameters
    ----------
    study
        The configuration.
    results
        Its results folder; windows that are there are counted.
    hours
        Duration of the recordings, if the data set is not there yet; None to read it.

    Returns
    -------
    Sizes
        Counted or estimated.

    Raises
    ------
    InputError
        If nothing can be known before the data are read.
    """
    if hours is not None:
        return expected_sizes(study, hours)
    paths = ResultPaths(results).data
    if not paths.windows.exists():
        return estimate_sizes(study)
    labels = _labels(paths.windows, paths.windows.stat().st_mtime_ns)
    axes: dict[str, Any] = {"ch_names": [], "n_times": 0}
    if paths.windows_axes.exists():
        axes = read_json(paths.windows_axes)
    return Sizes(study, int(labels.sum()), len(axes["ch_names"]), axes["n_times"], count_folds(study), labels)


@lru_cache(8)
def _labels(table: Path, changed: int) -> pd.Series:
    """Number of windows of each event type; read once for all runs of a folder."""
    return read_table(table, ("label",), text=("label",))["label"].value_counts()


def expected_sizes(study: Study, hours: float) -> Sizes:
    """Sizes of a study whose recordings are not there yet.

    Parameters
    ----------
    study
        The configuration. Without a montage, 19 channels are assumed, and without a sampling rate 256 Hz.
    hours
        Duration of the recordings.

    Returns
    -------
    Sizes
        Estimate in which all windows have a class.
    """
    from eegwf.data.signals.montage import MONTAGES

    sfreq = study.signals.target_sfreq(EXPECTED_SFREQ)
    n_windows = int(hours * 3600 * sfreq // study.windows.n_step(sfreq))
    n_chans = len(MONTAGES.get(study.signals.montage, range(EXPECTED_CHANNELS)))
    return Sizes(study, n_windows, n_chans, study.windows.n_stored(sfreq), count_folds(study), None)


def estimate_sizes(study: Study) -> Sizes:
    """Sizes of a study whose recordings have not been read yet.

    Raises
    ------
    InputError
        If no recording can be used, or the data set is given as arrays.
    """
    if isinstance(study.dataset, RecordedDataset):
        return _estimate_recordings(study, study.dataset)
    if isinstance(study.dataset, Synthetic):
        return _estimate_synthetic(study, study.dataset)
    raise InputError("the number of windows of given arrays is known once they are imported")


def _estimate_recordings(study: Study, dataset: RecordedDataset) -> Sizes:
    # Only a data set of recordings needs the readers of headers, and a plan is made at every parse.
    from eegwf.data.bids import discover
    from eegwf.data.signals.header import header
    from eegwf.data.signals.signal import study_derivations
    from eegwf.data.windows import recording_starts

    heads = []
    for recording in discover(dataset.root, dataset.annotations, dataset.layout, dataset.exclude).usable:
        try:
            heads.append(header(recording.path, study.channels))
        except InputError:
            continue  # `eegwf check` names it
    if not heads:
        raise InputError(f"{dataset.root}: no recording can be read; `eegwf check` lists the reasons")
    n_windows = sum(len(recording_starts(head, study.signals, study.windows)) for head in heads)
    n_times = study.windows.n_stored(study.signals.target_sfreq(min(head.sfreq for head in heads)))
    n_chans = len(study_derivations(heads, study.signals))
    return Sizes(study, n_windows, n_chans, n_times, count_folds(study), None)


def _estimate_synthetic(study: Study, dataset: Synthetic) -> Sizes:
    from eegwf.data.signals.montage import MONTAGES
    from eegwf.data.synthetic.recording import draw_cases
    from eegwf.data.synthetic.scalp import N_ELECTRODES
    from eegwf.data.windows import window_starts

    sfreq = study.signals.target_sfreq(dataset.amplifier.sfreq)
    n_times, n_step = study.windows.n_times(sfreq), study.windows.n_step(sfreq)
    n_windows = sum(len(window_starts(round(case.n_seconds * sfreq), n_times, n_step)) for case in draw_cases(dataset))
    n_chans = len(MONTAGES.get(study.signals.montage, range(N_ELECTRODES)))
    return Sizes(study, n_windows, n_chans, study.windows.n_stored(sfreq), count_folds(study), None)
