"""What would have been claimed by tuning and choosing on the test folds, beside the nested result.

The nested study must have run with as many trials, as by

    snakemake results/vit_mel_3class/report.html --config 'tuning={trials: 20}'
    python -m bench.claims --trials 20

The same engine, space, budget and training patients; only the fold that judges trials and epochs differs: it is the
test fold, as in the notebooks. With --all-others training has the validation fold as well, as theirs had.
"""

import argparse
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score

from bench.tuned import Tuned
from eegwf.compute.device import prepare
from eegwf.data.splits import Cohort, split
from eegwf.seeds import seed_of
from eegwf.training.classifier import predict
from eegwf.training.loop import train
from eegwf.tuning.journal import open_study
from eegwf.tuning.search import search
from eegwf.tuning.selection import best_sets


def tempted(cohort: Cohort, fold: int, all_others: bool) -> Cohort:
    """The cohort as someone sees it who validates on the test fold: that is fold 1, the training folds follow."""
    nested = split(cohort, fold)
    seen = cohort.scored()
    if not all_others:
        seen = seen.select(~np.isin(seen.fold, nested.validation_folds))
    others = sorted(set(seen.fold.tolist()) - {fold})
    number = {fold: 1} | {other: place for place, other in enumerate(others, start=2)}
    return replace(seen, fold=np.array([number[one] for one in seen.fold]), n_folds=len(number))


def claim(results: str, trials: int, fold: int, all_others: bool) -> dict:
    """Tune on a test fold, retrain the best five with it as the judge of epochs, and score them on it."""
    prepare("cpu", 1)
    tuned = Tuned(Path(results), trials=trials)
    cohort = tempted(tuned.cohort, fold, all_others)
    task = replace(tuned.task(fold, f"claims_fold{fold}"), cohort=cohort, test_fold=0)
    with tempfile.TemporaryDirectory() as folder:
        search(task, Path(folder))
        found = open_study(Path(folder), task.name).get_trials()
    best = best_sets(found, task.space.fixed, tuned.study.retrain.top)
    parts, p = split(cohort, 0), 0.0
    rescored = []
    for entry in best:
        seed = seed_of(task.seed, task.name, "retrain", entry["rank"])
        trained = train(task.model, task.inputs, parts, entry["params"], task.training, seed=seed)
        rescored.append(trained.value)
        p = p + predict(trained.classifier, task.inputs, parts.validation.window).softmax(dim=1)
    truth, predicted = parts.validation.label, torch.argmax(p, dim=1).numpy()
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
    parser.add_argument("--results", default="results", help="results of the default configuration")
    parser.add_argument("--trials", type=int, default=20, help="trials of each study")
    parser.add_argument("--all-others", action="store_true", help="train on the validation fold as well")
    parser.add_argument("--workers", type=int, default=2, help="folds at a time")
    arguments = parser.parse_args()
    folds = range(1, Tuned(Path(arguments.results), trials=arguments.trials).cohort.n_folds + 1)
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("forkserver")) as pool:
        jobs = [pool.submit(claim, arguments.results, arguments.trials, fold, arguments.all_others) for fold in folds]
        found = [job.result() for job in jobs]
    nested = json.loads((Path(arguments.results) / "vit_mel_3class" / "metrics.json").read_text())
    truth, predicted = (np.concatenate([one[name] for one in found]) for name in ("truth", "predicted"))
    print(f"balanced accuracy, {arguments.trials} trials")
    for member in ("rank1", "ensemble"):
        entry = nested["members"][member]["balanced_accuracy"]
        print(f"nested, {member}: {entry['value']:.3f} ({entry['low']:.3f} to {entry['high']:.3f})")
    print(f"chosen on the test folds, best trial, mean of folds: {np.mean([one['best_trial'] for one in found]):.3f}")
    print(f"... the best of five retrained: {np.mean([max(one['rescored']) for one in found]):.3f}")
    print(f"... their ensemble, pooled: {balanced_accuracy_score(truth, predicted):.3f}")


if __name__ == "__main__":
    main()
