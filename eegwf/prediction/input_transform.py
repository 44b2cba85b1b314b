"""Input of a model from the windows of a recording, with the bytes that the arrays of the study have."""

from collections.abc import Iterator

import numpy as np
import torch

from eegwf.config.spectrograms import Spectrograms
from eegwf.spectrograms.store import BATCH
from eegwf.spectrograms.transforms import make_transform


class InputTransform:
    """Spectrograms of windows, in batches of the same size as those of the workflow.

    Parameters
    ----------
    spectrogram
        `mel`, `stft`, `cwt`, `acf`, `concat`, or `raw` for the windows themselves.
    settings
        Section `spectrograms` of the configuration.
    sfreq
        Sampling rate in Hz.
    n_times
        Samples of a window.

    Raises
    ------
    InputError
        If the parameters do not fit the windows.
    """

    def __init__(self, spectrogram: str, settings: Spectrograms, sfreq: float, n_times: int):
        names = () if spectrogram == "raw" else settings.members(spectrogram)
        self._transforms = [
            make_transform(name, getattr(settings, name), sfreq, n_times, check_finite=False) for name in names
        ]

    @torch.inference_mode()
    def __call__(self, windows: np.ndarray) -> torch.Tensor:
        """Transform windows.

        Parameters
        ----------
        windows
            float16 `(n_windows, n_chans, n_times)` in microvolts.

        Returns
        -------
        torch.Tensor
            float32 `(n_windows, n_chans, n_freqs, n_frames)`, rounded to half precision as in the arrays.
        """
        if not self._transforms:
            return torch.from_numpy(windows[:, :, None, :]).float()
        parts = [
            torch.cat([transform(x)[:count].half() for x, count in _padded(windows)]) for transform in self._transforms
        ]
        return torch.cat(parts, dim=1).float()


def _padded(windows: np.ndarray) -> Iterator[tuple[torch.Tensor, int]]:
    """Batches of the size of the workflow's, padded with zeros, and the number of windows in each."""
    size = BATCH["cpu"]
    for start in range(0, len(windows), size):
        part = windows[start : start + size]
        batch = np.zeros((size, *windows.shape[1:]), dtype=np.float32)
        batch[: len(part)] = part
        yield torch.from_numpy(batch), len(part)
