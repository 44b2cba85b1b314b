"""Start of a run, before its first job: lock the results, check the image and the GPU budget, log the progress."""

import logging
import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from eegwf.config.paths import Combination, ResultPaths
from eegwf.dag.command_line import options_of, refuse_variables_of_shells
from eegwf.dag.flow import Flow
from eegwf.dag.initialization import init_problems
from eegwf.dag.job_shell import bind_paths, image_of
from eegwf.dag.run_progress import JobEstimate, RunProgress, estimate_jobs
from eegwf.dag.stages import STAGES
from eegwf.errors import InputError
from eegwf.plan.forecast import Forecast
from eegwf.progress import log_to_stderr
from eegwf.provenance.container_image import bind, check_image, digest_of
from eegwf.provenance.git import ROOT, commit
from eegwf.provenance.reproduce import check_published
from eegwf.storage.locks import try_lock

OTHER_FOLDER = "choose another folder (--config results=FOLDER)"
# Exists on a machine with usable NVIDIA GPUs; eegwf.compute.gpu checks it too, but imports torch.
DRIVER = Path("/proc/driver/nvidia/version")


def start(flow: Flow, jobs: Iterable[Any], local: bool) -> None:
    """Start a run; if it can't start, end the process with one line that says why.

    Parameters
    ----------
    flow
        The study.
    jobs
        Snakemake's jobs.
    local
        Whether they run on this machine: without a GPU here, their GPU-hours count as none.
    """
    log_to_stderr()
    jobs = list(jobs)
    try:
        if not local:
            refuse_variables_of_shells([setting for given in options_of(sys.argv[1:])["--config"] for setting in given])
        image = Path(image_of(flow.study)) if flow.containers else None
        if image:
            check_image(image)
            digest_of(image)  # computed once and stored beside the image, for the reports
        check_published(image)
        check_initial_weights(flow, jobs)
        lock_results(flow.paths)
        if image:
            bind(bind_paths(flow.study))  # again, since the results folder exists only now
            os.environ["EEGWF_COMMIT"] = commit(ROOT) or ""  # compute nodes may have no git
        estimates = estimate_jobs(jobs, Forecast(flow.study, flow.paths.root, STAGES).seconds)
        enforce_gpu_budget(estimates.values(), flow.study.cluster.max_gpu_hours)
    except InputError as error:
        sys.exit(f"error: {error}")
    if local and not DRIVER.exists():
        estimates = {number: replace(job, gpus=0) for number, job in estimates.items()}
    logging.getLogger("snakemake.logging").addHandler(RunProgress(estimates))


def check_initial_weights(flow: Flow, jobs: Iterable[Any]) -> None:
    """Refuse combinations that can't start from the weights of `training.init`.

    Parameters
    ----------
    flow
        The study.
    jobs
        Snakemake's jobs.

    Raises
    ------
    InputError
        Naming the first difference.
    """
    named = [job.wildcards for job in jobs if job.rule.name in ("tune", "retrain")]
    combinations = {Combination(one.model, one.spectrogram, one.classes) for one in named}
    if problems := init_problems(flow.study, sorted(combinations)):
        raise InputError(problems[0])


def lock_results(paths: ResultPaths) -> None:
    """Lock a results folder until this process ends.

    Snakemake's own lock is in the folder in which it runs, and two runs in different folders may share their results.
    Whether the folder is writable is tested here, since Snakemake would report it in several lines.

    Raises
    ------
    InputError
        If another Snakemake process uses the folder, or it can't be written to.
    """
    lock_file = paths.snakemake_lock
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=paths.root).close()
        lock = try_lock(lock_file)
        if lock is None:
            holder = lock_file.read_text().strip() or "another process"
            raise InputError(
                f"{paths.root}: results folder is in use by another Snakemake process ({holder}); wait for it, stop "
                f"it, or {OTHER_FOLDER}"
            )
        os.truncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {platform.node()}, in {Path.cwd()}\n".encode())
    except OSError as error:
        raise InputError(
            f"{paths.root}: results folder can't be written to ({error.strerror}); make it writable, or {OTHER_FOLDER}"
        ) from None


def enforce_gpu_budget(jobs: Iterable[JobEstimate], max_gpu_hours: float | None) -> None:
    """Refuse a run that is predicted to take more GPU-hours than the study allows.

    Parameters
    ----------
    jobs
        Estimated cost of the jobs.
    max_gpu_hours
        Limit; None for no limit.

    Raises
    ------
    InputError
        With the predicted GPU-hours.
    """
    hours = sum(job.gpus * job.seconds for job in jobs) / 3600
    if max_gpu_hours is not None and hours > max_gpu_hours:
        raise InputError(
            f"cluster.max_gpu_hours: {max_gpu_hours:g} are allowed, but this run is predicted to take {hours:.3g}; "
            "`snakemake --dry-run` lists them by rule"
        )
