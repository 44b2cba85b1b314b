"""Locks of files and folders, by the kernel: they fall with their process, however that dies."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eegwf.errors import InputError


@contextmanager
def held(folder: Path, name: str = ".lock", say: str | None = "another job works on the same") -> Iterator[None]:
    """Hold a lock of the folder exclusively; whoever comes second waits, and says so unless `say` is None.

    The lock is the kernel's (`flock`): it falls with its process, however that dies.
    """
    descriptor = try_lock(folder / name)
    if descriptor is None:
        if say:
            print(f"{folder}: {say}; waiting for it", file=sys.stderr, flush=True)
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """Lock a file and return its descriptor, whose closing unlocks it; None if another process holds it.

    Raises
    ------
    InputError
        If the file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        raise InputError(
            f"{path.parent}: this file system gives no locks ({error.strerror}), without which two jobs could spoil "
            f"each other's work; put `results` on one that does (on Lustre: mounted with -o flock)"
        ) from None
    return descriptor
