"""Progress of long work as lines of a log, a few seconds apart.

All messages of the library go to loggers below `eegwf`. Scripts print them to standard error; in Python they are silent
unless logging is configured, for example by `logging.basicConfig(level="INFO")`.
"""

import logging
import sys
import time

logger = logging.getLogger(__name__)


class _StandardError(logging.Handler):
    """Prints messages to whatever `sys.stderr` is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message of a record."""
        print(self.format(record), file=sys.stderr, flush=True)


def log_to_stderr() -> None:
    """Print the messages of the library to standard error; a second call changes nothing."""
    library = logging.getLogger("eegwf")
    if not any(isinstance(handler, _StandardError) for handler in library.handlers):
        library.addHandler(_StandardError())
        library.setLevel(logging.INFO)


class Progress:
    """Logs the progress of a task and the remaining time.

    Parameters
    ----------
    task
        Name of the task.
    total
        Number of steps.
    interval
        Minimum seconds between two lines; infinity disables them.

    Examples
    --------
    >>> progress = Progress("windows", 3, interval=0.0)
    >>> progress.step("sub-01")  # logs: windows: 33 % (sub-01), 0:00 left
    """

    def __init__(self, task: str, total: int, interval: float = 5.0):
        self.task, self.total, self.interval = task, max(total, 1), interval
        self.done = 0
        self._start = time.monotonic()
        self._last_line = self._start
        self._skipped = 0

    def step(self, note: str = "", steps: int = 1) -> None:
        """Count finished steps.

        Parameters
        ----------
        note
            Text in parentheses, such as the name of what was finished.
        steps
            Number of steps.
        """
        self.done += steps
        now = time.monotonic()
        if now - self._last_line >= self.interval or (self.done >= self.total and self.interval < float("inf")):
            self._last_line = now
            self.log(note)

    def skip(self, steps: int) -> None:
        """Count steps that were finished by an earlier run; the estimate of the remaining time ignores them."""
        self.done += steps
        self._skipped += steps

    def log(self, note: str = "") -> None:
        """Log a line now."""
        worked = self.done - self._skipped
        elapsed = time.monotonic() - self._start
        left = elapsed / worked * (self.total - self.done) if worked else None
        clock = f", {int(left) // 60}:{int(left) % 60:02d} left" if left is not None else ""
        note = f" ({note})" if note else ""
        logger.info("%s: %d %%%s%s", self.task, 100 * self.done // self.total, note, clock)
