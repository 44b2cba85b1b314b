"""The signals of a recording: derivations of a montage, filtered and resampled, read in segments."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eegwf.config.channels import Channels
from eegwf.config.data import Signals
from eegwf.data.signals.derivations import (
    common_derivations,
    project,
    study_derivations,
    unused_channels,
    used_channels,
)
from eegwf.data.signals.filters import Resampling, check_filters, convolve, kernel, reflected_indices
from eegwf.data.signals.header import AS_NAMED, Header, header
from eegwf.data.signals.montage import MontageProjection, derive
from eegwf.data.signals.recorded import check_channels, scan
from eegwf.data.signals.stretches import ResampledStretch, Stretch, resample_stretches
from eegwf.errors import InputError

__all__ = [
    "FlatChannels", "Header", "Signal", "common_derivations", "header", "open_signal", "project", "study_derivations",
]  # fmt: skip


class FlatChannels(InputError):
    """A recording has flat channels and is excluded according to `signals.flat`."""


class Signal:
    """Derivations of a recording, filtered and resampled, with random access and bounded memory.

    Parameters
    ----------
    head
        Header of the recording.
    projection
        Projection of the channels to the derivations.
    signals
        Filters and sampling rate.
    flat
        Names of the flat channels.

    Attributes
    ----------
    path
        File of the recording.
    recorded_sfreq, sfreq
        Sampling rate in Hz, in the file and after resampling.
    stretches
        Parts of the recording between its gaps after resampling; one if it has none.
    n_times
        Samples after resampling to the end of the last stretch.
    duration
        Recorded seconds, without gaps.
    span
        Seconds from the first sample to the end of the last, with gaps.
    derivations
        Names of the rows that `read` returns.
    flat
        Names in the file of the channels that are used and constant over the recording.
    dropped
        Names in the file of the channels that no derivation contains.
    notes
        Peculiarities of the file that do not prevent its use.
    """

    def __init__(self, head: Header, projection: MontageProjection, signals: Signals, flat: list[str]) -> None:
        self.path = head.path
        self.duration, self.span = head.duration, head.span
        self.recorded_sfreq = float(head.sfreq)
        self.derivations = list(projection.derivations)
        self.flat = flat
        self.dropped = unused_channels(head, projection)
        self.notes = head.notes
        self._samples = head.samples
        self._columns = used_channels(projection)
        self._matrix = projection.matrix[:, self._columns]
        self._taps = kernel(head.sfreq, signals.l_freq, signals.h_freq, tuple(signals.notch))
        self.sfreq = signals.target_sfreq(head.sfreq)
        self._resampling = Resampling.between(head.sfreq, self.sfreq)
        self.stretches = resample_stretches(head.stretches, head.sfreq, self.sfreq)
        self.n_times = self.stretches[-1].last

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read a segment; the values do not depend on how the recording is divided into segments.

        Each stretch is padded by point reflection at both ends before it is filtered.

        Parameters
        ----------
        start, stop
            First sample and the one after the last, after resampling, counted as in `stretches`.

        Returns
        -------
        array (n_derivations, stop - start), float32
            Microvolts.

        Raises
        ------
        ValueError
            If the segment is not within a stretch.
        InputError
            If the file can no longer be read.
        """
        if start == stop:
            return np.empty((len(self.derivations), 0), np.float32)
        stretch = self.stretch_at(start)
        if not start <= stop <= stretch.last:
            raise ValueError(f"samples {start} to {stop} of a stretch that ends at {stretch.last}")
        resampling = self._resampling
        start, stop = start - stretch.first, stop - stretch.first
        if resampling.up == resampling.down:
            return self._filtered(start, stop, stretch.recorded).astype(np.float32)
        segment = self._filtered(*resampling.input_range(start, stop), stretch.recorded)
        return resampling.apply(segment, start, stop).astype(np.float32)

    def stretch_at(self, sample: int) -> ResampledStretch:
        """The stretch that contains a sample.

        Raises
        ------
        ValueError
            If the sample is before the recording, after it or in a gap.
        """
        for stretch in self.stretches:
            if stretch.first <= sample < stretch.last:
                return stretch
        raise ValueError(f"sample {sample} is in no stretch")

    def _filtered(self, start: int, stop: int, stretch: Stretch) -> np.ndarray:
        """Filtered derivations at the recorded rate; `start` and `stop`, from its first sample, may be outside."""
        half = (len(self._taps) - 1) // 2
        source, side = reflected_indices(start - half, stop + half, len(stretch))
        ends = [0] * bool((side < 0).any()) + [len(stretch) - 1] * bool((side > 0).any())
        needed = np.concatenate([source[source >= 0], np.array(ends, int)])
        first, last = int(needed.min()), int(needed.max())
        recorded = self._matrix @ self._samples.read(self._columns, stretch.start + first, stretch.start + last + 1)
        segment = recorded[:, np.where(source >= 0, source - first, 0)]
        segment[:, side < 0] = 2 * recorded[:, :1] - segment[:, side < 0]
        segment[:, side > 0] = 2 * recorded[:, -1:] - segment[:, side > 0]
        segment[:, source < 0] = 0.0
        return convolve(segment, self._taps)


def open_signal(
    path: Path | str, signals: Signals, derivations: Sequence[str] | None = None, channels: Channels = AS_NAMED
) -> Signal:
    """Open a recording, scan its samples for invalid data, and prepare it for reading.

    Parameters
    ----------
    path
        The file; of several files, that with the header.
    signals
        Montage, filters, sampling rate, and the treatment of missing and flat channels.
    derivations
        Derivations to read, such as those of `common_derivations`; None for those of the montage (with
        `missing: exclude`, those that this recording has).
    channels
        Names of channels that are not those of the 10-20 system.

    Returns
    -------
    Signal

    Raises
    ------
    InputError
        If the file can't be read or is not complete, a derivation is missing, a used channel is duplicated, has values
        that are not finite or has no unit of voltage, or a filter does not fit the sampling rate.
    FlatChannels
        If used channels are flat and `signals.flat` is `exclude`.
    """
    head = header(path, channels)
    check_filters(head.sfreq, signals, path)
    derived = project(head, signals, derivations)
    # With `flat: interpolate`, channels that are not used yet may replace those that are flat.
    readable = [column for column in head.eeg if not head.faults[column]]
    result = scan(head, readable if signals.flat == "interpolate" else used_channels(derived))
    flat = [column for column in used_channels(derived) if column in result.flat]
    names = [head.names[column] for column in flat]
    if flat and signals.flat == "exclude":
        raise FlatChannels(f"{path}: flat from start to end: {', '.join(names)} (signals.flat: exclude)")
    if flat and signals.flat == "interpolate":
        excluded = result.flat.union(column for column in head.eeg if head.faults[column])
        derived = derive(head.channels, signals.montage, derived.derivations, True, excluded)
        if derived.missing:
            raise InputError(
                f"{path}: flat from start to end: {', '.join(names)}; {', '.join(derived.missing)} can't be computed "
                "from the other channels. Set signals.flat to keep or exclude"
            )
        check_channels(head, used_channels(derived))
    result.check(used_channels(derived))
    return Signal(head, derived, signals, names)
