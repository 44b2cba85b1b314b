"""Measure how much time pruning saves and how it changes the best value, over several random seeds.

Example: python -m bench.pruning --results results --trials 20 --seeds 5
"""

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import TrialState

from bench.tuned import Tuned
from eegwf.compute.device import prepare
from eegwf.training.cost_record import read_costs, seconds_per_unit
from eegwf.tuning.budget import epochs_of, succeeded
from eegwf.tuning.journal import open_study
from eegwf.tuning.search import search


def run_study(
    results: str, pruner: str, seed: int, trials: int, epochs: int, settings: dict[str, Any]
) -> tuple[int, float, float]:
    """Run an Optuna study of fold 1.

    Parameters
    ----------
    results
        Results folder of the default configuration.
    pruner
        `none`, `median`, `asha` or `hyperband`.
    seed
        Random seed.
    trials
        Number of trials.
    epochs
        Epochs of each trial.
    settings
        Further settings of `tuning`.

    Returns
    -------
    epochs : int
        Number of trained epochs.
    seconds : float
        Duration of the trainings.
    best : float
        Best value.
    """
    prepare("cpu", 1)
    training = {"epochs": epochs, "patience": epochs}
    tuned = Tuned(Path(results), training, n_trials=trials, pruner=pruner, **settings)
    task = tuned.task(1, f"pruning_{seed}", seed)
    with tempfile.TemporaryDirectory() as folder:
        search(task, Path(folder))
        seconds = sum(seconds_per_unit(read_costs(Path(folder))).values())
        counted = [trial for trial in open_study(Path(folder), task.name).get_trials() if succeeded(trial)]
    values = [trial.value for trial in counted if trial.state == TrialState.COMPLETE and trial.value is not None]
    return sum(map(epochs_of, counted)), seconds, max(values)


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default="results", help="results folder of the default configuration")
    parser.add_argument("--trials", type=int, default=20, help="number of trials of each Optuna study")
    parser.add_argument("--epochs", type=int, default=16, help="epochs of each trial; there is no early stopping")
    parser.add_argument("--seeds", type=int, default=5, help="number of Optuna studies with each pruner")
    parser.add_argument("--warmup", type=int, default=3, help="tuning.pruner_n_warmup_epochs")
    parser.add_argument("--workers", type=int, default=2, help="number of concurrent Optuna studies")
    arguments = parser.parse_args()
    seeds, pruners = range(1, arguments.seeds + 1), ("none", "median", "asha", "hyperband")
    settings = {"pruner_n_warmup_epochs": arguments.warmup}
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("forkserver")) as pool:
        jobs = {
            (pruner, seed): pool.submit(
                run_study, arguments.results, pruner, seed, arguments.trials, arguments.epochs, settings
            )
            for seed in seeds
            for pruner in pruners
        }
        outcomes = {key: job.result() for key, job in jobs.items()}
    print(f"{arguments.trials} trials of {arguments.epochs} epochs, {arguments.seeds} seeds")
    for pruner in pruners:
        epochs, seconds, best = np.array([outcomes[pruner, seed] for seed in seeds]).T
        all_epochs, _, best_unpruned = np.array([outcomes["none", seed] for seed in seeds]).T
        difference = best - best_unpruned
        error = difference.std(ddof=1) / np.sqrt(len(seeds))
        print(
            f"{pruner}: {epochs.mean():.0f} epochs, {1 - (epochs / all_epochs).mean():.0%} saved, "
            f"{seconds.mean():.0f} s of training; best value "
            f"{best.mean():.3f} (standard deviation over seeds {best.std(ddof=1):.3f}), difference from none "
            f"{difference.mean():+.3f} +- {error:.3f}"
        )


if __name__ == "__main__":
    main()
