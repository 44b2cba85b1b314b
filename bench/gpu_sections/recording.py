"""Figures, report, errors and time limits of the GPU benchmark."""

import json
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

FIGURES, REPORT, PROFILE = "gpu.json", "gpu.txt", "profile.txt"
MIN_SECONDS = 5.0
"""A section does not start with less time left."""


class SectionTimeout(BaseException):
    """The time limit of a section was reached. It is no Exception, so that `except Exception` does not catch it."""


class Recorder:
    """Writer of the figures and of the report.

    Every figure and every line is on disk as soon as it is recorded.

    Parameters
    ----------
    folder
        Output folder; it is created, and the report of an earlier run is removed.

    Attributes
    ----------
    figures
        Recorded figures by section.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.figures: dict[str, dict[str, Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for name in (REPORT, PROFILE):
            (folder / name).write_text("", encoding="utf-8")

    def put(self, section: str, figures: dict[str, Any]) -> None:
        """Add figures to a section and rewrite gpu.json.

        Parameters
        ----------
        section
            Name of the section.
        figures
            Figures by name.
        """
        self.figures.setdefault(section, {}).update(figures)
        partial = self.folder / f".{FIGURES}.part"
        partial.write_text(json.dumps(self.figures, indent=1, default=str) + "\n", encoding="utf-8")
        partial.replace(self.folder / FIGURES)

    def line(self, text: str) -> None:
        """Print a line and append it to gpu.txt."""
        print(text, flush=True)
        with open(self.folder / REPORT, "a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    def table(self, title: str, text: str) -> None:
        """Append a table to profile.txt.

        Parameters
        ----------
        title
            Line above the table.
        text
            The table.
        """
        with open(self.folder / PROFILE, "a", encoding="utf-8") as file:
            file.write(f"{title}\n{text}\n\n")

    @contextmanager
    def guard(self, section: str, measurement: str) -> Iterator[None]:
        """Record an error within the context as a figure, and continue after the context.

        Parameters
        ----------
        section
            Name of the section.
        measurement
            Name of the measurement.

        Yields
        ------
        None
            Nothing.
        """
        try:
            yield
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            message = _one_line(error)
            self.put(section, {f"error: {measurement}": f"{message} ({frame.filename}:{frame.lineno})"})
            self.line(f"  ERROR {measurement}: {message}")


def _one_line(error: BaseException) -> str:
    """Type and beginning of the message of an error."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise SectionTimeout in the main thread if the context takes longer."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SectionTimeout

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@dataclass(frozen=True)
class Deadline:
    """Time at which the whole run ends.

    Parameters
    ----------
    seconds
        Duration of the run.
    started
        Value of `time.monotonic()` at its start.
    """

    seconds: float
    started: float

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def remaining(self) -> float:
        """Seconds until the end."""
        return self.seconds - self.elapsed


def run_section(
    name: str, call: Callable[[], object], seconds: float, recorder: Recorder, deadline: Deadline, title: str = ""
) -> None:
    """Run a section within its time limit; an error or the end of the time is recorded and ends only this section.

    Parameters
    ----------
    name
        Name of the section.
    call
        The section.
    seconds
        Its time limit.
    recorder
        Writer of the figures.
    deadline
        End of the whole run; a section that could not run for `MIN_SECONDS` is skipped.
    title
        Description of the section for the report.
    """
    if deadline.remaining < MIN_SECONDS:
        recorder.put(name, {"skipped": "no time left"})
        recorder.line(f"{name}: skipped, no time left")
        return
    recorder.line(f"{name}: {title}")
    started = time.monotonic()
    try:
        with time_limit(min(seconds, deadline.remaining)):
            call()
    except SectionTimeout:
        elapsed = time.monotonic() - started
        recorder.put(name, {"timeout": f"after {elapsed:.0f} s"})
        recorder.line(f"  time limit reached after {elapsed:.0f} s")
    except Exception as error:
        recorder.put(name, {"error": "".join(traceback.format_exception(error))[-1500:]})
        recorder.line(f"  ERROR {_one_line(error)}")
    recorder.put(name, {"seconds": round(time.monotonic() - started, 1)})
    sys.stdout.flush()
