"""What trainings have spent: seconds, epochs and windows, kept with the unfinished work so that no kill loses them."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

LEDGER = "ledger.jsonl"
EVERY = 5.0  # seconds that a kill may leave unrecorded
Epoch = Callable[[list[dict[str, Any]]], None]
COLUMNS = ("what", "seconds", "epochs", "windows", "device")


@contextmanager
def spending(folder: Path, what: int, n_windows: int, device: str, say: Epoch) -> Iterator[Epoch]:
    """Record what a training spends.

    Parameters
    ----------
    folder
        State folder; several processes may write to its ledger.
    what
        Number of the trial, or the rank.
    n_windows
        Windows that an epoch trains on.
    device
        Name of the device, as it is reported.
    say
        Called with the history after each epoch, too.

    Yields
    ------
    Callable
        To be called with the history after each epoch that is trained now, not for those of a resumed training.
    """
    since, epochs = time.monotonic(), 0

    def record() -> None:
        nonlocal since, epochs
        now = time.monotonic()
        entry = {
            "what": what,
            "seconds": round(now - since, 3),
            "epochs": epochs,
            "windows": epochs * n_windows,
            "device": device,
        }
        # The line break comes first: what a dying process left of its last record spoils no other.
        line = os.open(folder / LEDGER, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(line, f"\n{json.dumps(entry)}".encode())
        finally:
            os.close(line)
        since, epochs = now, 0

    def epoch_done(history: list[dict[str, Any]]) -> None:
        nonlocal epochs
        say(history)
        epochs += 1
        if time.monotonic() - since >= EVERY:
            record()

    try:
        yield epoch_done
    finally:
        record()


def read_ledger(folder: Path) -> pd.DataFrame:
    """What the trainings of a state folder have spent, added up: a row for each and its device, in order.

    Returns
    -------
    DataFrame
        `what seconds epochs windows device`, and `windows_per_second`.
    """
    path = folder / LEDGER
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
            entries.append([entry[name] for name in COLUMNS])
        except (ValueError, KeyError, TypeError):
            continue  # torn by a kill
    table = pd.DataFrame(entries, columns=list(COLUMNS))
    table = table.groupby(["what", "device"], as_index=False, sort=True)[["seconds", "epochs", "windows"]].sum()
    table["windows_per_second"] = (table["windows"] / table["seconds"].clip(lower=1e-9)).round(1)
    return table[["what", "seconds", "epochs", "windows", "windows_per_second", "device"]]
