"""Stretches: the parts of a recording between its gaps, in the file and after resampling."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from eegwf.data.signals.filters import Resampling

# Number of gaps that a note lists.
MAX_LISTED = 3


@dataclass(frozen=True)
class Stretch:
    """Part of a recording without a gap.

    Attributes
    ----------
    start, stop
        First sample in the file, and the one after the last.
    onset
        Time of the first sample in seconds after the first sample of the recording.
    """

    start: int
    stop: int
    onset: float

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class ResampledStretch:
    """Stretch after resampling.

    Attributes
    ----------
    first, last
        First sample and the one after the last, counted from the first sample of the recording at the resampled rate;
        gaps are counted as if they contained samples.
    recorded
        The stretch in the file.
    """

    first: int
    last: int
    recorded: Stretch


def span(stretches: Sequence[Stretch], sfreq: float) -> float:
    """Time from the first sample of a recording to the end of its last one.

    Parameters
    ----------
    stretches
        Its stretches.
    sfreq
        Sampling rate in Hz.

    Returns
    -------
    float
        Seconds, gaps included.
    """
    return stretches[-1].onset + len(stretches[-1]) / sfreq


def sample_time(stretches: Sequence[Stretch], sample: int, sfreq: float) -> float:
    """Time of a sample.

    Parameters
    ----------
    stretches
        Stretches of the recording.
    sample
        Index of the sample in the file.
    sfreq
        Sampling rate in Hz.

    Returns
    -------
    float
        Seconds after the first sample of the recording.
    """
    stretch = next(stretch for stretch in reversed(stretches) if stretch.start <= sample)
    return stretch.onset + (sample - stretch.start) / sfreq


def resample_stretches(stretches: Sequence[Stretch], recorded: float, target: float) -> tuple[ResampledStretch, ...]:
    """Place the stretches of a recording on the samples of another rate.

    Parameters
    ----------
    stretches
        Stretches of the recording, in temporal order.
    recorded, target
        Sampling rate of the recording and after resampling, in Hz.

    Returns
    -------
    tuple of ResampledStretch
        Each begins at the sample nearest to its onset; later if the stretch before it has not ended there, because its
        number of samples was rounded up.
    """
    resampling = Resampling.between(recorded, target)
    placed: list[ResampledStretch] = []
    for stretch in stretches:
        first = max(round(stretch.onset * target), placed[-1].last if placed else 0)
        placed.append(ResampledStretch(first, first + resampling.n_times(len(stretch)), stretch))
    return tuple(placed)


def describe_gaps(stretches: Sequence[Stretch], sfreq: float) -> str:
    """Describe the gaps of a recording.

    Parameters
    ----------
    stretches
        Its stretches.
    sfreq
        Sampling rate in Hz.

    Returns
    -------
    str
        One sentence; empty if the recording has no gaps.
    """
    gaps = [(before.onset + len(before) / sfreq, after.onset) for before, after in pairwise(stretches)]
    if not gaps:
        return ""
    listed = ", ".join(f"{start:g} to {end:g} s" for start, end in gaps[:MAX_LISTED])
    number = "1 gap" if len(gaps) == 1 else f"{len(gaps)} gaps, {sum(end - start for start, end in gaps):g} s in all"
    return f"{number} ({listed}{', ...' * (len(gaps) > MAX_LISTED)}); no window crosses a gap"


def describe_pauses(pauses: Mapping[int, float], sfreq: float) -> str:
    """Describe pauses that the times of a recording do not contain.

    Parameters
    ----------
    pauses
        Length of each pause in seconds by the first sample after it; 0 or less if it is not known.
    sfreq
        Sampling rate in Hz.

    Returns
    -------
    str
        One sentence; empty without pauses.
    """
    described = [
        f"at {sample / sfreq:g} s" + (f" after a pause of {length:.3g} s" if length * sfreq >= 1 else "")
        for sample, length in pauses.items()
    ]
    if not described:
        return ""
    listed = ", ".join(described[:MAX_LISTED]) + ", ..." * (len(described) > MAX_LISTED)
    return f"segments begin {listed}; no window crosses their edges, and times do not count pauses"
