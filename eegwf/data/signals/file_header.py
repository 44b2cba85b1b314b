"""Content of a header, as the readers of all formats except EDF return it."""

from dataclasses import dataclass
from datetime import datetime

from eegwf.data.signals.samples import Samples
from eegwf.data.signals.stretches import Stretch


@dataclass(frozen=True)
class FileHeader:
    """Header of a recording.

    Attributes
    ----------
    sfreq
        Sampling rate in Hz.
    n_times
        Samples of each channel, without those that fill gaps.
    names, units
        Name and unit of each channel.
    samples
        Reader of the samples.
    faults
        For each channel the reason why its samples can't be read; "" if they can.
    notes
        Peculiarities of the files that do not prevent their use.
    stretches
        Parts of the recording between its gaps or pauses.
    not_eeg
        Indices of channels that are not EEG whatever their names, such as trigger channels.
    started
        Date and time of the first sample; None if it is not known.
    """

    sfreq: float
    n_times: int
    names: tuple[str, ...]
    units: tuple[str, ...]
    samples: Samples
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    not_eeg: frozenset[int] = frozenset()
    started: datetime | None = None
