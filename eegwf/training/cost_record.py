"""Cost of trainings: seconds, epochs, windows and energy, recorded in the state folder so that a kill loses little."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from eegwf.compute.energy import energy_meter
from eegwf.training.history import EpochCallback, History

COST_FILE = "costs.jsonl"
# Seconds between two records, which is also the most that a kill leaves unrecorded.
RECORD_INTERVAL = 5.0
COLUMNS = ("unit", "seconds", "epochs", "windows", "device")
# Fields of `eegwf.compute.energy.Energy`; records of earlier versions lack them.
ENERGY_COLUMNS = ("cpu_joules", "gpu_joules", "gpu_processes")


@contextmanager
def record_cost(
    folder: Path,
    unit: int,
    n_windows: int,
    device: str,
    on_trained_epoch: EpochCallback,
    clock: Callable[[], float] | None = None,
) -> Iterator[EpochCallback]:
    """Record the cost of a training.

    Parameters
    ----------
    folder
        State folder. Several processes may append to its file of costs.
    unit
        Number of the trial or of the rank.
    n_windows
        Number of training windows of an epoch.
    device
        Name of the device in reports.
    on_trained_epoch
        Called with the history after each epoch.
    clock
        Time of the training in seconds; None for real time. The energy of one of several trainings at once, whose
        clock is slower, is divided alike.

    Yields
    ------
    Callable
        To be called with the history after each epoch that this process trains, not for those of a checkpoint, and
        with that of the pretraining after each of its epochs, whose windows are counted but not its epochs.
    """

    def read_clocks() -> tuple[float, float]:
        real = time.monotonic()
        return clock() if clock else real, real

    (since, real_since), epochs, windows = read_clocks(), 0, 0

    def record() -> None:
        nonlocal since, real_since, epochs, windows
        now, real_now = read_clocks()
        share = (now - since) / (real_now - real_since) if real_now > real_since else 1.0
        entry = {
            "unit": unit,
            "seconds": round(now - since, 3),
            "epochs": epochs,
            "windows": windows,
            "device": device,
            **vars(energy().times(share)),
        }
        descriptor = os.open(folder / COST_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            # The line break comes first, so that a partial record of a killed process does not damage this one.
            os.write(descriptor, f"\n{json.dumps(entry)}".encode())
        finally:
            os.close(descriptor)
        since, real_since, epochs, windows = now, real_now, 0, 0

    def count_epoch(history: History) -> None:
        nonlocal epochs, windows
        on_trained_epoch(history)
        pretrained = bool(history) and "contrastive_loss" in history[-1]
        epochs += not pretrained
        windows += history[-1]["windows"] if pretrained else n_windows
        if read_clocks()[0] - since >= RECORD_INTERVAL:
            record()

    with energy_meter(on_gpu=device != "cpu") as energy:
        try:
            yield count_epoch
        finally:
            record()


def read_costs(folder: Path) -> pd.DataFrame:
    """Read the costs of a state folder, summed per trial or rank and device.

    Parameters
    ----------
    folder
        State folder.

    Returns
    -------
    DataFrame
        Columns `unit`, `seconds`, `epochs`, `windows`, `windows_per_second`, `device`, `cpu_joules`, `gpu_joules` and
        `gpu_processes`, sorted by unit. An energy is NaN unless it was measured for all of the time.
    """
    path = folder / COST_FILE
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
            entries.append([*(entry[name] for name in COLUMNS), *(entry.get(name) for name in ENERGY_COLUMNS)])
        except (ValueError, KeyError, TypeError):
            continue  # partial record of a killed process
    table = pd.DataFrame(entries, columns=[*COLUMNS, *ENERGY_COLUMNS]).astype(dict.fromkeys(ENERGY_COLUMNS, float))
    sums = dict.fromkeys(("seconds", "epochs", "windows"), "sum") | dict.fromkeys(("cpu_joules", "gpu_joules"), _sum)
    table = table.groupby(["unit", "device"], as_index=False, sort=True).agg(sums | {"gpu_processes": "max"})
    table["windows_per_second"] = (table["windows"] / table["seconds"].clip(lower=1e-9)).round(1)
    return table[["unit", "seconds", "epochs", "windows", "windows_per_second", "device", *ENERGY_COLUMNS]]


def _sum(joules: pd.Series) -> float:
    """Sum of measured energies; NaN if one is unknown."""
    return float(joules.sum(skipna=False))


def seconds_per_unit(costs: pd.DataFrame) -> dict[int, float]:
    """Seconds of each trial or rank on all devices, from a table of `read_costs`."""
    seconds = costs.groupby("unit")["seconds"].sum()
    return dict(zip(seconds.index.tolist(), seconds.tolist(), strict=True))
