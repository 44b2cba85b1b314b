"""Journal of an Optuna study: a file that several workers append to, readable after any of them is killed."""

import fcntl
import os
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock

from eegwf.storage.files import read_json, write_json

JOURNAL = "journal.jsonl"


class JournalLock(BaseJournalFileLock):
    """Lock of a journal by `flock`, which the kernel releases when the process ends.

    A partial last line of a killed process would make the journal unreadable after the next append; it is truncated
    when the lock is acquired.

    Parameters
    ----------
    journal
        The journal. The lock is a file beside it.
    """

    def __init__(self, journal: Path):
        self.journal = journal
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Wait for the lock, and truncate a partial last line."""
        self._descriptor = os.open(self.journal.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        truncate_partial_line(self.journal)
        return True

    def release(self) -> None:
        """Release the lock.

        Raises
        ------
        RuntimeError
            If the lock was not acquired.
        """
        if self._descriptor is None:
            raise RuntimeError(f"{self.journal}: the lock was not acquired")
        os.close(self._descriptor)


def truncate_partial_line(path: Path) -> int:
    """Remove a last line without a line break; return the number of bytes removed."""
    if not path.exists():
        return 0
    with open(path, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
        if file.read(1) in (b"", b"\n"):
            return 0
        file.seek(0)
        complete = file.read().rfind(b"\n") + 1
        file.truncate(complete)
    return size - complete


def open_study(folder: Path, name: str, pruner: optuna.pruners.BasePruner | None = None) -> optuna.Study:
    """Load the Optuna study of a state folder, or create it.

    Parameters
    ----------
    folder
        State folder.
    name
        Name of the Optuna study.
    pruner
        Pruner of its trials; None for Optuna's default.

    Returns
    -------
    optuna.Study
        Optuna study that maximizes the value of its trials.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # the trials are logged by `eegwf.tuning.search`
    path = folder / JOURNAL
    lock = JournalLock(path)
    lock.acquire()  # truncates a partial line, which Optuna can't read
    lock.release()
    storage = JournalStorage(JournalFileBackend(str(path), lock))
    return optuna.create_study(
        storage=storage, study_name=name, direction="maximize", load_if_exists=True, pruner=pruner
    )


def write_pointer(path: Path | str, name: str, folder: Path) -> None:
    """Write the name and the state folder of an Optuna study to a worker's output file.

    Parameters
    ----------
    path
        File to write. All workers of an Optuna study write the same contents.
    name
        Name of the Optuna study.
    folder
        Its state folder.
    """
    write_json(path, {"study": name, "state": folder.name})


def read_pointer(path: Path | str, root: Path) -> tuple[str, Path]:
    """Read the name and the state folder of an Optuna study.

    Parameters
    ----------
    path
        Output file of a worker.
    root
        Folder of all state folders.

    Returns
    -------
    name, folder
        Name of the Optuna study, and its state folder.
    """
    pointer = read_json(path)
    return pointer["study"], root / Path(pointer["state"]).name
