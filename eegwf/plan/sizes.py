"""How large a study is: counted where its windows are cut, estimated from the recordings before."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from eegwf.config.data import Bids
from eegwf.config.study import Study
from eegwf.data.events import classify
from eegwf.data.fold_count import count_folds
from eegwf.errors import InputError
from eegwf.spectrograms.names import members
from eegwf.storage.files import read_json, read_table

BYTES = 2  # arrays are float16
# Before anything was read: derivations of the usual montage, and hertz where the rate is that of the recordings.
CHANS, SFREQ = 20, 256.0


@dataclass(frozen=True)
class Sizes:
    """Windows and values of a study.

    Attributes
    ----------
    n_windows, n_chans, n_times
        Shape of the array of windows.
    n_folds
        Outer folds.
    labels
        Windows of each event type; None before they are known.
    """

    study: Study
    n_windows: int
    n_chans: int
    n_times: int
    n_folds: int
    labels: pd.Series | None

    def labelled(self, classes: str) -> int:
        """Windows that a class set trains on and scores; all, before it is known."""
        if self.labels is None:
            return self.n_windows
        wanted = {name: list(types) for name, types in self.study.classes[classes].items()}
        return int(sum(n for label, n in self.labels.items() if label and classify(label, wanted) is not None))

    def values(self, spectrogram: str) -> int:
        """Values of a window."""
        if spectrogram == "raw":
            return self.n_chans * self.n_times
        grids = [getattr(self.study.spectrograms, name) for name in members(spectrogram)]
        return sum(self.n_chans * grid.n_freqs * grid.n_times for grid in grids)

    def disk(self, spectrograms: set[str]) -> tuple[int, int]:
        """Bytes of the windows and of these spectrograms: in the end, and at most while they are made.

        Each recording's windows are kept until all are joined.
        """
        windows = BYTES * self.n_windows * self.values("raw")
        end = windows + BYTES * self.n_windows * sum(self.values(name) for name in spectrograms - {"raw"})
        return end, max(2 * windows, end)


def read_sizes(study: Study, results: Path) -> Sizes:
    """Sizes of a study whose results are in a folder.

    Raises
    ------
    InputError
        If nothing can be known before the data are read.
    """
    table, axes = results / "data/windows.tsv", results / "data/windows.json"
    if not table.exists():
        return _estimate(study)
    labels = _labels(table, table.stat().st_mtime_ns)
    about = read_json(axes) if axes.exists() else {"ch_names": CHANS * [""], "n_times": 0}
    return Sizes(study, int(labels.sum()), len(about["ch_names"]), about["n_times"], count_folds(study), labels)


@lru_cache(8)
def _labels(table: Path, changed: int) -> pd.Series:
    """Windows of each event type; read once for all runs of a folder."""
    return read_table(table, ("label",), text=("label",))["label"].value_counts()


def _estimate(study: Study) -> Sizes:
    sfreq = study.signals.sfreq or SFREQ
    n_times = round(study.windows.length * sfreq)
    return Sizes(study, int(_seconds(study) / study.windows.step), CHANS, n_times, count_folds(study), None)


def _seconds(study: Study) -> float:
    """Seconds of the recordings, by their headers."""
    dataset = study.dataset
    if isinstance(dataset, Bids):
        from eegwf.data.bids import find_recordings
        from eegwf.data.signals.header import header

        total = 0.0
        for recording in find_recordings(dataset.root):
            try:
                total += header(recording.path).duration
            except InputError:
                continue  # `eegwf check` names it
        return total
    if dataset.kind == "synthetic":
        return 60 * dataset.minutes * sum(getattr(dataset, f"n_{group}") for group in GROUPS)
    raise InputError("how many windows given arrays hold is known once they are imported")


GROUPS = ("focal", "generalized", "both", "none")
