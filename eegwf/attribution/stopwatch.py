"""Seconds that methods and measures take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import torch


class Stopwatch:
    """Sum of the wall-clock time of each step, and number of windows processed in it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.n_windows: dict[str, int] = {}

    @contextmanager
    def measure(self, step: str, n_windows: int) -> Iterator[None]:
        """Add the time of a block of code to that of a step.

        Parameters
        ----------
        step
            Name of the step.
        n_windows
            Number of windows that the block processes.

        Yields
        ------
        None
        """
        start = time.perf_counter()
        yield
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - start
        self.n_windows[step] = self.n_windows.get(step, 0) + n_windows

    def table(self) -> pd.DataFrame:
        """`timing.tsv`: `method` (or measure), `seconds`, `n_windows` and `seconds_per_window`."""
        table = pd.DataFrame({"method": self.seconds.keys(), "seconds": self.seconds.values()})
        table["n_windows"] = [self.n_windows[step] for step in table["method"]]
        table["seconds_per_window"] = table["seconds"] / table["n_windows"]
        return table.round({"seconds": 3, "seconds_per_window": 6})
