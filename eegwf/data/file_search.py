"""Search of files below a folder by patterns of their paths, such as `chb*/chb*.edf` and `edf/**/*.edf`."""

import fnmatch
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path

from eegwf.config.file_layout import ANY_FOLDERS, split_pattern
from eegwf.config.patients import normalize_id

# Wildcards do not stand for folders of this name, which contain results; a pattern can name them.
DERIVATIVES = "derivatives"
# Parts of a path below the root.
Place = tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A name in a folder.

    Attributes
    ----------
    name
        The name.
    is_folder
        Whether it is a folder, or a link to one.
    is_link
        Whether it is a link.
    """

    name: str
    is_folder: bool
    is_link: bool


@dataclass
class Folders:
    """Contents of folders, each listed once.

    Attributes
    ----------
    unlisted
        Why folders can't be listed, by path.
    """

    unlisted: dict[str, str] = field(default_factory=dict)
    _listed: dict[str, list[Entry]] = field(default_factory=dict)

    def entries(self, path: str) -> list[Entry]:
        """Names in a folder in alphabetical order; none if it can't be listed."""
        if path not in self._listed:
            self._listed[path] = self._list(path)
        return self._listed[path]

    def _list(self, path: str) -> list[Entry]:
        try:
            with os.scandir(path) as found:
                listed = [Entry(entry.name, _is_folder(entry), entry.is_symlink()) for entry in found]
        except OSError as error:
            self.unlisted[path] = error.strerror or type(error).__name__
            return []
        return sorted(listed, key=lambda entry: (normalize_id(entry.name), entry.name))


@dataclass
class Matches:
    """Files that match patterns.

    Attributes
    ----------
    files
        Path relative to the root, by the real path of the folder and the name; a folder that is reached under several
        names is searched under that with the fewest links.
    again
        Folders that are not searched, because they are links to folders that are.
    """

    files: dict[tuple[str, str], Path] = field(default_factory=dict)
    again: list[Path] = field(default_factory=list)


def search(root: Path, patterns: Iterable[str], folders: Folders) -> Matches:
    """Find the files whose paths match a pattern.

    Links are followed. For each pattern, a folder is searched once, so that links in circles end.

    Parameters
    ----------
    root
        Folder to which the patterns are relative.
    patterns
        Valid patterns (`eegwf.config.file_layout.check_patterns`).
    folders
        Contents of the folders.

    Returns
    -------
    Matches
        Also folders whose name matches that of a file, and links to missing files.
    """
    compiled = [tuple(map(_Name, split_pattern(pattern))) for pattern in patterns]
    matches = Matches()
    # Number of links, parts of the path, number of the pattern, number of its part, real path.
    queue: list[tuple[int, Place, int, int, str]] = []
    base = os.path.realpath(root)
    for number in range(len(compiled)):
        heappush(queue, (0, (), number, 0, base))
    searched: dict[tuple[str, int, int], Place] = {}
    again: dict[Place, None] = {}
    while queue:
        links, place, number, index, real = heappop(queue)
        if searched.setdefault((real, number, index), place) != place:
            again[place] = None
            continue
        part, is_last = compiled[number][index], index == len(compiled[number]) - 1
        if part.any_folders:
            heappush(queue, (links, place, number, index + 1, real))
        for entry in folders.entries(real):
            if not part.matches(entry.name):
                continue
            inner = (*place, entry.name)
            if is_last:
                matches.files.setdefault((real, entry.name), Path(*inner))
            elif entry.is_folder:
                path = _inside(real, entry.name)
                if entry.is_link:
                    path = os.path.realpath(path)
                    if f"{real}/".startswith(f"{path.rstrip('/')}/"):  # a folder above
                        again[inner] = None
                        continue
                heappush(queue, (links + entry.is_link, inner, number, index + (not part.any_folders), path))
    matches.again = [Path(*place) for place in again]
    return matches


def files_below(root: Path, folders: Folders, pattern: re.Pattern[str]) -> dict[tuple[str, str], Path]:
    """Find all files whose names match a pattern.

    Parameters
    ----------
    root
        Folder that is searched. Links to folders are not followed, and neither hidden folders nor `derivatives` are
        searched.
    folders
        Contents of the folders.
    pattern
        Pattern of the names.

    Returns
    -------
    dict
        As `Matches.files`, in the order of the paths.
    """
    found: dict[tuple[str, str], Path] = {}
    pending: list[tuple[str, Place]] = [(os.path.realpath(root), ())]
    while pending:
        real, place = pending.pop()
        for entry in folders.entries(real):
            inner = (*place, entry.name)
            if _is_skipped(entry.name):
                continue
            if pattern.fullmatch(entry.name):
                found[real, entry.name] = Path(*inner)
            elif entry.is_folder and not entry.is_link:
                pending.append((_inside(real, entry.name), inner))
    return dict(sorted(found.items(), key=lambda item: item[1]))


class _Name:
    """A part of a pattern: that of a name, or `**`."""

    def __init__(self, text: str):
        self.any_folders = text == ANY_FOLDERS
        self._text = normalize_id(text)
        self._is_literal = not re.search(r"[*?[]", text)
        self._finds_hidden = text.startswith(".")
        self._match = re.compile(fnmatch.translate(self._text)).match

    def matches(self, name: str) -> bool:
        """Whether a name has the pattern; the suffix may be in upper case."""
        name = normalize_id(name)
        suffix = Path(name).suffix
        spellings = (name, name.removesuffix(suffix) + suffix.lower())
        if self._is_literal:
            return self._text in spellings
        if _is_skipped(name) and not self._finds_hidden:
            return False
        return self.any_folders or any(map(self._match, spellings))


def _inside(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name == DERIVATIVES


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False
