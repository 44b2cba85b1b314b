"""The spectrogram transforms of eegwf in the size that the benchmarks measure, and noise to transform."""

from typing import Any

import numpy as np

from bench.shapes import N_CHANS, N_FRAMES, N_FREQS, N_TIMES, SFREQ
from eegwf.spectrograms.base import Spectrogram
from eegwf.spectrograms.transforms import CLASSES

SIZES: dict[str, Any] = {"sfreq": SFREQ, "n_times": N_TIMES, "n_freqs": N_FREQS, "n_frames": N_FRAMES}


def make_transform(name: str, **options: Any) -> Spectrogram:
    """Make a transform of the benchmarks' size.

    Parameters
    ----------
    name
        `stft`, `mel` or `cwt`.
    **options
        Further arguments of the transform.

    Returns
    -------
    Spectrogram
        The transform, on the CPU.
    """
    return CLASSES[name](**SIZES, **options)


def noise_windows(count: int) -> np.ndarray:
    """White noise with a standard deviation of 30 uV, float32 (count, n_chans, n_times)."""
    return np.random.default_rng(0).normal(0, 30, (count, N_CHANS, N_TIMES)).astype(np.float32)
