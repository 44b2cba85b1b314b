"""Compare trainings with and without pretraining when few patients have labels.

    snakemake results/spectrograms/mel.npy results/data/folds.tsv
    python -m bench.pretraining --results results --labeled 2 --seeds 3

For each outer fold of the default study, the labels of all training patients but a few are hidden; their windows remain
for the pretraining. Both trainings have the same patients, seed, parameters and epochs.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from bench.tuned import Tuned
from eegwf.compute.device import prepare
from eegwf.config.training import Training
from eegwf.data.splits import Split, WindowSet, split
from eegwf.seeds import seed_of
from eegwf.training.classifier import predict
from eegwf.training.loop import train

# Small models of the defaults.
PARAMETERS = {"vit": {"width": 32, "heads": 2, "depth": 1, "patch_freqs": 8, "patch_times": 8}, "eegnet": {}}


def with_few_labels(window_set: WindowSet, fold: int, n_labeled: int, seed: int) -> Split:
    """Hide the labels of all training patients but a few, who have windows of every class.

    Parameters
    ----------
    window_set
        All windows of the study.
    fold
        Number of the test fold.
    n_labeled
        Number of training patients whose labels are used.
    seed
        Seed of their choice.

    Returns
    -------
    Split
        Training windows of these patients; the others' are unlabeled.
    """
    parts = split(window_set, fold)
    rng = np.random.default_rng(seed_of(seed, "labeled patients", fold))
    patients, n_classes = np.unique(parts.train.patient.astype(str)), len(window_set.classes)
    while True:
        labeled = np.isin(parts.train.patient.astype(str), rng.choice(patients, n_labeled, replace=False))
        if len(np.unique(parts.train.label[labeled])) == n_classes:
            break
    hidden = parts.train.window[~labeled]
    return replace(
        parts,
        train=parts.train.select(labeled),
        unlabeled=np.sort(np.concatenate([parts.unlabeled, hidden])),
    )


def scores(results: str, model: str, fold: int, seed: int, n_labeled: int, epochs: tuple[int, int]) -> list[float]:
    """Train once.

    Parameters
    ----------
    results
        Results folder of the default configuration.
    model
        Name of the model.
    fold, seed
        Number of the test fold, and random seed.
    n_labeled
        Number of training patients whose labels are used.
    epochs
        Maximum numbers of epochs of the training and of the pretraining.

    Returns
    -------
    list of float
        Balanced accuracy of the best epoch on the validation fold, and on the test fold.
    """
    prepare("cpu", 1)
    training = Training(epochs=epochs[0], patience=8, lr=2e-3, pretrain_epochs=epochs[1])
    tuned = Tuned(Path(results))
    parts = with_few_labels(tuned.window_set, fold, n_labeled, seed)
    trained = train(model, tuned.dataset, parts, PARAMETERS[model], training, seed=seed)
    test = tuned.window_set.in_folds(fold).scored()
    predicted = predict(trained.classifier, tuned.dataset, test.window).argmax(1)
    return [trained.value, float(balanced_accuracy_score(test.label, predicted))]


def main() -> None:
    """Read the arguments, train, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default="results", help="results folder of the default configuration")
    parser.add_argument("--models", nargs="+", default=list(PARAMETERS), choices=list(PARAMETERS), help="models")
    parser.add_argument("--labeled", type=int, default=2, help="number of training patients with labels")
    parser.add_argument("--folds", type=int, default=5, help="number of outer folds")
    parser.add_argument("--seeds", type=int, default=3, help="number of random seeds, and of choices of patients")
    parser.add_argument("--epochs", type=int, default=40, help="maximum number of epochs of a training")
    parser.add_argument("--pretrain-epochs", type=int, default=30, help="number of epochs of the pretraining")
    parser.add_argument("--workers", type=int, default=2, help="number of concurrent trainings")
    arguments = parser.parse_args()
    pairs = list(product(range(1, arguments.folds + 1), range(1, arguments.seeds + 1)))
    print("| model | pretraining epochs | validation balanced accuracy | test balanced accuracy |\n|---|---|---|---|")
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("forkserver")) as pool:
        for model in arguments.models:
            found = []
            for n_epochs in (0, arguments.pretrain_epochs):
                epochs = (arguments.epochs, n_epochs)
                jobs = [
                    pool.submit(scores, arguments.results, model, *pair, arguments.labeled, epochs) for pair in pairs
                ]
                found.append(np.array([job.result() for job in jobs]))
                print(f"| {model} | {n_epochs} | {' | '.join(f'{mean:.3f}' for mean in found[-1].mean(axis=0))} |")
            difference = found[1] - found[0]
            errors = difference.std(axis=0, ddof=1) / len(difference) ** 0.5
            cells = [f"{mean:+.3f} ± {error:.3f}" for mean, error in zip(difference.mean(axis=0), errors, strict=True)]
            print(f"| {model} | difference | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
