"""Files opened by MNE, with errors of one line, and checks of what MNE expects against the files."""

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from eegwf.data.signals.file_names import recording_suffix
from eegwf.data.signals.mne_checks import ADVICE, check_tags
from eegwf.errors import InputError

# MNE's reader for each suffix.
READERS = {
    ".fif": "read_raw_fif",
    ".fif.gz": "read_raw_fif",
    ".gdf": "read_raw_gdf",
    ".cnt": "read_raw_cnt",
    ".eeg": "read_raw_nihon",
}
# CNT: where the header marks bad channels; by default, MNE also takes the fifth letter of a name for such a mark.
_OPTIONS = {".cnt": {"header": "new"}}
# Warnings of MNE that mean that a file is damaged.
_DAMAGE = re.compile(r"tag directory missing|raw buffer could not be read")
# Path, size and time of change of each file of a recording.
State = tuple[tuple[str, int, int], ...]


def open_raw(path: Path) -> tuple[Any, list[str]]:
    """Open a recording by MNE, without reading samples, and compare what MNE expects with the sizes of the files.

    Parameters
    ----------
    path
        File of the recording.

    Returns
    -------
    raw : mne.io.BaseRaw
    messages : list of str
        Warnings of its reader.

    Raises
    ------
    InputError
        If MNE can't read it, or a file is cut off.
    """
    import mne

    with one_line(path), recorded_warnings(path) as caught:
        suffix = recording_suffix(path)
        reader = getattr(mne.io, READERS[suffix])
        raw = reader(path.absolute(), preload=False, verbose="WARNING", **_OPTIONS.get(suffix, {}))
        _check_raw(path, raw)
    return raw, [str(warning.message) for warning in caught]


@contextmanager
def recorded_warnings(path: Path) -> Iterator[list[warnings.WarningMessage]]:
    """Record the warnings of MNE instead of printing them, and take those about damaged files for errors.

    Parameters
    ----------
    path
        File of the recording.

    Yields
    ------
    list of WarningMessage
        Filled while MNE reads.

    Raises
    ------
    InputError
        If a warning means that the file is damaged.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
    damage = next((text for text in (str(warning.message) for warning in caught) if _DAMAGE.search(text)), None)
    if damage is not None:
        raise InputError(f"{path}: cut off or damaged ({_shortened(damage)}); fetch or export it again")


@contextmanager
def one_line(path: Path) -> Iterator[None]:
    """Turn any error of MNE into one of a single line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        text = str(error)
        if "No raw data" in text:
            raise InputError(f"{path}: epochs or averages, expected a continuous recording; remove it") from error
        cause = _shortened(text) or type(error).__name__
        if isinstance(error, FileNotFoundError) or "does not exist" in text:
            raise InputError(f"{path}: one of its files is not beside it ({cause}); fetch it") from error
        raise InputError(f"{path}: can't be read by MNE ({cause}); fetch it again, or {ADVICE}") from error


def _shortened(text: str) -> str:
    return " ".join(text.split())[:300]


def _check_raw(path: Path, raw: Any) -> None:
    """Compare the samples that MNE expects with the sizes of the files."""
    if raw.n_times <= 0:
        raise InputError(f"{path}: contains no samples; fetch or export it again")
    suffix = recording_suffix(path)
    if suffix.startswith(".fif"):
        for extra, file in zip(raw._raw_extras, raw.filenames, strict=True):
            if suffix == ".fif":
                check_tags(Path(file))
                ends = [entry.pos + 16 + entry.size for entry in extra["ent"] if entry is not None]
                if max(ends, default=0) > Path(file).stat().st_size:
                    raise InputError(f"{file}: cut off within its samples; fetch or export it again")
        if raw._dtype == np.complex128:
            raise InputError(f"{path}: complex numbers, expected voltages; remove it from the data set")


def file_state(path: Path, files: Iterable[Path]) -> State:
    """Size and time of change of the files of a recording.

    Parameters
    ----------
    path
        File of the recording.
    files
        All its files.

    Returns
    -------
    State

    Raises
    ------
    InputError
        If one of them can't be read.
    """
    try:
        states = [(file, file.stat()) for file in files]
    except OSError as error:
        raise InputError(f"{path}: a file of it can't be read ({error.strerror}); fetch it again") from error
    return tuple((str(file), state.st_size, state.st_mtime_ns) for file, state in states)
