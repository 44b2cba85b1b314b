"""State of unfinished work: a folder no rule declares, held by one job at a time.

Snakemake removes the outputs of a job before it tries again; what must survive stands here, under a digest of all
that decides the result.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from eegwf.errors import InputError
from eegwf.files import digest, write_text


def library_versions() -> list[str]:
    """Versions of the libraries that decide weights and trials: work begun under others is not gone on with."""
    return [f"{name} {version(name)}" for name in ("torch", "timm", "optuna", "numpy", "scikit-learn")]


def state_folder(root: Path | str, stage: str, *identity) -> Path:
    """Folder `root/<digest>` of the work that these JSON-able values decide; its file `stage` names the stage."""
    folder = Path(root) / digest([stage, *identity])
    name = folder / "stage"
    if not name.exists():
        write_text(name, f"{stage}\n")
    return folder


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
