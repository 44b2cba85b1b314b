"""Names of recordings: formats by their suffix, and the files that belong to a recording."""

import re
from pathlib import Path

from eegwf.data.signals.brainvision_files import companion_files
from eegwf.data.signals.persyst import named_data_file

# Suffixes of the files that are recordings; `.eeg` only if it is one of Nihon Kohden, see `is_recording`.
PREFERRED = (".edf", ".bdf", ".vhdr")
SUFFIXES = (*PREFERRED, ".edf.gz", ".bdf.gz", ".set", ".fif", ".fif.gz", ".lay", ".cnt", ".gdf", ".eeg")
# Further files that hold samples, segments or the names of channels.
COMPANION_SUFFIXES = (".dat", ".vmrk", ".fdt", ".21e")
# Files of Nihon Kohden begin with the name of the device; BrainVision data files, of the same suffix, with samples.
NIHON_KOHDEN = re.compile(rb"(EEG-1100[ABC]|QI-403A  |EEG-2100 |DAE-2100D|EEG-1200A) V\d\d\.\d\d")
_PART = re.compile(r"(.*)_split-0*(\d+)(_eeg\.fif(?:\.gz)?)", re.IGNORECASE)


def recording_suffix(path: Path) -> str:
    """Suffix of a recording in lower case, with that before `.gz`: `.edf`, `.edf.gz`."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() + suffix if suffix == ".gz" else suffix


def recording_stem(path: Path) -> str:
    """File name of a recording without its suffix: `sub-01_run-02_eeg`."""
    return path.name[: len(path.name) - len(recording_suffix(path))]


def recording_name(path: Path) -> str:
    """Name of a recording: its stem without `_eeg`, and without the number of a first part (`split-01`)."""
    name = recording_stem(path).removesuffix("_eeg")
    return re.sub(r"_split-0*1$", "", name) if recording_suffix(path).startswith(".fif") else name


def is_nihon_kohden(path: Path) -> bool:
    """Whether a file with the suffix `.eeg` is a recording of Nihon Kohden, by its first bytes."""
    try:
        with open(path, "rb") as file:
            return NIHON_KOHDEN.fullmatch(file.read(16)) is not None
    except OSError:
        return False


def without_part(stem: str) -> str:
    """Stem of a recording without the number of a part: `sub-01_eeg` for `sub-01_split-02_eeg`."""
    return re.sub(r"_split-\d+(?=_eeg$)", "", stem)


def is_recording(path: Path) -> bool:
    """Determine whether a file of a BIDS data set is a recording: its name ends with `_eeg` and a suffix of one."""
    return recording_stem(path).endswith("_eeg") and is_readable(path)


def is_readable(path: Path) -> bool:
    """Determine whether a file is a recording, not another file, a part of a recording, or its copy in another format.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bool
        By its name; for `.eeg` by its first bytes. Parts of a FIF recording after the first (`split-02`) belong to the
        first one. Of a recording in EDF, BDF or BrainVision, files in other formats are not read.
    """
    suffix, stem = recording_suffix(path), recording_stem(path)
    if suffix not in SUFFIXES or path.name.startswith("."):
        return False
    if suffix in PREFERRED:
        return True
    if any(path.with_name(stem + other).exists() for other in PREFERRED) or _is_later_part(path):
        return False
    return suffix != ".eeg" or is_nihon_kohden(path)


def _is_later_part(path: Path) -> bool:
    match = _PART.fullmatch(path.name)
    if match is None or int(match[2]) < 2:
        return False
    return any(path.with_name(f"{match[1]}_split-{first}{match[3]}").exists() for first in ("01", "1", "001"))


def recording_files(path: Path) -> list[Path]:
    """List the files on which a recording depends: all with its stem, and those of other names.

    Parameters
    ----------
    path
        File of the recording.

    Returns
    -------
    list of Path
        Existing files in alphabetical order. Without an `.fdt` of its stem, a recording of EEGLAB depends on all `.fdt`
        of the folder, since its own one is named within the file.
    """
    stem, suffix, folder = recording_stem(path), recording_suffix(path), path.parent
    names = list(folder.iterdir())
    files = {file for file in names if file.name.startswith(f"{stem}.")}
    if suffix == ".vhdr":
        files.update(companion_files(path))
    elif suffix == ".lay":
        files.update(file for file in [named_data_file(path)] if file is not None)
    elif suffix == ".set" and not any(file.suffix.lower() == ".fdt" for file in files):
        files.update(file for file in names if file.suffix.lower() == ".fdt")
    elif suffix.startswith(".fif"):
        part = _PART.fullmatch(path.name)
        first, last = (f"{part[1]}_split-", part[3]) if part else (f"{stem}-", suffix)
        pattern = re.compile(rf"{re.escape(first)}\d+{re.escape(last)}", re.IGNORECASE)
        files.update(file for file in names if pattern.fullmatch(file.name))
    return sorted(file for file in files if file.is_file())
