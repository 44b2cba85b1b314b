"""Band power of the training recordings, and the distance of a new recording from them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from eegwf.attribution.bands import BANDS
from eegwf.errors import InputError
from eegwf.storage.files import read_json, write_json

# Smallest standard deviation between recordings in dB, so that very similar recordings don't make others distant.
MIN_DEVIATION = 1.0
# Power in square microvolts below which a band counts as empty.
MIN_POWER = 1e-6
# Recordings without which there is no distribution to compare with.
MIN_RECORDINGS = 3


@dataclass(frozen=True)
class InputStatistics:
    """Distribution of the band power over the training recordings.

    Attributes
    ----------
    ch_names
        Names of the derivations.
    bands
        Names of the frequency bands.
    mean, deviation
        Mean and standard deviation over the recordings of their median band power in dB, `(n_chans, n_bands)`.
    distances
        Distance of each training recording from the others, ascending.
    """

    ch_names: list[str]
    bands: list[str]
    mean: list[list[float]]
    deviation: list[list[float]]
    distances: list[float]

    def distance(self, levels: np.ndarray) -> float:
        """Distance of a recording from the training recordings.

        Parameters
        ----------
        levels
            Median band power of the recording in dB, `(n_chans, n_bands)`.

        Returns
        -------
        float
            Root mean square of the standard scores of all derivations and bands; NaN without a distribution.
        """
        if not self.distances:
            return float("nan")
        return _distance(levels, np.array(self.mean), np.array(self.deviation))

    def larger_than(self, distance: float) -> float:
        """Fraction of the training recordings with a smaller distance; NaN without a distribution."""
        if not self.distances or np.isnan(distance):
            return float("nan")
        return float(np.searchsorted(self.distances, distance) / len(self.distances))

    def write(self, path: Path) -> None:
        """Write `input_statistics.json`."""
        write_json(path, asdict(self))


def read_input_statistics(path: Path) -> InputStatistics:
    """Read `input_statistics.json`.

    Raises
    ------
    InputError
        If it lacks an entry, or has one of another type or shape.
    """
    content = read_json(path)
    try:
        result = InputStatistics(**content)
        shapes = [np.array(values, dtype=float).shape for values in (result.mean, result.deviation, [result.distances])]
        if shapes != [(len(result.ch_names), len(BANDS))] * 2 + [(1, len(result.distances))]:
            raise ValueError(f"the shapes are {shapes}")
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}; run `finalize` again with this version of eegwf") from None
    return result


def fit_input_statistics(
    windows: pd.DataFrame, arrays: np.ndarray, ch_names: Sequence[str], sfreq: float
) -> InputStatistics:
    """Compute the distribution of the band power over the recordings of a study.

    Parameters
    ----------
    windows
        `windows.tsv`.
    arrays
        Samples of the windows without context, in microvolts, `(n_windows, n_chans, n_times)`; read recording by
        recording.
    ch_names
        Names of the derivations.
    sfreq
        Sampling rate in Hz.

    Returns
    -------
    InputStatistics
        Without distances if there are fewer than `MIN_RECORDINGS` recordings.
    """
    recordings = []
    for _, part in windows.groupby("recording", sort=True):
        meter = BandMeter(len(ch_names), sfreq)
        for row in part["window"]:
            meter.add(np.asarray(arrays[int(row)])[None])
        recordings.append(meter.levels())
    levels = np.array(recordings)
    distances = []
    if len(levels) >= MIN_RECORDINGS:
        for number in range(len(levels)):
            others = np.delete(levels, number, axis=0)
            distances.append(_distance(levels[number], others.mean(axis=0), _deviation(others)))
    return InputStatistics(
        list(ch_names),
        list(BANDS),
        np.round(levels.mean(axis=0), 4).tolist(),
        np.round(_deviation(levels), 4).tolist(),
        np.round(np.sort(distances), 4).tolist(),
    )


def _deviation(levels: np.ndarray) -> np.ndarray:
    return np.maximum(levels.std(axis=0), MIN_DEVIATION)


def _distance(levels: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square((levels - mean) / deviation))))


class BandMeter:
    """Band power of the windows that are added.

    Parameters
    ----------
    n_chans
        Number of derivations.
    sfreq
        Sampling rate in Hz.
    """

    def __init__(self, n_chans: int, sfreq: float) -> None:
        self._sfreq = sfreq
        self._levels: list[np.ndarray] = [np.zeros((0, n_chans, len(BANDS)))]

    def add(self, windows: np.ndarray) -> None:
        """Add windows `(n_windows, n_chans, n_times)` in microvolts."""
        signal = windows.astype(np.float32)
        signal -= signal.mean(axis=-1, keepdims=True)
        taper = np.hanning(signal.shape[-1] + 1)[:-1].astype(np.float32)
        freqs = np.fft.rfftfreq(signal.shape[-1], 1 / self._sfreq)
        power = np.square(np.abs(np.fft.rfft(signal * taper))) / np.square(taper.sum())
        power[..., 1 : (signal.shape[-1] + 1) // 2] *= 2  # the negative frequencies, which 0 and Nyquist have not
        bands = [power[..., (freqs >= low) & (freqs < high)].sum(axis=-1) for low, high in BANDS.values()]
        self._levels.append(10 * np.log10(np.maximum(np.stack(bands, axis=-1), MIN_POWER)))

    def levels(self) -> np.ndarray:
        """Median band power of the windows in dB relative to a square microvolt, `(n_chans, n_bands)`."""
        return np.median(np.concatenate(self._levels), axis=0)
