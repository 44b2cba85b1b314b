"""What the Snakefile does before the first job: hold the results, look at the image, weigh the cost, follow the run."""

import logging
import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from eegwf.dag.flow import Flow
from eegwf.dag.job_shell import image_of, outside
from eegwf.dag.run_progress import Course, shares_of
from eegwf.errors import InputError
from eegwf.plan.forecast import Forecast
from eegwf.provenance.container_image import bind, check_image, digest_of
from eegwf.provenance.git import ROOT, commit
from eegwf.provenance.reproduce import check_published
from eegwf.storage.locks import try_lock

CHOOSE = "choose another folder (--config results=FOLDER)"
# There where a machine has NVIDIA GPUs that can be used; eegwf.compute.gpu looks there too, but brings torch.
DRIVER = Path("/proc/driver/nvidia/version")


def start(flow: Flow, jobs: Iterable[Any], local: bool) -> None:
    """Begin a run, or end the process with one line that says why not.

    Parameters
    ----------
    flow
        The study.
    jobs
        Snakemake's jobs.
    local
        Whether they run on this machine: if it has no GPU, they hold none, though they would take one.
    """
    try:
        image = Path(image_of(flow.study)) if flow.containers else None
        if image:
            check_image(image)
            digest_of(image)  # kept beside it, for the reports
        check_published(image)
        hold(Path(flow.results))
        if image:
            bind(outside(flow.study))  # the results are there only now
            os.environ["EEGWF_COMMIT"] = commit(ROOT) or ""  # nodes may have no git
        _weigh(flow, jobs, local)
    except InputError as error:
        sys.exit(f"error: {error}")


def hold(results: Path) -> None:
    """Hold a results folder until this process ends.

    Snakemake's own lock is of the folder in which it runs, and two of them may share their results. Writing is tried
    here since Snakemake would take several lines to say that it can't.

    Raises
    ------
    InputError
        If another one holds it, or nothing can be written there.
    """
    path = results / "state/snakemake.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=results).close()
        lock = try_lock(path)
        if lock is None:
            holder = path.read_text().strip() or "another process"
            raise InputError(f"{results}: a Snakemake works there ({holder}); wait for it, stop it, or {CHOOSE}")
        os.truncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {platform.node()}, in {Path.cwd()}\n".encode())
    except OSError as error:
        raise InputError(f"{results}: can't be written to ({error.strerror}); make it writable, or {CHOOSE}") from None


def _weigh(flow: Flow, jobs: Iterable[Any], local: bool) -> None:
    """Refuse a run that is predicted to take more GPU-hours than the study allows, and follow any other."""
    shares = shares_of(jobs, Forecast(flow.study, Path(flow.results)).seconds)
    most, hours = flow.study.cluster.max_gpu_hours, sum(job.gpus * job.seconds for job in shares.values()) / 3600
    if most is not None and hours > most:
        raise InputError(
            f"cluster.max_gpu_hours: {most:g} are allowed, and this run is predicted to take {hours:.3g}; "
            "`snakemake --dry-run` shows by what"
        )
    if local and not DRIVER.exists():
        shares = {number: replace(share, gpus=0) for number, share in shares.items()}
    logging.getLogger("snakemake.logging").addHandler(Course(shares))
