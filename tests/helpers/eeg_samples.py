"""Samples of the windows of a study of `report_study`."""

from pathlib import Path

import numpy as np

from eegwf.storage.files import read_table, write_array, write_json

CH_NAMES = ["Fp1-F7", "F7-T3", "X<1>"]


def write_samples(results: Path, sfreq: float = 64.0, seed: int = 0, context: int = 0) -> np.ndarray:
    """Write `windows.npy` and `windows.json`.

    Parameters
    ----------
    results
        Folder of the study.
    sfreq
        Sampling rate in Hz.
    seed
        Seed of the samples.
    context
        Samples of context before each window, and after it.

    Returns
    -------
    array (n_windows, n_chans, n_times)
        The samples, float16, in microvolts, with context. Where windows overlap or follow each other, they are of one
        signal of the recording.
    """
    rng = np.random.default_rng(seed)
    windows = read_table(results / "data/windows.tsv", text=("recording", "patient", "label"))
    n_times = round(float(windows["duration"].iloc[0]) * sfreq)
    samples = np.empty((len(windows), len(CH_NAMES), n_times + 2 * context), np.float16)
    for _, rows in windows.groupby("recording"):
        starts = np.rint(rows["onset"] * sfreq).astype(int).to_numpy()
        signal = np.cumsum(rng.normal(0, 8, (len(CH_NAMES), starts.max() + n_times + 2 * context)), axis=1)
        signal -= 0.98 * np.concatenate([np.zeros((len(CH_NAMES), 1)), signal[:, :-1]], axis=1)
        for window, start in zip(rows["window"], starts, strict=True):
            samples[window] = signal[:, start : start + n_times + 2 * context]
    write_array(results / "data/windows.npy", samples)
    axes = {"sfreq": sfreq, "n_times": samples.shape[-1], "ch_names": CH_NAMES, "sha256": "0" * 64}
    write_json(results / "data/windows.json", axes | ({"context": context} if context else {}))
    return samples
