"""Arrays on a node's own disk: copied there once for all jobs of a node, and removed by the last of them.

Trainings read rows at random, which a disk behind a network answers slowly.
"""

import atexit
import fcntl
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from eegwf.errors import InputError
from eegwf.storage.files import digest
from eegwf.storage.locks import held, try_lock

# Of a job's environment rather than its command, since no result depends on it.
VARIABLE = "EEGWF_SCRATCH"
# Left free on the disk.
SPARE = 1 << 30


def scratch_folder(named: str) -> Path | None:
    """The folder that `cluster.scratch` stands for on this machine; None if a variable in it is not set here."""
    path = Path(os.path.expandvars(named)).expanduser()
    return path if path.is_absolute() and "$" not in str(path) else None


def staged(array: Path) -> Path:
    """Copy of an array on the disk that `cluster.scratch` names; the array itself if none is, or if it does not fit.

    The copy is kept for this process until it ends, however it does: a lock that it shares with others says so.

    Raises
    ------
    InputError
        If the folder can't be used.
    """
    scratch = os.environ.get(VARIABLE, "")
    if not scratch:
        return array
    place = scratch_folder(scratch)
    if place is None:
        return _in_place(array, f"cluster.scratch {scratch} is no absolute path on this machine")
    about = array.stat()
    name = digest([str(array.resolve()), about.st_size, about.st_mtime_ns])
    folder = place / f"eegwf-{os.getuid()}"
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        copy, used = folder / f"{name}.npy", os.open(folder / f"{name}.used", os.O_RDWR | os.O_CREAT, 0o600)
        with held(folder, f"{name}.lock", say=None):
            fcntl.flock(used, fcntl.LOCK_SH)
            if not copy.exists():
                _sweep(folder)
                _copy(array, copy)
    except OSError as error:
        raise InputError(
            f"{place}: can't be used ({error.strerror}); cluster.scratch wants a folder on a disk of the node where "
            "you may write"
        ) from None
    atexit.register(_leave, copy, used)
    return copy if copy.exists() else array


def _in_place(array: Path, reason: str) -> Path:
    print(f"{array}: {reason}; it is read where it is", file=sys.stderr)
    return array


def _copy(array: Path, copy: Path) -> None:
    size, free = array.stat().st_size, shutil.disk_usage(copy.parent).free
    if free < size + SPARE:
        _in_place(
            array, f"{size / 1e9:.2g} GB and a spare one don't fit on {copy.parent}: {free / 1e9:.2g} GB are free"
        )
        return
    # One writer at a time, under the lock: what a killed one has left is written over.
    part = copy.with_suffix(".part")
    try:
        shutil.copyfile(array, part)
        part.replace(copy)
    except OSError as error:  # others fill the disk too, and quotas don't show
        part.unlink(missing_ok=True)
        _in_place(array, f"can't be copied to {copy.parent} ({error.strerror})")


def _sweep(folder: Path) -> None:
    """Remove what no process reads any more: left by jobs that were killed."""
    for used in folder.glob("*.used"):
        lock, reader = try_lock(used.with_suffix(".lock")), None
        if lock is None:
            continue
        try:
            reader = try_lock(used)
            if reader is not None:
                for suffix in (".npy", ".part"):
                    used.with_suffix(suffix).unlink(missing_ok=True)
        finally:
            os.close(lock)
            if reader is not None:
                os.close(reader)


def _leave(copy: Path, used: int) -> None:
    with suppress(OSError), held(copy.parent, f"{copy.stem}.lock", say=None):
        fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)  # others read it still: the last one removes it
        copy.unlink(missing_ok=True)
