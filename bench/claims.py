"""Compare nested cross-validation with tuning and model selection on the test folds, which is optimistically biased.

The nested study must have run with the same number of trials, for example by

    snakemake results/vit_mel_3class/report.html --config 'tuning={n_trials: 20}'
    python -m bench.claims --trials 20

Tuning, search space, budget and training patients are the same; only the fold differs on which trials and epochs are
validated: it is the test fold, as in the published notebooks. With --all-others the validation fold is used for
training as well, as in the notebooks.
"""

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score

from bench.tuned import Tuned
from eegwf.compute.device import prepare
from eegwf.config.paths import Combination, ResultPaths
from eegwf.data.splits import WindowSet, split
from eegwf.seeds import seed_of
from eegwf.storage.files import read_json
from eegwf.training.classifier import predict
from eegwf.training.loop import train
from eegwf.tuning.journal import open_study
from eegwf.tuning.search import search
from eegwf.tuning.selection import best_sets


def validating_on_test_fold(window_set: WindowSet, fold: int, all_others: bool) -> WindowSet:
    """Renumber the folds so that the test fold is validated on.

    Parameters
    ----------
    window_set
        All windows of the study.
    fold
        Number of the test fold.
    all_others
        Whether the validation fold of nested cross-validation is used for training, too.

    Returns
    -------
    WindowSet
        The test fold is fold 1, the training folds follow.
    """
    nested = split(window_set, fold)
    used = window_set.scored()
    if not all_others:
        used = used.select(~np.isin(used.fold, nested.validation_folds))
    others = sorted(set(used.fold.tolist()) - {fold})
    new_numbers = {fold: 1} | {other: number for number, other in enumerate(others, start=2)}
    return replace(used, fold=np.array([new_numbers[old] for old in used.fold]), n_folds=len(new_numbers))


def claim(results: str, trials: int, fold: int, all_others: bool) -> dict[str, Any]:
    """Tune on a test fold, retrain the best parameter sets with early stopping on it, and score them on it.

    Parameters
    ----------
    results
        Results folder of the default configuration.
    trials
        Number of trials.
    fold
        Number of the test fold.
    all_others
        Whether the validation fold of nested cross-validation is used for training, too.

    Returns
    -------
    dict
        Value of the best trial, scores of the retrained models, and true and predicted classes of the ensemble.
    """
    prepare("cpu", 1)
    tuned = Tuned(Path(results), n_trials=trials)
    window_set = validating_on_test_fold(tuned.window_set, fold, all_others)
    task = replace(tuned.task(fold, f"claims_fold{fold}"), window_set=window_set, test_fold=0)
    with tempfile.TemporaryDirectory() as folder:
        search(task, Path(folder))
        optuna_trials = open_study(Path(folder), task.name).get_trials()
    best = best_sets(optuna_trials, task.space.fixed, tuned.study.retrain.n_best)
    parts, probabilities = split(window_set, 0), torch.zeros(())
    rescored = []
    for entry in best:
        seed = seed_of(task.seed, task.name, "retrain", entry["rank"])
        trained = train(task.model, task.dataset, parts, entry["params"], task.training, seed=seed)
        rescored.append(trained.value)
        logits = predict(trained.classifier, task.dataset, parts.validation.window)
        probabilities = probabilities + logits.softmax(dim=1)
    truth, predicted = parts.validation.label, torch.argmax(probabilities, dim=1).numpy()
    return {
        "fold": fold,
        "best_trial": best[0]["value"],
        "rescored": rescored,
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
    }


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default="results", help="results folder of the default configuration")
    parser.add_argument("--trials", type=int, default=20, help="number of trials of each Optuna study")
    parser.add_argument("--all-others", action="store_true", help="use the validation fold for training, too")
    parser.add_argument("--workers", type=int, default=2, help="number of concurrent folds")
    arguments = parser.parse_args()
    folds = range(1, Tuned(Path(arguments.results), n_trials=arguments.trials).window_set.n_folds + 1)
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("forkserver")) as pool:
        jobs = [pool.submit(claim, arguments.results, arguments.trials, fold, arguments.all_others) for fold in folds]
        claims = [job.result() for job in jobs]
    nested = read_json(ResultPaths(Path(arguments.results)).run(Combination("vit", "mel", "3class")).metrics)
    truth, predicted = (np.concatenate([fold[name] for fold in claims]) for name in ("truth", "predicted"))
    print(f"balanced accuracy, {arguments.trials} trials")
    for member in ("rank1", "ensemble"):
        entry = nested["members"][member]["balanced_accuracy"]
        print(f"nested cross-validation, {member}: {entry['value']:.3f} ({entry['low']:.3f} to {entry['high']:.3f})")
    print("selected on the test folds:")
    print(f"best trial, mean of the folds: {np.mean([fold['best_trial'] for fold in claims]):.3f}")
    print(f"best retrained model, mean of the folds: {np.mean([max(fold['rescored']) for fold in claims]):.3f}")
    print(f"ensemble, all folds pooled: {balanced_accuracy_score(truth, predicted):.3f}")


if __name__ == "__main__":
    main()
