"""Rows of the spectrogram arrays as tensors, read through memory maps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from eegwf.errors import InputError
from eegwf.files import read_array, read_json


class Inputs:
    """What a model sees of a window: the arrays of one or more spectrograms, stacked on the channel axis.

    Parameters
    ----------
    arrays
        Files `(n_windows, n_chans, n_freqs, n_times)`, or `(n_windows, n_chans, n_times)` for the time series.

    Raises
    ------
    InputError
        If the arrays disagree in windows, frequencies or times.
    """

    def __init__(self, arrays: Sequence[Path | str]):
        self.paths = [Path(path) for path in arrays]
        self.arrays = [self._pictures(read_array(path)) for path in self.paths]
        first = self.arrays[0].shape
        for path, array in zip(self.paths, self.arrays, strict=True):
            if (array.shape[0], *array.shape[2:]) != (first[0], *first[2:]):
                raise InputError(
                    f"{path}: shape {array.shape} can't be stacked on {self.paths[0]} with {first}; "
                    f"give both the same n_freqs and n_times"
                )
        self.n_chans = sum(array.shape[1] for array in self.arrays)
        self.n_freqs, self.n_times = first[2:]

    @staticmethod
    def _pictures(array: np.ndarray) -> np.ndarray:
        return array[:, :, None, :] if array.ndim == 3 else array

    @property
    def shape(self) -> dict[str, int]:
        """`n_chans`, `n_freqs` and `n_times` of a window."""
        return {"n_chans": self.n_chans, "n_freqs": int(self.n_freqs), "n_times": int(self.n_times)}

    def read(self, rows: np.ndarray) -> torch.Tensor:
        """Float32 tensor `(len(rows), n_chans, n_freqs, n_times)` on the CPU."""
        parts = [torch.from_numpy(array[rows].astype(np.float32)) for array in self.arrays]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def identity(self) -> list[str]:
        """What tells these data from others: the digests that stand beside the arrays, not the arrays' bytes."""
        return [read_json(path.with_suffix(".json"))["sha256"] for path in self.paths]
