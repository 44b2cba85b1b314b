"""What the Snakefile does before the first job: hold the results, look at the image, weigh the cost."""

import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eegwf.checkout import ROOT, commit
from eegwf.errors import InputError
from eegwf.flow import Flow
from eegwf.image import bind, check_image, digest_of
from eegwf.plan.watch import begin
from eegwf.reproduce import check_published
from eegwf.shell import image_of, outside
from eegwf.state import try_lock

CHOOSE = "choose another folder (--config results=FOLDER)"


def start(flow: Flow, jobs: Iterable[Any], local: bool) -> None:
    """Begin a run, or end the process with one line that says why not.

    Parameters
    ----------
    flow
        The study.
    jobs
        Snakemake's jobs.
    local
        Whether they run on this machine.
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
    except InputError as error:
        sys.exit(f"error: {error}")
    begin(flow, jobs, local)


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
