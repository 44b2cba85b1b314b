"""Progress of long work: plain lines, a few seconds apart, fit for a console and for a log."""

import sys
import time


class Progress:
    """Say how far the work is, with the time left, at most every `every` seconds.

    Parameters
    ----------
    what
        Name of the work.
    total
        Number of steps.
    every
        Seconds between two lines; infinity for none at all.

    Examples
    --------
    >>> progress = Progress("windows", 3, every=0.0)
    >>> progress.step("sub-01")  # prints: windows: 33 % (sub-01), 0:00 left
    """

    def __init__(self, what: str, total: int, every: float = 5.0):
        self.what, self.total, self.every = what, max(total, 1), every
        self.done = 0
        self._start = time.monotonic()
        self._said = self._start
        self._skipped = 0

    def step(self, note: str = "", steps: int = 1) -> None:
        """Count finished steps."""
        self.done += steps
        now = time.monotonic()
        if now - self._said >= self.every or (self.done >= self.total and self.every < float("inf")):
            self._said = now
            self.say(note)

    def skip(self, steps: int) -> None:
        """Count steps that were finished before; they don't enter the estimate of the time left."""
        self.done += steps
        self._skipped += steps

    def say(self, note: str = "") -> None:
        """Print a line now."""
        worked = self.done - self._skipped
        elapsed = time.monotonic() - self._start
        left = elapsed / worked * (self.total - self.done) if worked else None
        clock = f", {int(left) // 60}:{int(left) % 60:02d} left" if left is not None else ""
        note = f" ({note})" if note else ""
        print(f"{self.what}: {100 * self.done // self.total} %{note}{clock}", file=sys.stderr, flush=True)
