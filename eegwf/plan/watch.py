"""Listen to a dry run of Snakemake, and print its plan behind its last line."""

import atexit
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from eegwf.errors import InputError
from eegwf.flow import Flow
from eegwf.plan.jobs import Job, Predict, job

# Names a file that gets the plan as JSON.
FILE = "EEGWF_PLAN"
DRY = re.compile(r"--dry-?run|-[a-zA-Z]*n[a-zA-Z]*")


class Listener(logging.Handler):
    """Collects the jobs that Snakemake tells of."""

    def __init__(self, flow: Flow):
        super().__init__(logging.INFO)
        self.flow = flow
        self.jobs: list[Job] = []
        self._predict: Predict | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a job."""
        if getattr(record, "event", None) != "job_info" or record.rule_name == "all":
            return
        if self._predict is None:
            self._predict = predictor(self.flow)
        wildcards = dict(record.wildcards or {})
        self.jobs.append(
            job(
                record.rule_name,
                wildcards,
                record.resources,
                record.reason,
                record.input,
                record.output,
                self._predict,
                Path(),
            )
        )

    def tell(self) -> None:
        """Print the plan, and write it where it is asked for."""
        from eegwf.plan.table import as_json, as_text

        plan = as_json(self.jobs, *totals(self.flow, self.jobs))
        if FILE in os.environ:
            Path(os.environ[FILE]).write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
        else:
            print(f"\n{as_text(plan)}", file=sys.stderr)


def refuse_costly(flow: Flow, jobs: Iterable[Any]) -> None:
    """End the process with one line if Snakemake's jobs are predicted to take more GPU-hours than the study allows."""
    most = flow.study.cluster.max_gpu_hours
    if most is None:
        return
    predict = predictor(flow)
    hours = 0.0
    for planned in jobs:
        gpus = planned.resources.get("gpu", 0)
        hours += gpus and gpus * (predict(planned.rule.name, planned.wildcards_dict) or 0.0) / 3600
    if hours > most:
        sys.exit(
            f"error: cluster.max_gpu_hours: {most:g} are allowed, and this run is predicted to take {hours:.3g}; "
            "`snakemake --dry-run` shows by what"
        )


def predictor(flow: Flow) -> Predict:
    """Seconds of a job, by rule and wildcards; None of any if the study's sizes can't be known yet."""
    from eegwf.plan.costs import calibration
    from eegwf.plan.sizes import read_sizes

    try:
        sizes = read_sizes(flow.study, Path(flow.results))
    except InputError:
        return lambda rule, wildcards: None
    known = calibration(Path(flow.results))
    return lambda rule, wildcards: known.seconds(rule, wildcards, sizes)


def totals(flow: Flow, jobs: Sequence[Job]) -> tuple[int, float, bool]:
    """Bytes on disk (0 if not known yet), how slow this machine is, and whether that was measured."""
    from eegwf.plan.costs import calibration
    from eegwf.plan.sizes import read_sizes
    from eegwf.spectrograms.names import members

    known = calibration(Path(flow.results))
    names = {name for entry in jobs if entry.combination for name in members(entry.combination.split("_")[1])}
    try:
        disk = read_sizes(flow.study, Path(flow.results)).disk(names)
    except InputError:
        disk = 0
    return disk, known.speed, bool(known.own.rate)


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
