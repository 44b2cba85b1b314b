"""One study by one worker and by several: how long it takes, and that it has the same number of trials.

Every trial has the same number of epochs, without pruning, so that the work is the same however the trials fall.

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
from eegwf.tuning.task import Task

NAME = "workers"


def load(results: str, trials: int, epochs: int) -> Task:
    """The study of fold 1."""
    prepare("cpu", 1)
    training = {"epochs": epochs, "patience": epochs}
    return Tuned(Path(results), training, trials=trials, pruning="none").task(1, NAME)


def ready(results: str, trials: int, epochs: int) -> None:
    """What a process does before the clock starts: imports and data."""
    global task
    task = load(results, trials, epochs)
    class_of(task.model, task.space.fixed)
    torch.zeros(1)


def work(folder: str) -> None:
    """One worker."""
    search(task, Path(folder))


def measure(n_workers: int, arguments: tuple[str, int, int]) -> tuple[float, int, int]:
    """Seconds of a study, its complete trials, and how many have their number and parameters to themselves."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(n_workers, get_context("spawn"), ready, arguments) as pool,
    ):
        # One task after another would start processes only as they are needed.
        list(pool.map(time.sleep, [5] * n_workers))
        started = time.perf_counter()
        for job in [pool.submit(work, folder) for _ in range(n_workers)]:
            job.result()
        seconds = time.perf_counter() - started
        found = open_study(Path(folder), NAME).get_trials()
    complete = [trial for trial in found if trial.state == TrialState.COMPLETE]
    return seconds, len(complete), len({(trial.number, str(trial.params)) for trial in complete})


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default="results", help="results of the default configuration")
    parser.add_argument("--trials", type=int, default=16, help="trials of each study")
    parser.add_argument("--epochs", type=int, default=12, help="epochs of each trial")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="numbers of workers")
    arguments = parser.parse_args()
    alone = None
    for n_workers in arguments.workers:
        seconds, complete, own = measure(n_workers, (arguments.results, arguments.trials, arguments.epochs))
        alone = alone or seconds
        print(
            f"{n_workers} worker(s): {seconds:.1f} s, {alone / seconds:.2f} times the first row's speed, "
            f"{complete} trials complete, {own} of them distinct",
            flush=True,
        )


if __name__ == "__main__":
    main()
