"""The journal that holds a study: one file, written by several workers, mended after any of them dies."""

import fcntl
import os
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from eegwf.storage.files import read_json, write_json

JOURNAL = "journal.jsonl"


class JournalLock:
    """Optuna's lock of a journal, by the kernel: a dead worker's falls with it, and holds nobody up.

    A line that a dying writer left half-written would ruin the study at the next append: whoever gets the lock cuts
    it off first.
    """

    def __init__(self, journal: Path):
        self.journal = journal
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._descriptor = os.open(self.journal.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        mend(self.journal)
        return True

    def release(self) -> None:
        """Give it back."""
        os.close(self._descriptor)


def mend(path: Path) -> int:
    """Cut a half-written last line off; returns the number of bytes removed."""
    if not path.exists():
        return 0
    with open(path, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
        if file.read(1) in (b"", b"\n"):
            return 0
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
    return size - whole


def open_study(folder: Path, name: str, pruner: optuna.pruners.BasePruner | None = None) -> optuna.Study:
    """Create or load the study of a state folder; its value is raised."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # our console says what there is to say
    path = folder / JOURNAL
    lock = JournalLock(path)
    lock.acquire()  # mends what may hinder the reading
    lock.release()
    storage = JournalStorage(JournalFileBackend(str(path), lock))
    return optuna.create_study(
        storage=storage, study_name=name, direction="maximize", load_if_exists=True, pruner=pruner
    )


def write_pointer(path: Path | str, name: str, folder: Path) -> None:
    """Say in a declared file, the same for the same work, where a study's state lies."""
    write_json(path, {"study": name, "state": folder.name})


def read_pointer(path: Path | str, root: Path) -> tuple[str, Path]:
    """Name and state folder of a study."""
    pointer = read_json(path)
    return pointer["study"], root / Path(pointer["state"]).name
