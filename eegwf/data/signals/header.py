"""Headers of recordings, read and checked without reading samples."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from eegwf.config.channels import Channels, spelling
from eegwf.data.signals import mne_open
from eegwf.data.signals.brainvision import read_brainvision_header
from eegwf.data.signals.channel_table import (
    NO_VALUE,
    ChannelRow,
    channel_table_path,
    read_channel_table,
)
from eegwf.data.signals.channels import Channel, parse_channel
from eegwf.data.signals.edf import EdfHeader, read_edf_header
from eegwf.data.signals.eeglab import read_eeglab_header
from eegwf.data.signals.file_header import FileHeader
from eegwf.data.signals.file_names import SUFFIXES, recording_suffix
from eegwf.data.signals.mne_formats import read_mne_header
from eegwf.data.signals.naming import name_channels
from eegwf.data.signals.persyst import read_persyst_header
from eegwf.data.signals.samples import EdfSamples, Samples
from eegwf.data.signals.stretches import Stretch, describe_gaps, span
from eegwf.data.signals.units import microvolts_of, nominal_rate
from eegwf.errors import InputError

AS_NAMED = Channels()
# Reader of the header for each suffix except those of EDF and BDF.
READERS: dict[str, Callable[[Path], FileHeader]] = {
    ".vhdr": read_brainvision_header,
    ".lay": read_persyst_header,
    ".set": read_eeglab_header,
    **dict.fromkeys(mne_open.READERS, read_mne_header),
}


@dataclass(frozen=True)
class Header:
    """Header of a recording.

    Attributes
    ----------
    path
        The file; of several files, that with the header.
    sfreq
        Sampling rate of the EEG channels in Hz; the most frequent one if they differ.
    n_times
        Samples of each EEG channel of that rate in the file.
    stretches
        Parts of the recording between its gaps; one if it has none.
    names
        Names of all channels except annotations, as in the file.
    channels
        The channels according to their names; None for a channel that is not EEG.
    units
        Physical units as in the file.
    to_microvolts
        Microvolts of each unit; NaN if it is not a unit of voltage.
    samples
        Reader of the samples, in microvolts.
    faults
        For each channel the reason why it can't be used, such as an impossible range; "" if it can.
    notes
        Peculiarities of the file that do not prevent its use.
    started
        Date and time of the first sample, of other formats than EDF; None if it is not known.
    bad
        Indices of the channels that are not used because of their status in `_channels.tsv`.
    """

    path: Path
    sfreq: float
    n_times: int
    stretches: tuple[Stretch, ...]
    names: tuple[str, ...]
    channels: tuple[Channel | None, ...]
    units: tuple[str, ...]
    to_microvolts: tuple[float, ...]
    samples: Samples
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()
    started: datetime | None = None
    bad: tuple[int, ...] = ()

    @property
    def duration(self) -> float:
        """Recorded seconds, without gaps."""
        return self.n_times / self.sfreq

    @property
    def span(self) -> float:
        """Seconds from the first sample to the end of the last, with gaps."""
        return span(self.stretches, self.sfreq)

    @property
    def eeg(self) -> tuple[int, ...]:
        """Indices of the EEG channels."""
        return tuple(index for index, channel in enumerate(self.channels) if channel is not None)


def header(path: Path | str, channels: Channels = AS_NAMED) -> Header:
    """Read and check the header of a recording.

    Parameters
    ----------
    path
        File with one of the suffixes of `file_names.SUFFIXES`; of several files, that with the header.
    channels
        Names of channels that are not those of the 10-20 system.

    Returns
    -------
    Header

    Raises
    ------
    InputError
        If the file or a part of it is missing, empty, cut off or of an unknown format, or if its header is invalid. An
        invalid field of a single channel is one of the `faults`.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    suffix = recording_suffix(path)
    try:
        if suffix.removesuffix(".gz") in (".edf", ".bdf"):
            return _with_table(_edf(path, read_edf_header(path), channels), channels)
        if suffix in READERS:
            return _with_table(_header(path, READERS[suffix](path), channels), channels)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror or error}); fetch it again") from error
    raise InputError(f"{path}: unknown format; the recording must be one of {', '.join(SUFFIXES)}")


