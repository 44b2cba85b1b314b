"""Copies of arrays on the local disk of a compute node, shared by all jobs of the node and removed by the last of them.

Training reads rows in random order, which is slow on a network disk.
"""

import atexit
import fcntl
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

from eegwf.errors import InputError
from eegwf.storage.files import digest
from eegwf.storage.locks import exclusive_lock, try_lock

logger = logging.getLogger(__name__)

# An environment variable and not an option of the jobs, since no result depends on it.
VARIABLE = "EEGWF_SCRATCH"
# Bytes that a copy must leave free on the disk.
SPARE = 1 << 30


def scratch_folder(named: str) -> Path | None:
    """Path that `cluster.scratch` expands to on this machine; None if it is relative or a variable in it is not set."""
    path = Path(os.path.expandvars(named)).expanduser()
    return path if path.is_absolute() and "$" not in str(path) else None


def staged(array: Path) -> Path:
    """Copy an array to the folder `cluster.scratch`, unless another job of this node has done so.

    The copy exists until the last process that uses it ends. Each process holds a shared lock on it, which the kernel
    releases when the process ends, also after a kill.

    Parameters
    ----------
    array
        Array file.

    Returns
    -------
    Path
        The copy; the array itself if `cluster.scratch` is not set or the copy does not fit on the disk.

    Raises
    ------
    InputError
        If the folder can't be used.
    """
    scratch = os.environ.get(VARIABLE, "")
    if not scratch:
        return array
    root = scratch_folder(scratch)
    if root is None:
        return _in_place(array, f"cluster.scratch {scratch} is not an absolute path on this machine")
    status = array.stat()
    name = digest([str(array.resolve()), status.st_size, status.st_mtime_ns])
    folder = root / f"eegwf-{os.getuid()}"
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        copy, used = folder / f"{name}.npy", os.open(folder / f"{name}.used", os.O_RDWR | os.O_CREAT, 0o600)
        with exclusive_lock(folder, f"{name}.lock", wait_message=None):
            fcntl.flock(used, fcntl.LOCK_SH)
            if not copy.exists():
                _remove_unused_copies(folder)
                _copy(array, copy)
    except OSError as error:
        raise InputError(
            f"{root}: can't be used ({error.strerror}); set cluster.scratch to a folder on a disk of the node with "
            "write permission"
        ) from None
    atexit.register(_release, copy, used)
    return copy if copy.exists() else array


def _in_place(array: Path, reason: str) -> Path:
    logger.warning("%s: %s; it is read in place", array, reason)
    return array


def _copy(array: Path, copy: Path) -> None:
    size, free = array.stat().st_size, shutil.disk_usage(copy.parent).free
    if free < size + SPARE:
        _in_place(
            array,
            f"{size / 1e9:.2g} GB and a reserve of {SPARE / 1e9:.2g} GB do not fit on {copy.parent}: "
            f"{free / 1e9:.2g} GB are free",
        )
        return
    # The lock permits one writer at a time, so the partial copy of a killed writer can be overwritten.
    part = copy.with_suffix(".part")
    try:
        shutil.copyfile(array, part)
        part.replace(copy)
    except OSError as error:  # other processes use the disk too, and `disk_usage` does not include quotas
        part.unlink(missing_ok=True)
        _in_place(array, f"can't be copied to {copy.parent} ({error.strerror})")


def _remove_unused_copies(folder: Path) -> None:
    """Remove the copies that no process uses, which are those of killed jobs."""
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


def _release(copy: Path, used: int) -> None:
    """Remove the copy if no other process uses it."""
    with suppress(OSError), exclusive_lock(copy.parent, f"{copy.stem}.lock", wait_message=None):
        fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises OSError while another process uses the copy
        copy.unlink(missing_ok=True)
