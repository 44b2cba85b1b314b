"""Files of the result: copies of recordings, links to them, and texts that are written only if they change."""

import os
import shutil
from pathlib import Path

from eegwf.errors import InputError
from eegwf.storage.files import replacing, write_text

CHUNK_BYTES = 1 << 20


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, unless the copy is there with the same size and time of modification.

    Parameters
    ----------
    source
        The file.
    target
        The copy, which has the time of modification of the file. It appears when it is complete.

    Raises
    ------
    InputError
        If the file changes while it is copied.
    """
    status = source.stat()
    if not target.is_symlink() and target.is_file() and _stamp(target.stat()) == _stamp(status):
        return
    with open(source, "rb") as content, replacing(target) as copy:
        shutil.copyfileobj(content, copy, CHUNK_BYTES)
        if copy.tell() != status.st_size or _stamp(source.stat()) != _stamp(status):
            raise InputError(f"{source}: changed while it was copied; run the command again")
        copy.flush()
        os.utime(copy.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))


def link_file(source: Path, target: Path) -> None:
    """Make a symbolic link to a file, relative to its own folder.

    Parameters
    ----------
    source
        The file; of a link, its target is linked.
    target
        The link.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    place = os.path.relpath(os.path.realpath(source), os.path.realpath(target.parent))
    if target.is_symlink() and str(target.readlink()) == place:
        return
    temporary = target.with_name(f".{target.name}.link")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(place)
    temporary.replace(target)


def write_changed(path: Path, text: str) -> None:
    """Write a text file, unless it has this content.

    Parameters
    ----------
    path
        The file. A link is replaced, not followed.
    text
        Its content.
    """
    if path.is_symlink() or not path.is_file() or path.read_bytes() != text.encode():
        write_text(path, text)


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
