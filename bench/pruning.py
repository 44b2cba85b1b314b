"""What pruning saves, and whether it costs anything: the same study without it and with it, over several seeds.

Example: python -m bench.pruning --results results --trials 20 --seeds 5
"""

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from optuna.trial import TrialState

from bench.tuned import Tuned
from eegwf.compute.device import prepare
from eegwf.tuning.budget import ended_well, epochs_of
from eegwf.tuning.journal import open_study
from eegwf.tuning.search import search


def study(results: str, pruning: str, seed: int, trials: int, epochs: int, settings: dict) -> tuple[int, float]:
    """Epochs of a study of fold 1, and its best value."""
    prepare("cpu", 1)
    training = {"epochs": epochs, "patience": epochs}
    tuned = Tuned(Path(results), training, trials=trials, pruning=pruning, **settings)
    task = tuned.task(1, f"pruning_{seed}", seed)
    with tempfile.TemporaryDirectory() as folder:
        search(task, Path(folder))
        found = [trial for trial in open_study(Path(folder), task.name).get_trials() if ended_well(trial)]
    complete = [trial.value for trial in found if trial.state == TrialState.COMPLETE]
    return sum(map(epochs_of, found)), max(complete)


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default="results", help="results of the default configuration")
    parser.add_argument("--trials", type=int, default=20, help="trials of each study")
    parser.add_argument("--epochs", type=int, default=16, help="epochs of each trial; none stops by itself")
    parser.add_argument("--seeds", type=int, default=5, help="studies of each kind")
    parser.add_argument("--warmup", type=int, default=3, help="pruning_warmup")
    parser.add_argument("--workers", type=int, default=2, help="studies at a time")
    arguments = parser.parse_args()
    seeds, kinds = range(1, arguments.seeds + 1), ("none", "median", "hyperband")
    settings = {"pruning_warmup": arguments.warmup}
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("forkserver")) as pool:
        jobs = {
            (kind, seed): pool.submit(
                study, arguments.results, kind, seed, arguments.trials, arguments.epochs, settings
            )
            for seed in seeds
            for kind in kinds
        }
        found = {key: job.result() for key, job in jobs.items()}
    print(f"{arguments.trials} trials of {arguments.epochs} epochs, {arguments.seeds} seeds")
    for kind in kinds:
        epochs, best = np.array([found[kind, seed] for seed in seeds]).T
        whole, without = np.array([found["none", seed] for seed in seeds]).T
        lost = best - without
        error = lost.std(ddof=1) / np.sqrt(len(seeds))
        print(
            f"{kind}: {epochs.mean():.0f} epochs, {1 - (epochs / whole).mean():.0%} saved; best value "
            f"{best.mean():.3f} (over seeds +- {best.std(ddof=1):.3f}), against none {lost.mean():+.3f} +- {error:.3f}"
        )


if __name__ == "__main__":
    main()
