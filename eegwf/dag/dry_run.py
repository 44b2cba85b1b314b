"""Plan of a run, printed after a dry run from the jobs in Snakemake's log."""

import atexit
import json
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from eegwf.dag.flow import Flow
from eegwf.dag.stages import STAGES

# Environment variable with the name of a file that receives the plan as JSON.
FILE = "EEGWF_PLAN"
# Environment variable with the hours of the recordings of a data set that is not there yet.
HOURS = "EEGWF_PLAN_HOURS"
DRY = re.compile(r"--dry-?run|-[a-zA-Z]*n[a-zA-Z]*")
NOTHING = "Nothing to be done"


class PlanCollector(logging.Handler):
    """Collects the jobs of a dry run from Snakemake's log.

    Parameters
    ----------
    flow
        The study.
    """

    def __init__(self, flow: Flow):
        super().__init__(logging.INFO)
        self.flow = flow
        self.jobs: list[logging.LogRecord] = []
        self.nothing_to_do = self.failed = False

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a job, or note that there is none or that an error occurred."""
        self.failed |= record.levelno >= logging.ERROR
        self.nothing_to_do |= str(record.msg).startswith(NOTHING)
        if getattr(record, "event", None) == "job_info" and getattr(record, "rule_name", "all") != "all":
            self.jobs.append(record)

    def print_plan(self) -> None:
        """Print the plan, or write it to the requested file; after an error, or without jobs in the log, do nothing."""
        if self.failed or not (self.jobs or self.nothing_to_do):
            return
        from eegwf.plan.forecast import Forecast
        from eegwf.plan.jobs import planned_job
        from eegwf.plan.table import as_json, as_text

        hours = float(os.environ[HOURS]) if HOURS in os.environ else None
        forecast = Forecast(self.flow.study, self.flow.paths.root, STAGES, hours)
        jobs = [planned_job(record, forecast) for record in self.jobs]
        disk = forecast.disk({job.combination for job in jobs if job.combination})
        plan = as_json(jobs, disk, forecast.calibrated)
        if FILE in os.environ:
            Path(os.environ[FILE]).write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
        else:
            print(f"\n{as_text(plan)}", file=sys.stderr)


def print_plan_after_dry_run(flow: Flow, arguments: Sequence[str]) -> None:
    """In a dry run, print the plan at the end of the process.

    Parameters
    ----------
    flow
        The study.
    arguments
        Snakemake's command line.
    """
    if any(DRY.fullmatch(word) for word in arguments):
        collector = PlanCollector(flow)
        logging.getLogger("snakemake.logging").addHandler(collector)
        atexit.register(collector.print_plan)
