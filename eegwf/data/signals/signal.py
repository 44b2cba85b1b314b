"""The signals of a recording: derivations of a montage, filtered and resampled, read stretch by stretch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eegwf.config.data import Signals
from eegwf.data.signals.filters import Resampling, convolve, kernel, mirrored
from eegwf.data.signals.header import Header, header
from eegwf.data.signals.montage import Derived, derive, recorded_names
from eegwf.data.signals.recorded import Recorded, scan
from eegwf.errors import InputError

__all__ = ["FlatChannels", "Header", "Signal", "common_derivations", "header", "open_signal"]


class FlatChannels(InputError):
    """A recording has flat channels, and `signals.flat` says that such a recording is left out."""


class Signal:
    """A recording as the study sees it, read at random and in bounded memory.

    Attributes
    ----------
    path
        The recording's file.
    recorded_sfreq, sfreq
        Sampling rate in Hz, in the file and after resampling.
    n_times
        Number of samples, after resampling.
    duration
        Length in seconds, as recorded.
    derivations
        Names of the rows that `read` returns.
    flat
        Recorded channels behind these derivations that never change, by their names in the file.
    """

    def __init__(self, recorded: Recorded, derived: Derived, signals: Signals, flat: list[str]):
        head = recorded.head
        self.path = head.path
        self.duration = head.duration
        self.recorded_sfreq = float(head.sfreq)
        self.derivations = list(derived.derivations)
        self.flat = flat
        self._recorded = recorded
        self._n_recorded = head.n_times
        self._columns = _used(derived)
        self._matrix = derived.matrix[:, self._columns]
        self._taps = kernel(head.sfreq, signals.l_freq, signals.h_freq, tuple(signals.notch))
        self.sfreq = float(head.sfreq if signals.sfreq == "as recorded" else signals.sfreq)
        self._resampling = Resampling.between(head.sfreq, self.sfreq)
        self.n_times = self._resampling.n_times(head.n_times)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples `start` to `stop`: whatever the stretch, the values that the whole recording gives.

        Beyond its ends the recording is continued by point reflection before it is filtered.

        Returns
        -------
        array (n_derivations, stop - start), float32
            Microvolts.

        Raises
        ------
        InputError
            If the file can't be read any more.
        """
        if not 0 <= start <= stop <= self.n_times:
            raise ValueError(f"samples {start} to {stop} of a signal of {self.n_times}")
        if start == stop:
            return np.empty((len(self.derivations), 0), np.float32)
        resampling = self._resampling
        if resampling.up == resampling.down:
            return self._filtered(start, stop).astype(np.float32)
        stretch = self._filtered(*resampling.needs(start, stop))
        return resampling.apply(stretch, start, stop).astype(np.float32)

    def _filtered(self, lo: int, hi: int) -> np.ndarray:
        """Derivations at the recorded rate, filtered; `lo` and `hi` may lie beyond the recording's ends."""
        half = (len(self._taps) - 1) // 2
        source, side = mirrored(lo - half, hi + half, self._n_recorded)
        ends = [0] * bool((side < 0).any()) + [self._n_recorded - 1] * bool((side > 0).any())
        needed = np.concatenate([source[source >= 0], np.array(ends, int)])
        first, last = int(needed.min()), int(needed.max())
        recorded = self._matrix @ self._recorded.read(self._columns, first, last + 1)
        stretch = recorded[:, np.where(source >= 0, source - first, 0)]
        stretch[:, side < 0] = 2 * recorded[:, :1] - stretch[:, side < 0]
        stretch[:, side > 0] = 2 * recorded[:, -1:] - stretch[:, side > 0]
        stretch[:, source < 0] = 0.0
        return convolve(stretch, self._taps)


