"""Windows of recordings of noise, as data sets that can be compared."""

import numpy as np
import pandas as pd

from eegwf.data.overlap import WindowedSignals

SFREQ, LENGTH = 128.0, 4
NAMES = ["f3-c3", "f4-c4", "c3-p3", "c4-p4", "fz-cz"]


def background(seed: int, seconds: float = 60) -> np.ndarray:
    """Noise whose power decreases with frequency, as that of EEG."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=(len(NAMES), round(seconds * SFREQ))))
    spectrum /= np.maximum(np.arange(spectrum.shape[1]), 20.0)
    signal = np.fft.irfft(spectrum)
    return 30 * signal / signal.std()


def data_set(signals, prefix="sub", sfreq=SFREQ, ch_names=NAMES) -> WindowedSignals:
    """Cut one recording of each patient into windows without overlap.

    Parameters
    ----------
    signals
        Signal of each recording `(n_chans, n_times)`.
    prefix
        First part of the names of the patients, which are numbered from 1.
    sfreq
        Sampling rate in Hz.
    ch_names
        Names of the derivations.

    Returns
    -------
    WindowedSignals
        The windows.
    """
    rows, samples = [], []
    for number, signal in enumerate(signals, start=1):
        for onset in np.arange(0, signal.shape[1] / sfreq - LENGTH + 1e-9, LENGTH):
            rows.append([f"{prefix}-{number}_eeg", f"{prefix}-{number}", onset, float(LENGTH)])
            start = round(onset * sfreq)
            samples.append(signal[:, start : start + round(LENGTH * sfreq)])
    windows = pd.DataFrame(rows, columns=["recording", "patient", "onset", "duration"])
    windows.insert(0, "window", range(len(windows)))
    return WindowedSignals(windows, np.stack(samples).astype(np.float16), list(ch_names), sfreq)
