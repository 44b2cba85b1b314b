"""Input of a model that is normalized by statistics of the recordings, where the windows of a study are read."""

from collections.abc import Iterator
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
import torch

from eegwf.config.training import RECORDING_NORMALIZATIONS
from eegwf.errors import InputError
from eegwf.storage.files import read_table
from eegwf.training.recording_statistics import (
    WHOLE_RECORDING,
    Normalizer,
    RunningScale,
    Scaling,
    Whitening,
    finite_in_half,
    refuse_spectrogram,
)
from eegwf.training.spectrogram_dataset import SpectrogramDataset

# Windows that are measured together, and windows that are normalized together; no result depends on them.
MEASURED, NORMALIZED = 32, 8


def input_for(dataset: SpectrogramDataset, kind: str) -> SpectrogramDataset:
    """Input of models with a kind of normalization.

    Parameters
    ----------
    dataset
        Spectrograms of the study, or an input that this function returned for another kind.
    kind
        `training.normalization`.

    Returns
    -------
    SpectrogramDataset
        For normalization by recording a `RecordingInput`, always the same object; otherwise the spectrograms of the
        study, whose windows the classifier normalizes.

    Raises
    ------
    InputError
        As in `RecordingInput`.
    """
    source = dataset.source if isinstance(dataset, RecordingInput) else dataset
    if kind not in RECORDING_NORMALIZATIONS:
        return source
    if kind not in source.normalized_inputs:
        source.normalized_inputs[kind] = RecordingInput(source, kind)
    return source.normalized_inputs[kind]


