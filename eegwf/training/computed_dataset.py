"""Windows whose spectrograms are computed when they are read, instead of being stored."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eegwf.config.data_paths import axes_of
from eegwf.config.spectrograms import InputGrids
from eegwf.data.context import n_context
from eegwf.spectrograms.input_transform import InputTransform
from eegwf.spectrograms.transforms import describe
from eegwf.spectrograms.window_file import WindowFile
from eegwf.storage.files import digest, read_json
from eegwf.storage.node_scratch import staged
from eegwf.training.spectrogram_dataset import SpectrogramDataset


class ComputedDataset(SpectrogramDataset):
    """Input of a model that is computed from the windows of a study; on the CPU, with the bytes of stored arrays.

    Parameters
    ----------
    windows
        File of the windows `(n_windows, n_chans, n_times)` in microvolts, with its description beside it.
    grids
        Parameters of the spectrograms.
    table
        `windows.tsv`, for normalization by recording.

    Raises
    ------
    InputError
        If the parameters do not fit the windows, or the spectrograms differ in the number of frequencies or frames.
    """

    def __init__(self, windows: Path | str, grids: InputGrids, table: Path | None = None):
        self.paths = [Path(windows)]
        self._grids, self._axes = grids.by_name, read_json(axes_of(self.paths[0]))
        axes = self._axes
        self._file = WindowFile.open(staged(self.paths[0]), axes["sfreq"], axes["ch_names"], n_context(axes))
        _, n_signal_chans, n_times = self._file.shape
        self._transform = InputTransform(self._grids, self._file.sfreq, n_times)
        first = next(iter(self._transform.transforms.values()))
        self.n_chans = n_signal_chans * len(self._grids)
        self.n_freqs, self.n_frames = first.n_freqs, first.n_frames
        self.shared_loader: Any = None
        self.windows = table
        self.normalized_inputs: dict[str, Any] = {}

    @property
    def computed(self) -> bool:
        """True."""
        return True

    @property
    def names(self) -> list[str]:
        """Names of the spectrograms, as of their arrays."""
        return list(self._grids)

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Shape of a window in its file: `n_signal_chans`, `n_times`."""
        return self._file.shape[1:]

    @property
    def signal_axes(self) -> dict[str, Any]:
        """`ch_names` and `sfreq` (Hz) of the signals."""
        return {"ch_names": list(self._file.ch_names), "sfreq": self._file.sfreq}

    def stored(self, rows: np.ndarray) -> torch.Tensor:
        """Signals of windows in microvolts: float16 `(len(rows), n_signal_chans, n_times)` on the CPU."""
        return torch.from_numpy(self._file.rows(rows).astype(np.float16, copy=False))

    def compute(self, stored: torch.Tensor, rows: np.ndarray | None = None) -> torch.Tensor:
        """Compute the spectrograms of signals.

        Parameters
        ----------
        stored
            Signals in microvolts, `(n_windows, n_signal_chans, n_times)`.
        rows
            Not used.

        Returns
        -------
        torch.Tensor
            Float32 `(n_windows, n_chans, n_freqs, n_frames)`, on the device of the signals.
        """
        return self._transform(stored)

    @cached_property
    def described(self) -> list[dict[str, Any]]:
        """Descriptions of the spectrograms as of stored arrays, with a digest of the windows and the parameters."""
        return [
            describe(name, grid, transform, self._file, self._digest(name))
            for (name, grid), transform in zip(self._grids.items(), self._transform.transforms.values(), strict=True)
        ]

    def _digest(self, name: str) -> str:
        return digest([self._axes["sha256"], name, self._grids[name].model_dump(mode="json")])


def open_dataset(
    arrays: Sequence[Path | str], grids: InputGrids | None, windows: Path | None = None
) -> SpectrogramDataset:
    """Open the input of a model.

    Parameters
    ----------
    arrays
        Arrays of the input; the windows of the study if its spectrograms are computed.
    grids
        Parameters of the spectrograms that are computed; None if they are stored.
    windows
        `windows.tsv`, for normalization by recording.

    Returns
    -------
    SpectrogramDataset
        The input.

    Raises
    ------
    InputError
        If the arrays or the parameters do not fit each other.
    """
    return SpectrogramDataset(arrays, windows) if grids is None else ComputedDataset(arrays[0], grids, windows)
