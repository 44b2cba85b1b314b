"""Files of annotations: which file belongs to a recording, and the lines of a file of text."""

import glob
import os
import re
from pathlib import Path

from eegwf.config.data import Annotations
from eegwf.config.patients import normalize_id
from eegwf.data.bids_folders import entries
from eegwf.data.signals.file_names import recording_name, recording_stem
from eegwf.errors import InputError

SIDECAR = "events.json"
# Relative to the folder of the recording.
DEFAULT_FILES = {
    "events": "{recording}_events.tsv",
    "hed": "{recording}_events.tsv",
    "tusz": "{stem}.csv_bi",
    "tse": "{stem}.tse",
    "chbmit": "*-summary.txt",
    "siena": "Seizures-list-*.txt",
    "helsinki": "annotations_2017.mat",
}
# Table of the first of three experts, and those of the others beside it; one of A was published again with `_fixed`.
EXPERT_TABLE = re.compile(r"(.*_)A(?:_fixed)?(\.csv)", re.IGNORECASE)


def locate(path: Path, patient: str, annotations: Annotations) -> list[Path]:
    """Find the file of annotations of a recording.

    Parameters
    ----------
    path
        File of the recording.
    patient
        Id of the patient.
    annotations
        Format and place of the annotations.

    Returns
    -------
    list of Path
        One file, which may not exist; none or several if the place has wildcards.
    """
    if annotations.format == "edf":
        return [path]
    template = annotations.file or DEFAULT_FILES[annotations.format]
    target = Path(os.path.realpath(path))
    fields = {
        "stem": recording_stem(path),
        "recording": recording_name(path),
        "patient": patient,
        "folder": str(target.parent),
        "target": str(target.with_name(recording_stem(target))),
    }
    if glob.has_magic(template):
        pattern = template.format(**{name: glob.escape(text) for name, text in fields.items()})
        # The pattern may be absolute.
        found = glob.glob(str(Path(glob.escape(str(path.parent)), pattern)))  # noqa: PTH207
        return sorted(Path(name) for name in found)
    return [_in_any_spelling(path.parent / template.format(**fields))]


def find_sidecars(path: Path, root: Path) -> tuple[Path, ...]:
    """Find the `_events.json` that apply to a recording, in its folder and the folders above it (BIDS inheritance).

    Parameters
    ----------
    path
        File of the recording.
    root
        Root of the data set.

    Returns
    -------
    tuple of Path
        From the root to the recording's folder; later files have priority.
    """
    entities = set(normalize_id(recording_name(path)).split("_"))
    folders = [path.parent, *path.parent.parents]
    folders = folders[: folders.index(root) + 1] if root in folders else folders[:1]
    return tuple(
        folder / name
        for folder in reversed(folders)
        for name in entries(folder)
        if name == SIDECAR or (name.endswith(f"_{SIDECAR}") and _entities(name) <= entities)
    )


def expert_tables(path: Path) -> tuple[Path, ...]:
    """Tables of three experts, from that of the first.

    Parameters
    ----------
    path
        `annotations_2017_A_fixed.csv`, `annotations_2017_A.csv`, or a file with the annotations of all experts.

    Returns
    -------
    tuple of Path
        The table and those of experts B and C, which may be missing; for other names, the file alone.
    """
    match = EXPERT_TABLE.fullmatch(path.name)
    if match is None:
        return (path,)
    return (path, *(path.with_name(f"{match[1]}{expert}{match[2]}") for expert in "BC"))


def further_files(path: Path, root: Path, annotations: Annotations, place: Path) -> tuple[Path, ...]:
    """Files on which the events of a recording depend, besides that of its annotations.

    Parameters
    ----------
    path
        File of the recording.
    root
        Root of the data set.
    annotations
        Format of the annotations.
    place
        File of the annotations.

    Returns
    -------
    tuple of Path
        With the format `hed`, the `_events.json` that apply; with `helsinki`, the tables of the other experts.
    """
    if annotations.format == "helsinki":
        return expert_tables(place)[1:]
    return find_sidecars(path, root) if annotations.format == "hed" else ()


def _entities(name: str) -> set[str]:
    return set(normalize_id(name.removesuffix(f"_{SIDECAR}")).split("_"))


def original_names(path: Path) -> set[str]:
    """Names that a recording can have in a list of recordings: its own, and that of the file to which it is a link."""
    return {path.name.casefold(), Path(os.path.realpath(path)).name.casefold()}


def read_lines(path: Path) -> list[str]:
    """Read the lines of a file of text in UTF-8, UTF-16 or Latin-1.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of str
        Lines without surrounding blanks.

    Raises
    ------
    InputError
        If the file is missing or no text.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; correct dataset.annotations.file") from None
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        if wide:
            raise InputError(f"{path}: not a text in UTF-8 or UTF-16 ({error}); save it again in UTF-8") from None
        text = content.decode("latin-1")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(f"{path}, line {line}: not a text (it contains bytes of value 0); save it in UTF-8")
    return [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def _in_any_spelling(path: Path) -> Path:
    """A file, also if its name has another Unicode spelling."""
    if path.name.isascii() or path.exists():
        return path
    same = [other for other in entries(path.parent) if normalize_id(other) == normalize_id(path.name)]
    return path.with_name(same[0] if same else path.name)
