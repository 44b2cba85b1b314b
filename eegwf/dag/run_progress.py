"""Progress of a run: GPU-hours and CPU-hours done and left, and the expected end."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from eegwf.errors import InputError
from eegwf.storage.files import read_table

logger = logging.getLogger(__name__)

# Minimum seconds between two lines.
INTERVAL = 60


@dataclass(frozen=True)
class JobEstimate:
    """Estimated cost of a job.

    Attributes
    ----------
    gpus, cpus
        Number of GPUs and CPU cores that it occupies.
    seconds
        Predicted time.
    benchmark
        File in which Snakemake records the time that it took; None if it has none.
    """

    gpus: int
    cpus: int
    seconds: float
    benchmark: Path | None

    def measured(self) -> float:
        """Seconds that the job took, or else the predicted seconds."""
        try:
            return float(read_table(self.benchmark, ("s",))["s"].iloc[-1]) if self.benchmark else self.seconds
        except (OSError, InputError, ValueError):
            return self.seconds  # a file of another node that is not visible here yet


class RunProgress(logging.Handler):
    """Logs the progress of a run at most once a minute and at its end, whenever Snakemake logs that a job finished.

    Parameters
    ----------
    jobs
        Jobs of the run by Snakemake's number.
    log
        Receives each line.
    clock
        Returns the time in seconds.
    """

    def __init__(
        self,
        jobs: Mapping[int, JobEstimate],
        log: Callable[[str], None] = logger.info,
        clock: Callable[[], float] = time.time,
    ):
        super().__init__(logging.INFO)
        self._left, self._n_jobs = dict(jobs), len(jobs)
        self._log, self._clock = log, clock
        self._start = self._last_line = clock()
        self._predicted = self._gpu = self._cpu = self._measured = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Count a finished job."""
        job_id = getattr(record, "job_id", None)
        if getattr(record, "event", None) != "job_finished" or job_id not in self._left:
            return
        job = self._left.pop(job_id)
        seconds = job.measured()
        self._predicted += job.seconds
        self._measured += seconds
        self._gpu += job.gpus * seconds
        self._cpu += job.cpus * seconds
        if self._clock() - self._last_line >= INTERVAL or not self._left:
            self._last_line = self._clock()
            self._log(self.line())

    def line(self) -> str:
        """Progress as text; predictions of the jobs left are scaled by the error of the predictions so far."""
        scale = self._measured / self._predicted if self._predicted else 1.0
        left = [(job.seconds * scale, job) for job in self._left.values()]
        gpu, cpu = sum(seconds * job.gpus for seconds, job in left), sum(seconds * job.cpus for seconds, job in left)
        text = f"Progress: {self._n_jobs - len(left)} of {self._n_jobs} jobs done, {_hours(self._gpu, self._cpu)}"
        if not left:
            return text
        if not any(seconds for seconds, _ in left):
            return f"{text}; the time left is unknown"
        text += f"; about {_hours(gpu, cpu)} left"
        if not self._measured:
            return text
        # Assumes that as many jobs run at a time as so far.
        pace = (self._clock() - self._start) / self._measured
        end = self._clock() + sum(seconds for seconds, _ in left) * pace
        return f"{text}; expected end {datetime.fromtimestamp(end):%Y-%m-%d %H:%M}"


def _hours(gpu: float, cpu: float) -> str:
    return f"{gpu / 3600:.2f} GPU-h and {cpu / 3600:.2f} CPU-h" if gpu else f"{cpu / 3600:.2f} CPU-h"


def estimate_jobs(
    jobs: Iterable[Any], seconds: Callable[[str, Mapping[str, str]], float | None]
) -> dict[int, JobEstimate]:
    """Estimated cost of Snakemake's jobs.

    Parameters
    ----------
    jobs
        The jobs.
    seconds
        Predicts the time of a job by its rule and wildcards; None, if nothing is known, counts as 0.

    Returns
    -------
    dict
        Estimates by Snakemake's number of the job.
    """
    return {
        job.jobid: JobEstimate(
            gpus=job.resources.get("gpu", 0) or job.resources.get("gres_gpus", 0),
            cpus=job.resources.get("cpus_per_task", 1),
            seconds=seconds(job.rule.name, job.wildcards_dict) or 0.0,
            benchmark=Path(job.benchmark) if job.benchmark else None,
        )
        for job in jobs
    }
