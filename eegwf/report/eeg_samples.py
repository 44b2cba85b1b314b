"""EEG of a stretch of a recording: reassembled from the windows on disk, and quantized for the page."""

import base64
import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eegwf.config.data_paths import DataPaths
from eegwf.config.study import StudyDesign
from eegwf.data.context import n_context, without_context
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_json

MISSING = -32768
"""Quantized value of a sample that is in no window."""
LARGEST = 32767
STEPS_PER_DEVIATION = 50


@dataclass(frozen=True)
class WindowSamples:
    """Samples of all windows of a study.

    Attributes
    ----------
    samples
        µV, `(n_windows, n_chans, n_times)`, without context.
    sfreq
        Sampling rate in Hz.
    ch_names
        Names of the channels.
    windows
        `windows.tsv`.
    """

    samples: np.ndarray
    sfreq: float
    ch_names: list[str]
    windows: pd.DataFrame

    @property
    def length(self) -> float:
        """Seconds of a window."""
        return self.samples.shape[-1] / self.sfreq

    def stretch(self, recording: str, first: int, n_times: int) -> np.ndarray:
        """Samples of a stretch of a recording.

        Parameters
        ----------
        recording
            Name of the recording.
        first
            First sample, counted from the beginning of the recording; may be negative.
        n_times
            Number of samples.

        Returns
        -------
        array (n_chans, n_times)
            µV; NaN in samples that are in no window. Overlapping windows contain the same samples.
        """
        signal = np.full((len(self.ch_names), n_times), np.nan, dtype=np.float32)
        rows = self.windows[self.windows["recording"] == recording]
        starts = np.rint(rows["onset"].to_numpy(float) * self.sfreq).astype(int) - first
        length = self.samples.shape[-1]
        for row, start in zip(rows["window"], starts, strict=True):
            low, high = max(start, 0), min(start + length, n_times)
            if low < high:
                signal[:, low:high] = self.samples[row, :, low - start : high - start]
        return signal


def read_samples(study: StudyDesign, paths: DataPaths, windows: pd.DataFrame) -> WindowSamples | str:
    """Open the samples of the windows.

    Parameters
    ----------
    study
        The configuration.
    paths
        Files of the data.
    windows
        `windows.tsv`.

    Returns
    -------
    WindowSamples or str
        The samples, or the reason why the report shows none.

    Raises
    ------
    InputError
        If a file is broken, or the table and the array have different numbers of windows.
    """
    if not study.report.include_eeg:
        return "This report contains no EEG, as report.include_eeg of the configuration says."
    if study.dataset.kind == "fold_arrays":
        return "No EEG is shown: the data are given arrays without time series in microvolts."
    if not (paths.windows_array.is_file() and paths.windows_axes.is_file()):
        return (
            f"No EEG is shown: {paths.windows_array.name} or {paths.windows_axes.name} was not in the data folder of "
            "the study when the report was written."
        )
    axes = read_json(paths.windows_axes)
    samples = without_context(read_array(paths.windows_array), n_context(axes))
    if len(samples) != len(windows):
        raise InputError(
            f"{paths.windows_array}: {len(samples)} windows, but {paths.windows.name} has {len(windows)}; the files "
            "are of different runs, so rerun the workflow"
        )
    return WindowSamples(samples, float(axes["sfreq"]), list(axes["ch_names"]), windows)


@dataclass(frozen=True)
class Snippet:
    """Quantized EEG of a stretch of a recording.

    Attributes
    ----------
    recording
        Name of the recording.
    start
        Time of the first sample in seconds from the beginning of the recording.
    sfreq
        Sampling rate in Hz.
    ch_names
        Names of the channels.
    values
        int16 in units of `step`, `(n_chans, n_times)`; `MISSING` for a sample that is in no window.
    step
        µV.
    """

    recording: str
    start: float
    sfreq: float
    ch_names: list[str]
    values: np.ndarray
    step: float

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.values.shape[1] / self.sfreq

    @property
    def end(self) -> float:
        """Time of the end in seconds from the beginning of the recording."""
        return self.start + self.duration

    def voltage(self) -> np.ndarray:
        """µV, `(n_chans, n_times)`; NaN for a sample that is in no window."""
        return np.where(self.values == MISSING, np.nan, self.values * np.float64(self.step))


def cut_snippet(source: WindowSamples, recording: str, start: float, duration: float) -> Snippet:
    """Cut and quantize a stretch of a recording.

    Parameters
    ----------
    source
        Samples of the windows.
    recording
        Name of the recording.
    start, duration
        Seconds; the stretch begins at the nearest sample.

    Returns
    -------
    Snippet
    """
    first, n_times = round(start * source.sfreq), round(duration * source.sfreq)
    values, step = quantize(source.stretch(recording, first, n_times))
    return Snippet(recording, first / source.sfreq, source.sfreq, source.ch_names, values, step)


def quantize(signal: np.ndarray) -> tuple[np.ndarray, float]:
    """Round a signal to whole steps.

    Parameters
    ----------
    signal
        µV, `(n_chans, n_times)`; NaN for missing samples.

    Returns
    -------
    values : array (n_chans, n_times)
        int16; `MISSING` for a missing sample.
    step : float
        µV: a fraction of the median of the channels' standard deviations, or more if the largest value needs it.
    """
    known = np.isfinite(signal)
    largest = float(np.abs(signal[known]).max(initial=0.0))
    if largest == 0:
        return np.where(known, 0, MISSING).astype(np.int16), 1.0
    present = np.where(known, signal, np.nan)[:, known.any(axis=0)].astype(float)
    deviation = float(np.median(np.nanstd(present, axis=1)))
    # Four digits, rounded up, so that the largest value is within the range.
    step = max(largest / LARGEST, deviation / STEPS_PER_DEVIATION)
    digit = 10.0 ** (np.floor(np.log10(step)) - 3)
    step = float(f"{np.ceil(step / digit) * digit:.4g}")
    values = np.rint(np.where(known, signal, 0).astype(float) / step)
    return np.where(known, values, MISSING).astype(np.int16), step


def packed(values: np.ndarray) -> str:
    """Compress quantized samples.

    Parameters
    ----------
    values
        int16, `(n_chans, n_times)`.

    Returns
    -------
    str
        Base64 of the zlib stream of the differences of consecutive samples of a channel, modulo 65536: the low bytes
        of all of them, then the high bytes.
    """
    differences = np.diff(values, axis=1, prepend=np.zeros((len(values), 1), np.int16)).view(np.uint16).ravel()
    planes = np.concatenate([differences & 255, differences >> 8]).astype(np.uint8)
    return base64.b64encode(zlib.compress(planes.tobytes())).decode()


def unpacked(text: str, n_chans: int) -> np.ndarray:
    """Decompress samples that `packed` compressed.

    Parameters
    ----------
    text
        Base64.
    n_chans
        Number of channels.

    Returns
    -------
    array (n_chans, n_times)
        int16.
    """
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(2, n_chans, -1)
    differences = planes[0] + (planes[1].astype(np.uint16) << 8)
    return np.cumsum(differences, axis=1, dtype=np.uint16).view(np.int16)