def open_signal(path: Path | str, signals: Signals, derivations: Sequence[str] | None = None) -> Signal:
    """Open a recording, look at every sample once, and make ready to read its derivations.

    Parameters
    ----------
    path
        EDF, BDF or BrainVision header file.
    signals
        Montage, filters, sampling rate, and what to do with missing and flat channels.
    derivations
        Derivations to read, such as `common_derivations` finds; None for those of the montage (with
        `missing: exclude`, those of them that this recording has).

    Raises
    ------
    InputError
        If the file can't be read or is not whole, a derivation is missing, a channel that is used stands twice,
        holds values that are not finite or has no unit of voltage, or a filter does not fit the sampling rate.
    FlatChannels
        If channels that are used are flat and `signals.flat` is `exclude`.
    """
    head = header(path)
    _check_filters(head, signals)
    derived = derive(head.channels, signals.montage, derivations, signals.missing == "interpolate")
    may_lack = signals.missing == "exclude" and derivations is None
    if not derived.derivations or (derived.missing and not may_lack):
        raise InputError(_missing(head, signals, derived))
    recorded = Recorded(head)
    found = scan(recorded)
    flat = [column for column in _used(derived) if column in found.flat]
    names = [head.names[column] for column in flat]
    if flat and signals.flat == "exclude":
        raise FlatChannels(f"{path}: flat from start to end: {', '.join(names)} (signals.flat: exclude)")
    if flat and signals.flat == "interpolate":
        derived = derive(head.channels, signals.montage, derived.derivations, True, lacking=found.flat)
        if derived.missing:
            raise InputError(
                f"{path}: flat from start to end: {', '.join(names)}; the other channels do not give "
                f"{', '.join(derived.missing)}. Set signals.flat to keep or exclude"
            )
    found.check(_used(derived))
    return Signal(recorded, derived, signals, names)


def common_derivations(headers: Sequence[Header], signals: Signals) -> list[str]:
    """Derivations that a study uses, of every recording alike.

    Parameters
    ----------
    headers
        Headers of all recordings of the study.
    signals
        With `missing: exclude` the derivations are those that all recordings have, else all of the montage.
        `as recorded` takes the channels of the first recording, in its order.

    Raises
    ------
    InputError
        If a recording lacks a derivation, none is left, or `as recorded` meets different sets of channels.
    """
    if not headers:
        raise InputError("no recordings, so no derivations; give at least one recording")
    first = headers[0]
    wanted = None
    if signals.montage == "as recorded":
        wanted = recorded_names(first.channels)
        for other in headers:
            if signals.missing != "exclude" and set(recorded_names(other.channels)) != set(wanted):
                raise InputError(_differing(first, other))
    kept = None
    for head in headers:
        derived = derive(head.channels, signals.montage, wanted, signals.missing == "interpolate")
        if derived.missing and signals.missing != "exclude":
            raise InputError(_missing(head, signals, derived))
        kept = [name for name in (kept or derived.derivations) if name in derived.derivations]
        if not kept:
            raise InputError(_missing(head, signals, derived, "no derivation is left that every recording has"))
    return kept


def _used(derived: Derived) -> list[int]:
    return [int(column) for column in np.flatnonzero(np.any(derived.matrix != 0, axis=0))]


def _differing(first: Header, other: Header) -> str:
    here, there = set(recorded_names(first.channels)), set(recorded_names(other.channels))
    parts = [
        f"{', '.join(sorted(names))} only in {head.path}"
        for names, head in ((here - there, first), (there - here, other))
        if names
    ]
    return (
        f"{other.path}: other channels than {first.path}: {'; '.join(parts)}. With signals.montage 'as recorded' "
        "all must agree; set signals.missing: exclude to use what they share, or choose a montage"
    )


def _missing(head: Header, signals: Signals, derived: Derived, fault: str = "") -> str:
    there = [head.names[column] for column in head.eeg]
    fault = fault or f"missing for montage {signals.montage}: {', '.join(derived.missing) or 'every channel'}"
    found = f"EEG channels there: {', '.join(there)}" if there else f"no EEG among {', '.join(head.names)}"
    return f"{head.path}: {fault}; {found}. Choose another signals.montage or signals.missing"


def _check_filters(head: Header, signals: Signals) -> None:
    """Refuse filters beyond half the recorded rate, before they fail in the design."""
    nyquist = head.sfreq / 2
    edges = [("l_freq", signals.l_freq, 0.0), ("h_freq", signals.h_freq, 0.0)]
    # A notch's upper transition ends 1 Hz and a bit above its frequency, its lower begins as far below.
    edges += [("notch", value, 1.0 + value / 400) for value in signals.notch]
    for name, value, margin in edges:
        if value is not None and (value + margin >= nyquist or value - margin < 0):
            raise InputError(
                f"{head.path}: signals.{name} {value:g} Hz does not fit a recording of {head.sfreq:g} Hz (it must "
                f"lie {margin:.3g} Hz inside 0 to {nyquist:g} Hz)"
            )
