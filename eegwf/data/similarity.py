"""Similarity of recordings, to find a person who is in a data set twice under different names."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd

# Band in Hz in which exports of one recording with different filters agree, and the rate at which it is compared.
BAND = (2.0, 20.0)
RATE = 64.0
# Seconds around the middle of a recording that are compared, and the excerpt of them that is searched in another one.
SEARCHED_SECONDS, EXCERPT_SECONDS = 1200.0, 60.0
# Seconds that two recordings must have in common.
MIN_OVERLAP = 15.0
# Fraction of the mean energy below which an overlap is not compared: flat stretches are no evidence of a copy.
MIN_ENERGY = 0.05
# Number of pairs up to which all are compared; of more, only recordings whose durations in seconds differ by no more.
MAX_PAIRS = 100_000
EQUAL_DURATION = 1.0
# Number of recordings whose signals are in memory at once: 6 MB each at most, with 20 channels.
CACHED = 500


@dataclass(frozen=True)
class SlowSignal:
    """Band-limited signal around the middle of a recording.

    Attributes
    ----------
    values
        `(n_chans, n_times)` at `rate`.
    rate
        Sampling rate in Hz.
    onset
        Onset of the first sample in the recording in seconds.
    """

    values: np.ndarray
    rate: float
    onset: float

    def excerpt(self) -> "SlowSignal":
        """Its middle `EXCERPT_SECONDS`."""
        n_times = self.values.shape[1]
        length = min(n_times, round(EXCERPT_SECONDS * self.rate))
        start = (n_times - length) // 2
        return SlowSignal(self.values[:, start : start + length], self.rate, self.onset + start / self.rate)


RecordingKey = TypeVar("RecordingKey", bound=Hashable)


class RecordingFacts(NamedTuple):
    """Patient of a recording, its group (fold or data set), and the end of its last window in seconds."""

    patient: Hashable
    group: Hashable
    end: float


class Pair(NamedTuple, Generic[RecordingKey]):
    """Two recordings of different patients in different groups, and their similarity."""

    first: RecordingKey
    second: RecordingKey
    value: float
    shift: float


def compare_recordings(
    windows: pd.DataFrame, fold: np.ndarray, arrays: np.ndarray, sfreq: float
) -> tuple[list[Pair[str]], str]:
    """Compare the recordings of different patients in different folds.

    Parameters
    ----------
    windows
        `windows.tsv`.
    fold
        Fold of each window.
    arrays
        Samples of the windows, `(n_windows, n_chans, n_times)`.
    sfreq
        Sampling rate in Hz.

    Returns
    -------
    pairs
        The pairs, with the middle of the shorter recording searched in the longer one.
    examined
        Which pairs were compared, for users.

    Notes
    -----
    In the Helsinki data set (62 excerpts of 30 s, 19 channels), the largest similarity of two patients is 0.24. Copies
    with another gain, polarity, quantization, sampling rate (128 or 250 Hz), start or high-pass filter (3 Hz) have 0.62
    or more; of 4 channels, 0.42 and 0.39; of one, 0.69 and 0.26.
    """
    places: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    facts: dict[str, RecordingFacts] = {}
    for key, part in windows.assign(fold=fold).groupby("recording", sort=True):
        name, onset = str(key), part["onset"].to_numpy(float)
        places[name] = onset, part["window"].to_numpy()
        end = float((onset + part["duration"]).max())
        facts[name] = RecordingFacts(part["patient"].iloc[0], part["fold"].iloc[0], end)
    return compare_pairs(facts, lambda name: slow_signal(*places[name], arrays, sfreq))


def compare_pairs(
    facts: dict[RecordingKey, RecordingFacts], signal_of: Callable[[RecordingKey], SlowSignal]
) -> tuple[list[Pair[RecordingKey]], str]:
    """Compare the recordings of different patients in different groups.

    Parameters
    ----------
    facts
        What is known of each recording.
    signal_of
        Signal of a recording; all have the same channels and the same rate.

    Returns
    -------
    pairs
        The pairs, with the middle of the shorter recording searched in the longer one.
    examined
        Which pairs were compared, for users.
    """
    in_group = Counter(fact.group for fact in facts.values())
    n_pairs = math.comb(len(facts), 2) - sum(math.comb(n, 2) for n in in_group.values())
    difference = EQUAL_DURATION if n_pairs > MAX_PAIRS else math.inf
    candidates = list(_candidates(facts, difference))
    examined = f"{len(candidates)} pairs of recordings"
    if n_pairs > MAX_PAIRS:
        examined += f" of equal duration, of {n_pairs} pairs of recordings"
    # In the order of their durations, recordings that are compared follow one another.
    cached = lru_cache(maxsize=CACHED)(signal_of)
    pairs = [
        Pair(shorter, longer, *similarity(cached(shorter).excerpt(), cached(longer))) for shorter, longer in candidates
    ]
    return pairs, examined


def _candidates(
    facts: dict[RecordingKey, RecordingFacts], difference: float
) -> Iterator[tuple[RecordingKey, RecordingKey]]:
    """Pairs of recordings of different patients and groups, the shorter first, whose durations differ by no more."""
    names = sorted(facts, key=lambda name: (facts[name].end, name))
    for number, first in enumerate(names):
        for second in itertools.islice(names, number + 1, None):
            if facts[second].end - facts[first].end > difference:
                break
            if facts[first].patient != facts[second].patient and facts[first].group != facts[second].group:
                yield first, second


def slow_signal(
    onsets: np.ndarray,
    rows: np.ndarray,
    arrays: np.ndarray,
    sfreq: float,
    rate: float | None = None,
    channels: list[int] | None = None,
) -> SlowSignal:
    """Compute the band-limited signal of a recording from its windows.

    Parameters
    ----------
    onsets
        Onset of each window in seconds.
    rows
        Row of each window in `arrays`.
    arrays
        Samples of the windows of all recordings, `(n_windows, n_chans, n_times)`.
    sfreq
        Sampling rate in Hz.
    rate
        Sampling rate of the signal in Hz; None for `RATE`, or `sfreq` if it is lower.
    channels
        Channels of the signal, as positions in `arrays`; None for all.

    Returns
    -------
    SlowSignal
        The signal, which is 0 where there is no window.
    """
    n_chans, length = arrays.shape[1:]
    channels = list(range(n_chans)) if channels is None else channels
    rate = min(RATE, sfreq) if rate is None else rate
    middle = (onsets.min() + onsets.max()) / 2
    near = np.abs(onsets - middle) <= SEARCHED_SECONDS / 2
    onsets, rows = onsets[near], rows[near]
    starts = np.round((onsets - onsets.min()) * sfreq).astype(int)
    signal = np.zeros((len(channels), starts.max() + length), dtype=np.float32)
    for start, row in zip(starts, rows, strict=True):
        signal[:, start : start + length] = arrays[row][channels]
    n_times = round(signal.shape[1] * rate / sfreq)
    spectrum = np.fft.rfft(signal, axis=1)[:, : n_times // 2 + 1]
    freqs = np.arange(spectrum.shape[1]) * sfreq / signal.shape[1]
    spectrum[:, (freqs < BAND[0]) | (freqs > min(BAND[1], 0.45 * rate))] = 0
    return SlowSignal(np.fft.irfft(spectrum, n_times, axis=1), rate, float(onsets.min()))


def similarity(excerpt: SlowSignal, other: SlowSignal) -> tuple[float, float]:
    """Search an excerpt of a recording in another recording.

    Parameters
    ----------
    excerpt, other
        Signals of the same channels and rate.

    Returns
    -------
    value
        Largest absolute cross-correlation, summed over the channels and normalized to 1 for equal signals of any gain
        and polarity, over all shifts with an overlap of at least `MIN_OVERLAP`; 0 if there is none.
    shift
        Onset in `other` minus onset in the recording of the excerpt, in seconds.
    """
    a, b = other.values, excerpt.values
    shortest = round(MIN_OVERLAP * excerpt.rate)
    lags = np.arange(-(b.shape[1] - shortest), a.shape[1] - shortest + 1)
    if min(a.shape[1], b.shape[1]) < shortest:
        return 0.0, 0.0
    n_fft = 1 << (a.shape[1] + b.shape[1] - 2).bit_length()
    product = (np.fft.rfft(a, n_fft) * np.conj(np.fft.rfft(b, n_fft))).sum(axis=0)
    correlation = np.fft.irfft(product, n_fft)[lags % n_fft]
    first_a, first_b = np.maximum(lags, 0), np.maximum(-lags, 0)
    length = np.minimum(a.shape[1] - first_a, b.shape[1] - first_b)
    energies = [_energy(a, first_a, length), _energy(b, first_b, length)]
    values = np.where(
        np.minimum(*energies) > 0, np.abs(correlation) / np.sqrt(np.maximum(energies[0] * energies[1], 1e-30)), 0.0
    )
    best = int(values.argmax())
    return min(float(values[best]), 1.0), float(lags[best] / excerpt.rate + other.onset - excerpt.onset)


def _energy(values: np.ndarray, first: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Energy of stretches of a signal; 0 for those with little of it."""
    total = np.concatenate([[0.0], np.cumsum((values**2).sum(axis=0))])
    energy = total[first + length] - total[first]
    return np.where(energy > MIN_ENERGY * length * total[-1] / values.shape[1], energy, 0.0)
