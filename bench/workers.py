"""Measure an Optuna study with one and with several workers: its duration, and its number of trials.

Every trial has the same number of epochs and is not pruned, so that the amount of work does not depend on the sampled
parameters.

Example: python -m bench.workers --results results --trials 16 --workers 1 2 4
"""

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from optuna.trial import TrialState

from bench.tuned import Tuned
from eegwf.compute.device import prepare
from eegwf.models.registry import class_of
from eegwf.tuning.journal import open_study
from eegwf.tuning.search import search
from eegwf.tuning.task import TuningTask

NAME = "workers"
START_SECONDS = 5
"""Seconds that each process waits after its start, so that all processes have started when the clock starts."""
_task: TuningTask | None = None


def load_task(results: str, trials: int, epochs: int) -> TuningTask:
    """Make the tuning task of fold 1.

    Parameters
    ----------
    results
        Results folder of the default configuration.
    trials
        Number of trials.
    epochs
        Epochs of each trial.

    Returns
    -------
    TuningTask
        The task.
    """
    prepare("cpu", 1)
    training = {"epochs": epochs, "patience": epochs}
    return Tuned(Path(results), training, n_trials=trials, pruner="none").task(1, NAME)


def initialize_worker(results: str, trials: int, epochs: int) -> None:
    """Import the libraries and open the data in a worker process, before the clock starts.

    Parameters
    ----------
    results, trials, epochs
        Arguments of `load_task`.
    """
    global _task
    _task = load_task(results, trials, epochs)
    class_of(_task.model, _task.space.fixed)
    torch.zeros(1)


def work(folder: str) -> None:
    """Run trials until the study ends."""
    assert _task is not None
    search(_task, Path(folder))


def measure(n_workers: int, arguments: tuple[str, int, int]) -> tuple[float, int, int]:
    """Run an Optuna study with several workers.

    Parameters
    ----------
    n_workers
        Number of workers.
    arguments
        Arguments of `load_task`.

    Returns
    -------
    seconds : float
        Duration of the study.
    complete : int
        Number of complete trials.
    distinct : int
        Number of distinct pairs of trial number and parameter set among them.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(n_workers, get_context("spawn"), initialize_worker, arguments) as pool,
    ):
        # The pool starts a process only when all others are busy.
        list(pool.map(time.sleep, [START_SECONDS] * n_workers))
        started = time.perf_counter()
        for job in [pool.submit(work, folder) for _ in range(n_workers)]:
            job.result()
        seconds = time.perf_counter() - started
        trials = open_study(Path(folder), NAME).get_trials()
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return seconds, len(complete), len({(trial.number, str(trial.params)) for trial in complete})


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default="results", help="results folder of the default configuration")
    parser.add_argument("--trials", type=int, default=16, help="number of trials of each Optuna study")
    parser.add_argument("--epochs", type=int, default=12, help="epochs of each trial")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="numbers of workers")
    arguments = parser.parse_args()
    first = None
    for n_workers in arguments.workers:
        seconds, complete, distinct = measure(n_workers, (arguments.results, arguments.trials, arguments.epochs))
        first = first or seconds
        print(
            f"{n_workers} worker(s): {seconds:.1f} s, speed-up {first / seconds:.2f} over the first row, "
            f"{complete} trials complete, {distinct} of them distinct",
            flush=True,
        )


if __name__ == "__main__":
    main()