def _edf(path: Path, edf: EdfHeader, settings: Channels) -> Header:
    channels = name_channels(edf.labels, settings)
    sampled = [index for index, length in enumerate(edf.n_samples) if length]
    if not sampled:
        if any(channels):
            raise InputError(next(fault for fault, channel in zip(edf.faults, channels, strict=True) if channel))
        raise InputError(f"{path}: contains annotations only, no signals; remove it from the data set")
    eeg = [index for index in sampled if channels[index] is not None] or sampled[:1]
    length = Counter(edf.n_samples[index] for index in eeg).most_common(1)[0][0]
    sfreq, notes = _rounded(length / edf.record_length)
    stretches = tuple(Stretch(item.start * length, item.stop * length, item.onset) for item in edf.stretches)
    gaps = describe_gaps(stretches, sfreq)
    return Header(
        path=path,
        sfreq=sfreq,
        n_times=length * edf.n_records,
        stretches=stretches,
        names=edf.labels,
        channels=channels,
        units=edf.units,
        to_microvolts=edf.samples.to_microvolts,
        samples=edf.samples,
        faults=_with_rates(path, edf, eeg, length),
        notes=edf.notes + notes + (gaps,) * bool(gaps),
    )


def _with_rates(path: Path, edf: EdfHeader, eeg: list[int], length: int) -> tuple[str, ...]:
    """Faults of the signals, with those of EEG channels that have not the rate of most of them."""
    faults = list(edf.faults)
    first = next(index for index in eeg if edf.n_samples[index] == length)
    for index in eeg:
        if edf.n_samples[index] != length:
            rates = [edf.n_samples[number] / edf.record_length for number in (first, index)]
            faults[index] = faults[index] or (
                f"{path}: EEG channels of different sampling rates: {edf.labels[first]!r} {rates[0]:g} Hz, "
                f"{edf.labels[index]!r} {rates[1]:g} Hz; export them at one rate"
            )
    return tuple(faults)


def _header(path: Path, content: FileHeader, settings: Channels) -> Header:
    sfreq, notes = _rounded(content.sfreq)
    channels = name_channels(content.names, settings)
    return Header(
        path=path,
        sfreq=sfreq,
        n_times=content.n_times,
        stretches=content.stretches,
        started=content.started,
        names=content.names,
        channels=tuple(None if index in content.not_eeg else channel for index, channel in enumerate(channels)),
        units=content.units,
        to_microvolts=tuple(microvolts_of(unit) for unit in content.units),
        samples=content.samples,
        faults=content.faults,
        notes=content.notes + notes,
    )


def _with_table(head: Header, settings: Channels) -> Header:
    """The header with the status and the units of channels in `_channels.tsv`."""
    if settings.status == "exclude_bad":
        head = _without_bad(head, read_channel_table(head.path), settings)
    lacking = [column for column in head.eeg if head.units[column].lower() in NO_VALUE]
    if not lacking or not isinstance(head.samples, EdfSamples):
        return head
    try:
        written = {spelling(row.name): row.unit for row in read_channel_table(head.path)}
    except InputError as error:
        faults = tuple(text or str(error) * (column in lacking) for column, text in enumerate(head.faults))
        return replace(head, faults=faults)
    units, sources = list(head.units), {}
    for column in lacking:
        unit = written.get(spelling(head.names[column]), "")
        units[column] = unit or settings.unit or head.units[column]
        if unit or settings.unit:
            sources[units[column]] = channel_table_path(head.path).name if unit else "channels.unit"
    factors = tuple(microvolts_of(unit) for unit in units)
    note = ", ".join(f"{unit} ({source})" for unit, source in sources.items())
    return replace(
        head,
        units=tuple(units),
        to_microvolts=factors,
        samples=replace(head.samples, to_microvolts=factors),
        notes=head.notes + ((f"unit not in the header: {note}",) if note else ()),
    )


def _without_bad(head: Header, rows: list[ChannelRow], settings: Channels) -> Header:
    """The header with the channels whose status is bad as channels that are not EEG."""
    bad: set[int] = set()
    for row in rows:
        if not row.bad:
            continue
        columns = {column for column, name in enumerate(head.names) if spelling(name) == spelling(row.name)}
        if not columns:
            channel = parse_channel(row.name, settings.references) or Channel(row.name)
            columns = {column for column in head.eeg if head.channels[column] == channel}
        if not columns:
            raise InputError(
                f"{channel_table_path(head.path)}: line {row.line}: {row.name!r} has the status bad, but the recording "
                f"has no channel of this name; write the names as in {head.path.name}, or set channels.status: ignore"
            )
        bad |= columns
    if not bad:
        return head
    channels = tuple(None if column in bad else channel for column, channel in enumerate(head.channels))
    names = ", ".join(head.names[column] for column in sorted(bad))
    notes = (*head.notes, f"not used because of their status bad: {names}")
    return replace(head, channels=channels, bad=tuple(sorted(bad)), notes=notes)


def _rounded(sfreq: float) -> tuple[float, tuple[str, ...]]:
    """The nominal sampling rate, with a note if the header has another one."""
    nominal = nominal_rate(sfreq)
    if abs(nominal - sfreq) <= 1e-9 * sfreq:
        return nominal, ()
    return nominal, (f"sampling rate {sfreq:.10g} Hz in the header, read as {nominal:g} Hz",)
