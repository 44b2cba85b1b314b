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
from eegwf.files import digest
from eegwf.state import held

# Of a job's environment rather than its command, since no result depends on it.
VARIABLE = "EEGWF_SCRATCH"
# Left free on the disk.
SPARE = 1 << 30


def staged(array: Path) -> Path:
    """Copy of an array on the disk that `cluster.scratch` names; the array itself if none is, or if it does not fit.

    The copy is kept for this process until it ends, however it does: a lock that it shares with others says so.

    Raises
    ------
    InputError
        If the folder can't be used.
    """
    scratch = os.path.expandvars(os.environ.get(VARIABLE, ""))
    if not scratch:
        return array
    about = array.stat()
    name = digest([str(array.resolve()), about.st_size, about.st_mtime_ns])
    folder = Path(scratch) / f"eegwf-{os.getuid()}"
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        copy, used = folder / f"{name}.npy", os.open(folder / f"{name}.used", os.O_RDWR | os.O_CREAT, 0o600)
        with held(folder, f"{name}.lock", say=None):
            fcntl.flock(used, fcntl.LOCK_SH)
            there = copy.exists() or _copy(array, copy)
    except OSError as error:
        raise InputError(
            f"{scratch}: can't be used ({error.strerror}); cluster.scratch wants a folder on a disk of the node where "
            "you may write"
        ) from None
    atexit.register(_leave, copy, used)
    return copy if there else array


def _copy(array: Path, copy: Path) -> bool:
    size, free = array.stat().st_size, shutil.disk_usage(copy.parent).free
    if free < size + SPARE:
        print(
            f"{array}: {size / 1e9:.2g} GB and a spare one don't fit on {copy.parent}, which has {free / 1e9:.2g} GB "
            "free; it is read where it is",
            file=sys.stderr,
        )
        return False
    # One writer at a time, under the lock: what a killed one has left is written over.
    part = copy.with_suffix(".part")
    shutil.copyfile(array, part)
    part.replace(copy)
    return True


def _leave(copy: Path, used: int) -> None:
    with suppress(OSError), held(copy.parent, f"{copy.stem}.lock", say=None):
        fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)  # others read it still: the last one removes it
        copy.unlink(missing_ok=True)
