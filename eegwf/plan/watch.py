"""What the Snakefile does with a plan: print it behind a dry run, refuse a run that costs too much, and follow it."""

import atexit
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eegwf.flow import Flow

# Names a file that gets the plan as JSON.
FILE = "EEGWF_PLAN"
# There where a machine has NVIDIA GPUs that can be used.
DRIVER = Path("/proc/driver/nvidia/version")
DRY = re.compile(r"--dry-?run|-[a-zA-Z]*n[a-zA-Z]*")
NOTHING = "Nothing to be done"


class Listener(logging.Handler):
    """Collects the jobs that Snakemake tells of."""

    def __init__(self, flow: Flow):
        super().__init__(logging.INFO)
        self.flow = flow
        self.jobs: list[logging.LogRecord] = []
        self.done = self.failed = False

    def emit(self, record: logging.LogRecord) -> None:
        """Take a job, that there is none, or an error."""
        self.failed |= record.levelno >= logging.ERROR
        self.done |= str(record.msg).startswith(NOTHING)
        if getattr(record, "event", None) == "job_info" and record.rule_name != "all":
            self.jobs.append(record)

    def tell(self) -> None:
        """Print the plan, or write it where it is asked for; nothing after an error, or if jobs were kept quiet."""
        if self.failed or not (self.jobs or self.done):
            return
        from eegwf.plan.forecast import Forecast
        from eegwf.plan.jobs import planned
        from eegwf.plan.table import as_json, as_text

        forecast = Forecast(self.flow.study, Path(self.flow.results))
        jobs = [planned(told, forecast.seconds(told.rule_name, dict(told.wildcards or {}))) for told in self.jobs]
        disk = forecast.disk({job.combination for job in jobs if job.combination})
        plan = as_json(jobs, disk, forecast.learnt)
        if FILE in os.environ:
            Path(os.environ[FILE]).write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
        else:
            print(f"\n{as_text(plan)}", file=sys.stderr)


def watch(flow: Flow, arguments: Sequence[str]) -> None:
    """In a dry run, print the plan at its end.

    Parameters
    ----------
    flow
        The study.
    arguments
        Snakemake's command line.
    """
    if any(DRY.fullmatch(word) for word in arguments):
        listener = Listener(flow)
        logging.getLogger("snakemake.logging").addHandler(listener)
        atexit.register(listener.tell)


def begin(flow: Flow, jobs: Iterable[Any], local: bool) -> None:
    """At the start of a run: refuse it if it is predicted to take more GPU-hours than the study allows, else follow it.

    The process then ends with one line.

    Parameters
    ----------
    flow
        The study.
    jobs
        Snakemake's jobs.
    local
        Whether they run on this machine: if it has no GPU, they hold none, though they would take one.
    """
    from eegwf.plan.course import Course, shares_of
    from eegwf.plan.forecast import Forecast

    shares = shares_of(jobs, Forecast(flow.study, Path(flow.results)).seconds)
    most, hours = flow.study.cluster.max_gpu_hours, sum(job.gpus * job.seconds for job in shares.values()) / 3600
    if most is not None and hours > most:
        sys.exit(
            f"error: cluster.max_gpu_hours: {most:g} are allowed, and this run is predicted to take {hours:.3g}; "
            "`snakemake --dry-run` shows by what"
        )
    if local and not DRIVER.exists():
        shares = {number: replace(share, gpus=0) for number, share in shares.items()}
    logging.getLogger("snakemake.logging").addHandler(Course(shares))
