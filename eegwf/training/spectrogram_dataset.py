"""Windows of the spectrogram arrays as tensors, read through memory maps."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eegwf.config.data_paths import axes_of
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_json
from eegwf.storage.node_scratch import staged


class SpectrogramDataset:
    """Input of a model: the arrays of one or more spectrograms, stacked on the channel axis.

    Parameters
    ----------
    arrays
        Files `(n_windows, n_chans, n_freqs, n_frames)`, or `(n_windows, n_chans, n_times)` for the time series.
    windows
        `windows.tsv`, the table of the windows, which normalization by recording needs; None without one.

    Raises
    ------
    InputError
        If the arrays differ in the number of windows, frequencies or frames.
    """

    def __init__(self, arrays: Sequence[Path | str], windows: Path | None = None):
        self.paths = [Path(path) for path in arrays]
        self.arrays = [self._with_freqs(read_array(staged(path))) for path in self.paths]
        first = self.arrays[0].shape
        for path, array in zip(self.paths, self.arrays, strict=True):
            if (array.shape[0], *array.shape[2:]) != (first[0], *first[2:]):
                raise InputError(
                    f"{path}: shape {array.shape} can't be stacked on {self.paths[0]} with {first}; "
                    f"give both the same n_freqs and n_frames"
                )
        self.n_chans = sum(array.shape[1] for array in self.arrays)
        self.n_freqs, self.n_frames = first[2:]
        # The loader of the last training, see eegwf.training.batch_loader.shared_batch_loader.
        self.shared_loader: Any = None
        self.windows = windows
        # Inputs by kind of normalization, see eegwf.training.recording_normalization.input_for.
        self.normalized_inputs: dict[str, Any] = {}

    @staticmethod
    def _with_freqs(array: np.ndarray) -> np.ndarray:
        return array[:, :, None, :] if array.ndim == 3 else array

    @property
    def shape(self) -> dict[str, int]:
        """`n_chans`, `n_freqs` and `n_frames` of a window."""
        return {"n_chans": self.n_chans, "n_freqs": int(self.n_freqs), "n_frames": int(self.n_frames)}

    @property
    def n_values(self) -> int:
        """Number of values of a window."""
        return int(self.n_chans * self.n_freqs * self.n_frames)

    def half(self, rows: np.ndarray) -> torch.Tensor:
        """Windows as they are stored: float16 tensor `(len(rows), n_chans, n_freqs, n_frames)` on the CPU."""
        parts = [torch.from_numpy(array[rows].astype(np.float16, copy=False)) for array in self.arrays]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def read(self, rows: np.ndarray) -> torch.Tensor:
        """Windows as a float32 tensor `(len(rows), n_chans, n_freqs, n_frames)` on the CPU."""
        return self.half(rows).float()

    def normalize(self, x: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        """Return windows as they are, since this input is not normalized by recording.

        Parameters
        ----------
        x
            Windows in dB or microvolts.
        rows
            Their rows in the arrays.

        Returns
        -------
        torch.Tensor
            The windows.
        """
        return x

    @cached_property
    def described(self) -> list[dict[str, Any]]:
        """Contents of the JSON file of each array: `spectrogram`, `ch_names`, `freqs` (Hz), `times` (s) and `sha256`.

        `freqs` is None for the time series.
        """
        descriptions = []
        for path in self.paths:
            description = read_json(axes_of(path))
            if "times" not in description:  # windows.json
                times = [number / description["sfreq"] for number in range(description["n_times"])]
                description = {**description, "spectrogram": "raw", "freqs": None, "times": times}
            descriptions.append(description)
        return descriptions

    @property
    def axes(self) -> dict[str, Any]:
        """`sfreq`: samples or frames per second. `freqs`: a list of frequencies in Hz for each array, or None."""
        first, freqs = self.described[0], [description["freqs"] for description in self.described]
        times = first["times"]
        if first["freqs"] is None:
            return {"sfreq": first["sfreq"], "freqs": None}
        return {"sfreq": (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 1.0, "freqs": freqs}

    def identity(self) -> list[str]:
        """Digests of the arrays, read from their JSON files, for the digest of a state folder."""
        return [description["sha256"] for description in self.described]
