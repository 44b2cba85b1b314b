"""Kill jobs at random instants."""

import multiprocessing
import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path


def kill_ten_times(job: Callable, arguments: tuple, state: Path, check: Callable[[], bool], seed: int) -> None:
    """Start a job repeatedly and end it by SIGKILL at random instants, ten times.

    The longest delay before a kill grows, so that kills occur in the first steps of the job and in the last ones. If
    the job finishes first, `check` must return True; the next start then has no state.

    Parameters
    ----------
    job, arguments
        Function that runs in a process, and its arguments.
    state
        State folder of the job.
    check
        Returns whether the outputs of the job are those of an uninterrupted run.
    seed
        Seed of the delays.
    """
    rng = random.Random(seed)
    # A forked process imports nothing: a kill during imports would test nothing.
    context = multiprocessing.get_context("fork")
    n_kills, longest = 0, 0.05
    while n_kills < 10:
        process = context.Process(target=job, args=arguments)
        process.start()
        process.join(rng.uniform(0.0, longest))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            n_kills += 1
        else:
            assert process.exitcode == 0, f"the job ended with exit code {process.exitcode}"
            assert check(), "the outputs differ from those of an uninterrupted run"
            shutil.rmtree(state)
        longest = min(longest * 1.6, 1.5)
