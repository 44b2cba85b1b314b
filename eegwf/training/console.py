"""What a training says while it runs: of its epochs a line a second at most, and the last one."""

import sys
import time
from collections.abc import Callable
from typing import Any

EVERY = 1.0


class Console:
    """The lines of one job.

    Parameters
    ----------
    name
        Such as `vit_mel_3class_fold1`.
    every
        Least seconds between two lines of epochs.
    """

    def __init__(self, name: str, every: float = EVERY):
        self.name, self.every = name, every
        self._said = -float("inf")

    def training(self, what: str, epochs: int, n_windows: int) -> Callable[[list[dict[str, Any]]], None]:
        """What to call with the history after each epoch that this process trains.

        Parameters
        ----------
        what
            Which training of the job.
        epochs
            Most epochs.
        n_windows
            Windows that an epoch trains on; its time holds the validation, too.
        """
        started, done = time.monotonic(), 0

        def say(history: list[dict[str, Any]]) -> None:
            nonlocal done
            now, done = time.monotonic(), done + 1
            if now - self._said < self.every and len(history) < epochs:
                return
            self._said = now
            last, elapsed = history[-1], max(now - started, 1e-9)
            left = int((epochs - len(history)) * elapsed / done)
            best = max(record["balanced_accuracy"] for record in history)
            self.line(
                f"{what}, epoch {last['epoch']} of {epochs} at most, loss {last['train_loss']:.3f}, validation "
                f"balanced accuracy {last['balanced_accuracy']:.3f} (best {best:.3f}), "
                f"{n_windows * done / elapsed:.0f} windows/s, {left // 60}:{left % 60:02d} left"
            )

        return say

    def line(self, text: str) -> None:
        """Say something now."""
        print(f"{self.name}: {text}", file=sys.stderr, flush=True)
