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
def held(folder: Path) -> Iterator[None]:
    """Hold the folder exclusively; a second job waits, and says so.

    The lock is the kernel's (`flock`): it falls with its process, however that dies.
    """
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{folder}: another job works on the same; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise InputError(
                f"{folder}: this file system gives no locks ({error.strerror}), without which two jobs could spoil "
                f"each other's work; put `results` on one that does (on Lustre: mounted with -o flock)"
            ) from None
        yield
    finally:
        os.close(descriptor)
