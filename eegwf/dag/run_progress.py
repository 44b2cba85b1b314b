"""How far a run is: hours of GPUs and cores done and left, and when it will end."""

import logging
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from eegwf.errors import InputError
from eegwf.storage.files import read_table

# Seconds between two lines.
EVERY = 60


@dataclass(frozen=True)
class Share:
    """A job's share of a run: what it holds, what it is predicted to take, and the file that says what it took."""

    gpus: int
    cpus: int
    seconds: float
    benchmark: Path | None

    def took(self) -> float:
        """Seconds as measured, or else as predicted."""
        try:
            return float(read_table(self.benchmark, ("s",))["s"].iloc[-1]) if self.benchmark else self.seconds
        except (OSError, InputError, ValueError):
            return self.seconds  # another node's file that is not seen here yet


class Course(logging.Handler):
    """Tells of a run's course, at most once a minute and at its end, as Snakemake's log tells of jobs that ended.

    Parameters
    ----------
    shares
        Jobs of the run by Snakemake's number.
    say, clock
        Where a line goes, and the time in seconds.
    """

    def __init__(
        self,
        shares: dict[int, Share],
        say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
        clock: Callable[[], float] = time.time,
    ):
        super().__init__(logging.INFO)
        self._left, self._n_jobs = dict(shares), len(shares)
        self._say, self._clock = say, clock
        self._start = self._told = clock()
        self._predicted = self._gpu = self._cpu = self._took = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Take the end of a job."""
        if getattr(record, "event", None) != "job_finished" or record.job_id not in self._left:
            return
        ended = self._left.pop(record.job_id)
        took = ended.took()
        self._predicted += ended.seconds
        self._took += took
        self._gpu += ended.gpus * took
        self._cpu += ended.cpus * took
        if self._clock() - self._told >= EVERY or not self._left:
            self._told = self._clock()
            self._say(self.line())

    def line(self) -> str:
        """How far it is now; what is left is predicted, and corrected by how the prediction did so far."""
        off = self._took / self._predicted if self._predicted else 1.0
        left = [(job.seconds * off, job) for job in self._left.values()]
        gpu, cpu = (sum(seconds * getattr(job, held) for seconds, job in left) for held in ("gpus", "cpus"))
        done = f"{self._n_jobs - len(left)} of {self._n_jobs} jobs done"
        text = f"Course: {done}, {_hours(self._gpu, self._cpu)}"
        if not left:
            return text
        if not any(seconds for seconds, _ in left):
            return f"{text}; what is left is not known yet"
        text += f"; about {_hours(gpu, cpu)} left"
        if not self._took:
            return text
        # As many at a time as so far.
        end = self._clock() + sum(seconds for seconds, _ in left) * (self._clock() - self._start) / self._took
        return f"{text}; at this pace it ends around {datetime.fromtimestamp(end):%Y-%m-%d %H:%M}"


def _hours(gpu: float, cpu: float) -> str:
    return f"{gpu / 3600:.2f} GPU-h and {cpu / 3600:.2f} CPU-h" if gpu else f"{cpu / 3600:.2f} CPU-h"


def shares_of(jobs: Iterable[Any], seconds: Callable[[str, dict[str, str]], float | None]) -> dict[int, Share]:
    """Shares of Snakemake's jobs; one of which nothing is known counts as no time."""
    found = {}
    for job in jobs:
        held = job.resources
        found[job.jobid] = Share(
            gpus=held.get("gpu", 0) or held.get("gres_gpus", 0),
            cpus=held.get("cpus_per_task", 1),
            seconds=seconds(job.rule.name, job.wildcards_dict) or 0.0,
            benchmark=Path(job.benchmark) if job.benchmark else None,
        )
    return found
