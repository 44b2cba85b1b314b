"""The plan behind a dry run, of what Snakemake tells of its jobs."""

import atexit
import json
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from eegwf.dag.flow import Flow

# Names a file that gets the plan as JSON.
FILE = "EEGWF_PLAN"
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