class WindowTable:
    """Recording of each window of a study, and the windows of each recording in order of onset.

    Parameters
    ----------
    path
        `windows.tsv`.

    Raises
    ------
    InputError
        If it can't be read.
    """

    def __init__(self, path: Path):
        table = read_table(path, ("window", "recording", "onset"), text=("recording",))
        table = table.sort_values(["recording", "onset", "window"], kind="stable")
        self._rows = [part["window"].to_numpy(np.int64) for _, part in table.groupby("recording", sort=True)]
        n_windows = int(table["window"].max()) + 1
        self._recording, self._position = np.full(n_windows, -1), np.full(n_windows, -1)
        for number, rows in enumerate(self._rows):
            self._recording[rows], self._position[rows] = number, np.arange(len(rows))

    def rows(self, recording: int) -> np.ndarray:
        """All windows of a recording, in order of onset."""
        return self._rows[recording]

    def places(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the recordings of some windows, and the places of the windows in them."""
        return self._recording[rows], self._position[rows]


class RecordingInput(SpectrogramDataset):
    """Windows of a study, each normalized by statistics of its recording; all else is that of the dataset it reads.

    The statistics of a recording are computed when one of its windows is requested, from all of its windows, also those
    without a class. A recording belongs to one patient, so that no window of another fold is read.

    Parameters
    ----------
    source
        Dataset whose windows are normalized.
    kind
        `recording`, `recording_causal` or `aligned`.

    Raises
    ------
    InputError
        If the dataset has no table of its windows, or has spectrograms and the kind is `aligned`.
    """

    def __init__(self, source: SpectrogramDataset, kind: str):
        if kind == "aligned":
            refuse_spectrogram(int(source.n_freqs))
        if source.windows is None:
            raise InputError(
                f"{source.paths[0]}: training.normalization {kind} needs the recordings of the windows; open the "
                "arrays with their windows.tsv"
            )
        self.source, self.kind = source, kind
        self._table = WindowTable(source.windows)
        self._normalizers: dict[int, Normalizer] = {}
        self._lock = RLock()  # threads read ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    @property
    def computed(self) -> bool:
        """Whether spectrograms are computed when windows are read."""
        return self.source.computed

    @property
    def needs_rows(self) -> bool:
        """Whether `stored` returns signals, so that `compute` normalizes what is computed from them."""
        return self.source.signal_axes is not None

    @property
    def names(self) -> list[str]:
        """Names of the arrays."""
        return self.source.names

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Shape of a window in the arrays."""
        return self.source.stored_shape

    @property
    def signal_axes(self) -> dict[str, Any] | None:
        """`ch_names` and `sfreq` (Hz) of the signals; None for stored spectrograms."""
        return self.source.signal_axes

    @property
    def described(self) -> list[dict[str, Any]]:
        """Descriptions of the arrays."""
        return self.source.described

    @property
    def shared_loader(self) -> Any:
        """The loader of the last training on any input of the dataset, so that the device keeps the windows of one."""
        return self.source.shared_loader

    @shared_loader.setter
    def shared_loader(self, loader: Any) -> None:
        """Keep the loader with the dataset that is read."""
        self.source.shared_loader = loader

    def stored(self, rows: np.ndarray) -> torch.Tensor:
        """Signals as they are stored, or normalized spectrograms: float16 `(len(rows), *stored_shape)` on the CPU."""
        if self.needs_rows:
            return self.source.stored(rows)
        rows = np.asarray(rows)
        result = torch.empty((len(rows), *self.stored_shape), dtype=torch.float16)
        for start in range(0, len(rows), NORMALIZED):
            part = rows[start : start + NORMALIZED]
            result[start : start + len(part)] = self.normalize(self.source.read(part), part)
        return result

    def compute(self, stored: torch.Tensor, rows: np.ndarray | None = None) -> torch.Tensor:
        """Compute the normalized input of a model.

        Parameters
        ----------
        stored
            What `stored` returns, or changed signals of the same shape.
        rows
            Rows of the windows.

        Returns
        -------
        torch.Tensor
            Float32 `(n_windows, n_chans, n_freqs, n_frames)` on the device of the windows.
        """
        if not self.needs_rows:
            return stored.float()
        assert rows is not None
        # Rounded as stored values are, so that stored and computed spectrograms give the same bits.
        return self.normalize(self.source.compute(stored), rows).half().float()

    def normalize(self, x: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        """Normalize windows, or changed copies of them, by the statistics of their recordings.

        Parameters
        ----------
        x
            Windows in dB or microvolts, `(len(rows), n_chans, n_freqs, n_frames)`.
        rows
            Their rows in the arrays.

        Returns
        -------
        torch.Tensor
            Float32 values in the range of half precision, differentiable, on the device of the windows.
        """
        return finite_in_half(self._normalizer(np.asarray(rows))(x)) if len(rows) else x

    def _normalizer(self, rows: np.ndarray) -> Normalizer:
        """Normalization of each row."""
        recordings, places = self._table.places(rows)
        found = []
        for recording, place in zip(recordings.tolist(), places.tolist(), strict=True):
            known = self._normalizer_of(recording)
            place = place if self.kind == "recording_causal" else 0
            found.append([values[place] for values in known])
        kind = Whitening if self.kind == "aligned" else Scaling
        return kind(*(torch.stack(values) for values in zip(*found, strict=True)))

    def _normalizer_of(self, recording: int) -> Normalizer:
        """Normalization of a recording; for `recording_causal` that of each of its windows."""
        with self._lock:
            if recording not in self._normalizers:
                self._normalizers[recording] = self._compute(self._table.rows(recording))
            return self._normalizers[recording]

    def _compute(self, rows: np.ndarray) -> Normalizer:
        if self.kind == "recording_causal":
            running = RunningScale()
            parts = [running.add(windows) for windows in self._blocks(rows)]
            return Scaling(*(torch.cat(values) for values in zip(*parts, strict=True)))
        statistics = WHOLE_RECORDING[self.kind]()
        for windows in self._blocks(rows):
            statistics.add(windows)
        return statistics.result()

    def _blocks(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        for start in range(0, len(rows), MEASURED):
            yield self.source.read(rows[start : start + MEASURED]).numpy()
