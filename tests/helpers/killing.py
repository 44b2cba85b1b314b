"""Jobs killed at random instants."""

import multiprocessing
import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path


def kill_ten_times(job: Callable, arguments: tuple, state: Path, check: Callable[[], bool], seed: int) -> None:
    """Start a job again and again and kill it by SIGKILL at random instants, ten times.

    The time that it is given grows, so that kills fall on its first steps and on its last. If it comes to its end,
    `check` must hold, and it begins anew without its state.
    """
    rng = random.Random(seed)
    context = multiprocessing.get_context("fork")  # no seconds of imports, in which there is nothing to lose
    killed, longest = 0, 0.05
    while killed < 10:
        process = context.Process(target=job, args=arguments)
        process.start()
        process.join(rng.uniform(0.0, longest))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            killed += 1
        else:
            assert process.exitcode == 0, f"it ended with {process.exitcode}"
            assert check(), "it ended in other bytes"
            shutil.rmtree(state)
        longest = min(longest * 1.6, 1.5)
