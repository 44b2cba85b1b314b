"""Headers of recordings, read and checked without reading samples."""

import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eegwf.data.signals.channels import Channel, parse_channel
from eegwf.data.signals.edf import read_edf_header
from eegwf.errors import InputError

_MICROVOLTS = {"uv": 1.0, "µv": 1.0, "μv": 1.0, "\x83\xcav": 1.0, "mv": 1e3, "v": 1e6, "nv": 1e-3}
# Units of an EDF file that MNE converts to volts; it does not scale the samples in any other unit.
_CONVERTED_BY_MNE = ("\u03bcV", "\u00b5V", "\x83\xcaV", "uV", "mV")


@dataclass(frozen=True)
class Header:
    """Header of a recording.

    Attributes
    ----------
    path
        EDF, BDF or BrainVision header file.
    sfreq
        Sampling rate of the EEG channels in Hz.
    n_times
        Samples of each EEG channel.
    names
        Names of all channels except annotations, as in the file.
    channels
        The channels parsed from their names; None for a channel that is not EEG.
    units
        Physical units as in the file.
    to_microvolts
        Factor from the values that MNE returns to microvolts; NaN if the unit is not a unit of voltage.
    """

    path: Path
    sfreq: float
    n_times: int
    names: tuple[str, ...]
    channels: tuple[Channel | None, ...]
    units: tuple[str, ...]
    to_microvolts: tuple[float, ...]

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.n_times / self.sfreq

    @property
    def eeg(self) -> tuple[int, ...]:
        """Indices of the EEG channels."""
        return tuple(index for index, channel in enumerate(self.channels) if channel is not None)


def header(path: Path | str) -> Header:
    """Read and check the header of a recording (EDF, EDF+, BDF or BrainVision).

    Parameters
    ----------
    path
        EDF, BDF or BrainVision header file.

    Returns
    -------
    Header

    Raises
    ------
    InputError
        If the file or a part of it is missing, empty, cut off, discontinuous or of an unknown format, if its header
        is invalid, or if its EEG channels have different sampling rates.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix == ".vhdr":
        return _brainvision(path)
    if suffix in (".edf", ".bdf"):
        return _edf(path)
    raise InputError(f"{path}: unknown format; the recording must be .edf, .bdf or .vhdr")


def open_raw(head: Header) -> tuple[Any, dict[int, int]]:
    """Open a recording as an MNE Raw object without loading samples.

    Parameters
    ----------
    head
        Header of the recording.

    Returns
    -------
    raw : mne.io.BaseRaw
        The recording; its values are in volts.
    rows : dict
        Row in `raw` of each EEG channel, by its index in the header.

    Raises
    ------
    InputError
        If MNE can't open it.
    """
    if head.path.suffix.lower() == ".vhdr":
        return _open_brainvision(head.path), {index: index for index in head.eeg}
    import mne

    read = mne.io.read_raw_bdf if head.path.suffix.lower() == ".bdf" else mne.io.read_raw_edf
    # Only EEG channels are included, because MNE resamples all channels that it reads to the highest rate among them.
    names = sorted({head.names[index] for index in head.eeg})
    with convert_mne_errors(head.path):
        raw = read(head.path, include=names, stim_channel=None, encoding="latin1", verbose="ERROR")
    return raw, {index: row for row, index in enumerate(head.eeg)}


@contextmanager
def convert_mne_errors(path: Path) -> Iterator[None]:
    """Suppress MNE's warnings, and convert its exceptions to an InputError with the name of the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (InputError, MemoryError):
            raise
        except Exception as error:
            cause = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"{path}: can't be read ({cause}); fetch or export it again") from error


def _edf(path: Path) -> Header:
    edf = read_edf_header(path)
    channels = tuple(parse_channel(label) for label in edf.labels)
    eeg = [index for index, channel in enumerate(channels) if channel is not None] or range(min(1, len(channels)))
    if not eeg:
        raise InputError(f"{path}: contains annotations only, no signals; remove it from the data set")
    other = next((index for index in eeg if edf.n_samples[index] != edf.n_samples[eeg[0]]), None)
    if other is not None:
        rates = [edf.n_samples[index] / edf.record_length for index in (eeg[0], other)]
        raise InputError(
            f"{path}: EEG channels of different sampling rates: {edf.labels[eeg[0]]!r} {rates[0]:g} Hz, "
            f"{edf.labels[other]!r} {rates[1]:g} Hz; export them at one rate"
        )
    factors = [1e6 if unit in _CONVERTED_BY_MNE else _MICROVOLTS.get(unit.lower(), math.nan) for unit in edf.units]
    return Header(
        path=path,
        sfreq=edf.n_samples[eeg[0]] / edf.record_length,
        n_times=edf.n_samples[eeg[0]] * edf.n_records,
        names=edf.labels,
        channels=channels,
        units=edf.units,
        to_microvolts=tuple(factors),
    )


def _brainvision(path: Path) -> Header:
    text = path.read_bytes().decode("utf-8", errors="replace")
    if not text.strip():
        raise InputError(f"{path}: empty; fetch or export it again")
    data = _named_file(path, text, "DataFile")
    if data is None or not data.is_file():
        raise InputError(
            f"{path}: its data file {data.name if data else 'DataFile='} is not beside it; fetch it, or correct "
            "DataFile= if it was renamed"
        )
    markers = _named_file(path, text, "MarkerFile")
    if markers is not None and not markers.is_file() and not path.with_suffix(".vmrk").is_file():
        raise InputError(f"{path}: its marker file {markers.name} is not beside it; fetch it, or correct MarkerFile=")
    raw = _open_brainvision(path)
    points = re.search(r"^DataPoints\s*=\s*(\d+)", text, re.MULTILINE)
    if points and int(points[1]) != raw.n_times:
        raise InputError(
            f"{data}: cut off or too long: {path.name} declares {points[1]} samples, the file contains {raw.n_times}; "
            "fetch or export it again"
        )
    if raw.n_times == 0:
        raise InputError(f"{data}: empty; fetch or export it again")
    if not math.isfinite(raw.info["sfreq"]) or raw.info["sfreq"] <= 0:
        raise InputError(f"{path}: invalid header: the sampling rate is {raw.info['sfreq']} Hz; export it again")
    units = tuple(raw._orig_units.get(name, "") for name in raw.ch_names)
    voltages = [unit.lower() in _MICROVOLTS for unit in units]
    return Header(
        path=path,
        sfreq=float(raw.info["sfreq"]),
        n_times=int(raw.n_times),
        names=tuple(raw.ch_names),
        channels=tuple(parse_channel(name) for name in raw.ch_names),
        units=units,
        to_microvolts=tuple(1e6 if voltage else math.nan for voltage in voltages),
    )


def _named_file(path: Path, text: str, key: str) -> Path | None:
    match = re.search(rf"^{key}\s*=\s*(.+?)\s*$", text, re.MULTILINE)
    return path.with_name(match[1].replace("$b", path.stem)) if match else None


def _open_brainvision(path: Path) -> Any:
    import mne

    with convert_mne_errors(path):
        return mne.io.read_raw_brainvision(path, verbose="ERROR")
