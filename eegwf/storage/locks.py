"""Locks of files and folders that the kernel releases when their process ends, also after a kill."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eegwf.errors import InputError

logger = logging.getLogger(__name__)

# Name of the lock file of a folder.
LOCK = ".lock"


@contextmanager
def exclusive_lock(
    folder: Path, name: str = LOCK, wait_message: str | None = "another job works on the same"
) -> Iterator[None]:
    """Hold an exclusive lock of a folder during a `with` block; wait while another process holds it.

    The lock is one of the kernel (`flock`), which releases it when the process ends, also after a kill.

    Parameters
    ----------
    folder
        The folder.
    name
        Name of the lock file in the folder. Locks of different names are independent.
    wait_message
        Reason for waiting, logged if the lock is not free; None waits without a message.

    Yields
    ------
    None
        While the lock is held.

    Raises
    ------
    InputError
        If the file system does not support locks.
    """
    descriptor = try_lock(folder / name)
    if descriptor is None:
        if wait_message:
            logger.warning("%s: %s; waiting for it", folder, wait_message)
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """Lock a file without waiting.

    Parameters
    ----------
    path
        The lock file; created if it does not exist.

    Returns
    -------
    int or None
        File descriptor, which releases the lock when it is closed; None if the file is locked already.

    Raises
    ------
    InputError
        If the file system does not support locks.
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
            f"{path.parent}: this file system does not support file locks ({error.strerror}), which prevent two jobs "
            "from overwriting each other's files; move `results` to a file system that does (Lustre: mounted with "
            "-o flock)"
        ) from None
    return descriptor
