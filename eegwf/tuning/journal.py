"""The journal that holds a study: mended after a kill, opened without a dead process's lock."""

import contextlib
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend


def open_journal(path: Path) -> JournalStorage:
    """Open the journal of a study whose folder this process holds (see `eegwf.state.held`).

    A line that a dying process left half-written ruins the study at the next append, so it is cut off; the lock file
    that a dead process left would hold everybody up for half a minute. Both are safe only under the folder's lock.
    """
    for lock in path.parent.glob(path.name + ".lock*"):
        with contextlib.suppress(FileNotFoundError):
            lock.unlink()
    mend(path)
    return JournalStorage(JournalFileBackend(str(path)))


def mend(path: Path) -> int:
    """Cut a half-written last line off; returns the number of bytes removed."""
    if not path.exists():
        return 0
    with open(path, "rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        file.truncate(whole)
    return len(content) - whole


def open_study(path: Path, name: str, pruner: optuna.pruners.BasePruner) -> optuna.Study:
    """Create or load the study of a journal; its value is raised."""
    return optuna.create_study(
        storage=open_journal(path), study_name=name, direction="maximize", load_if_exists=True, pruner=pruner
    )
