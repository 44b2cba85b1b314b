"""Rows of the spectrogram arrays as tensors, read through memory maps."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_json
from eegwf.storage.node_scratch import staged

BLOCK_BYTES = 1 << 27
KEPT = 10  # splits whose statistics are remembered


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
        self.arrays = [self._pictures(read_array(staged(path))) for path in self.paths]
        first = self.arrays[0].shape
        for path, array in zip(self.paths, self.arrays, strict=True):
            if (array.shape[0], *array.shape[2:]) != (first[0], *first[2:]):
                raise InputError(
                    f"{path}: shape {array.shape} can't be stacked on {self.paths[0]} with {first}; "
                    f"give both the same n_freqs and n_times"
                )
        self.n_chans = sum(array.shape[1] for array in self.arrays)
        self.n_freqs, self.n_times = first[2:]
        self.kept: Any = None  # see eegwf.training.batch_loader.batches_of
        self._statistics: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}

    @staticmethod
    def _pictures(array: np.ndarray) -> np.ndarray:
        return array[:, :, None, :] if array.ndim == 3 else array

    @property
    def shape(self) -> dict[str, int]:
        """`n_chans`, `n_freqs` and `n_times` of a window."""
        return {"n_chans": self.n_chans, "n_freqs": int(self.n_freqs), "n_times": int(self.n_times)}

    @property
    def n_values(self) -> int:
        """Values of a window."""
        return int(self.n_chans * self.n_freqs * self.n_times)

    def half(self, rows: np.ndarray) -> torch.Tensor:
        """Float16 tensor `(len(rows), n_chans, n_freqs, n_times)` on the CPU, as it is stored."""
        parts = [torch.from_numpy(array[rows].astype(np.float16, copy=False)) for array in self.arrays]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def read(self, rows: np.ndarray) -> torch.Tensor:
        """Float32 tensor `(len(rows), n_chans, n_freqs, n_times)` on the CPU."""
        return self.half(rows).float()

    def statistics(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation `(n_chans, n_freqs)` of these rows, in float64; every trial of a study asks for the same.

        The deviation of what never changes is 1.
        """
        rows = np.sort(rows)
        key = rows.tobytes()
        if key not in self._statistics:
            self._statistics = {**dict(list(self._statistics.items())[-KEPT:]), key: self._moments(rows)}
        return self._statistics[key]

    def _moments(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        total = np.zeros((self.n_chans, self.n_freqs))
        square = np.zeros_like(total)
        size = max(1, BLOCK_BYTES // (8 * self.n_values))
        for start in range(0, len(rows), size):
            x = self.half(rows[start : start + size]).double()
            total += x.sum(dim=(0, 3)).numpy()
            square += x.square().sum(dim=(0, 3)).numpy()
        count = len(rows) * self.n_times
        mean = total / count
        deviation = np.sqrt(np.maximum(square / count - mean**2, 0))
        deviation[deviation < 1e-3] = 1.0
        return mean, deviation

    @cached_property
    def described(self) -> list[dict[str, Any]]:
        """What stands beside each array: `spectrogram`, `ch_names`, `freqs` (Hz; None: a time series), `times` (s)."""
        found = []
        for path in self.paths:
            about = read_json(path.with_suffix(".json"))
            if "times" not in about:  # windows.json
                times = [number / about["sfreq"] for number in range(about["n_times"])]
                about = {**about, "spectrogram": "raw", "freqs": None, "times": times}
            found.append(about)
        return found

    @property
    def axes(self) -> dict[str, Any]:
        """`sfreq`, samples or frames a second, and `freqs`, Hz: a list for each array."""
        first, freqs = self.described[0], [about["freqs"] for about in self.described]
        times = first["times"]
        if first["freqs"] is None:
            return {"sfreq": first["sfreq"], "freqs": None}
        return {"sfreq": (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 1.0, "freqs": freqs}

    def identity(self) -> list[str]:
        """What tells these data from others: the digests that stand beside the arrays, not the arrays' bytes."""
        return [about["sha256"] for about in self.described]
