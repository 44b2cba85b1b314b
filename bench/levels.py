"""Levels of the tests that compare classifiers, measured on simulated cross-validations of two equally good models.

Run `python -m bench.levels --studies 4000`.

Two linear discriminants read different channels of the same patients. Their channels are equally informative, so that
both models are equally good procedures, and every rejection is an error of the first kind. Patients differ: each has
offsets of his own, of all windows and of each class, which a training set of few patients can't average out. The
classifiers of two folds share most of their training patients, and their differences are therefore correlated.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from eegwf.evaluation.bootstrap import patient_draws
from eegwf.evaluation.comparison import Counts, all_pairs, compare, fold_scores
from eegwf.evaluation.paired_tests import p_value

ALPHA = 0.05
BLOCK = 20  # studies simulated at a time


@dataclass(frozen=True)
class Design:
    """A simulated study of two classes.

    Attributes
    ----------
    n_patients, n_folds, n_windows
        Patients, folds, and windows of each class and patient.
    n_channels
        Channels of each model.
    distance
        Distance of the class means; the standard deviation of a window is 1.
    patient_sd, class_sd
        Standard deviation of the offset of a patient, and of a patient's offset of a class.
    with_seizures
        Number of patients with windows of both classes; None for all.
    """

    n_patients: int
    n_folds: int
    n_windows: int
    n_channels: int
    distance: float
    patient_sd: float
    class_sd: float
    with_seizures: int | None = None

    @property
    def total(self) -> np.ndarray:
        """Windows of each patient and class."""
        total = np.full((self.n_patients, 2), float(self.n_windows))
        total[self.with_seizures if self.with_seizures is not None else self.n_patients :, 1] = 0
        return total

    @property
    def fold(self) -> np.ndarray:
        """Test fold of each patient."""
        return np.arange(self.n_patients) % self.n_folds


# Classifiers that hardly depend on the training patients, in studies of different sizes, and one of unstable ones.
DESIGNS = {
    "stable, 30 patients": Design(30, 5, 20, 8, 1.5, 0.5, 0.3),
    "stable, 30 patients, 10 folds": Design(30, 10, 20, 8, 1.5, 0.5, 0.3),
    "stable, 12 patients": Design(12, 4, 20, 8, 1.5, 0.5, 0.3),
    "stable, 30 patients, 12 of both classes": Design(30, 5, 20, 8, 1.5, 0.5, 0.3, 12),
    "stable, 20 patients, 8 of both classes": Design(20, 5, 20, 8, 1.5, 0.5, 0.3, 8),
    "unstable, 20 patients": Design(20, 5, 10, 40, 1.5, 0.5, 1.0),
    "unstable, 60 patients": Design(60, 5, 10, 100, 3.0, 0.5, 1.0),
}


@dataclass(frozen=True)
class Simulation:
    """Results of simulated studies; classifiers 2 s and 2 s + 1 are those of study s.

    Attributes
    ----------
    tested
        Counts of the test patients of the cross-validation.
    fresh
        Counts of as many further patients, each classified by the models of one fold.
    truth
        Mean balanced accuracy of the trained models of all folds on all patients, `(2 n_studies,)`.
    """

    tested: Counts
    fresh: Counts
    truth: np.ndarray


def simulate(design: Design, n_studies: int, seed: int) -> Simulation:
    """Simulate cross-validations of two equally good models.

    Parameters
    ----------
    design
        The study.
    n_studies
        Number of studies.
    seed
        Random seed.

    Returns
    -------
    Simulation
        Counts of both models of every study.
    """
    rng = np.random.default_rng(seed)
    blocks = [_models(design, 2 * min(BLOCK, n_studies - start), rng) for start in range(0, n_studies, BLOCK)]
    tested, fresh, truth = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    counts = [Counts(correct, design.total, design.fold, design.n_folds) for correct in (tested, fresh)]
    return Simulation(counts[0], counts[1], truth)


def _models(design: Design, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correct windows of test patients and of further patients, and true scores, of `n` cross-validated models."""
    windows, further = _windows(design, n, rng), _windows(design, n, rng)
    weights, threshold = _trained(design, windows)
    direction = np.full(design.n_channels, design.distance / np.sqrt(design.n_channels))
    spread = np.linalg.norm(weights, axis=-1) * np.sqrt(1 + design.patient_sd**2 + design.class_sd**2)
    truth = (ndtr(threshold / spread) + ndtr((weights @ direction - threshold) / spread)) / 2
    return _correct(design, windows, weights, threshold), _correct(design, further, weights, threshold), truth.mean(1)


def _windows(design: Design, n: int, rng: np.random.Generator) -> np.ndarray:
    """Windows `(n, n_patients, 2, n_windows, n_channels)`."""
    shape = (n, design.n_patients, 2, design.n_windows, design.n_channels)
    windows = rng.normal(size=shape)
    windows += design.patient_sd * rng.normal(size=(*shape[:2], 1, 1, shape[4]))
    windows += design.class_sd * rng.normal(size=(*shape[:3], 1, shape[4]))
    windows[:, :, 1] += design.distance / np.sqrt(design.n_channels)
    return windows


def _trained(design: Design, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights `(n, n_folds, n_channels)` and thresholds `(n, n_folds)` of the linear discriminants of all folds."""
    used = (design.total > 0)[None, :, :, None]
    sums = windows.sum(3) * used
    squares = (np.swapaxes(windows, -1, -2) @ windows) * used[..., None]
    folds = range(design.n_folds)
    train = np.array([design.fold != fold for fold in folds], dtype=float)
    sizes = train @ design.total
    means = np.einsum("fp,npcq->nfcq", train, sums) / sizes[None, :, :, None]
    scatter = np.einsum("fp,npcqr->nfcqr", train, squares)
    scatter -= sizes[None, :, :, None, None] * means[..., :, None] * means[..., None, :]
    covariance = scatter.sum(2) / (sizes.sum(1) - 2)[None, :, None, None]
    covariance += 0.01 * np.eye(design.n_channels)
    difference = means[:, :, 1] - means[:, :, 0]
    weights = np.linalg.solve(covariance, difference[..., None])[..., 0]
    return weights, (weights * means.mean(2)).sum(-1)


def _correct(design: Design, windows: np.ndarray, weights: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Correctly classified windows `(n, n_patients, 2)`, each patient by the models of one fold."""
    values = np.einsum("npcwq,npq->npcw", windows, weights[:, design.fold], optimize=True)
    above = values > threshold[:, design.fold, None, None]
    correct = np.stack([~above[:, :, 0], above[:, :, 1]], axis=2).sum(3).astype(float)
    return correct * (design.total > 0)


def levels(design: Design, n_studies: int, seed: int, n_replicates: int = 400) -> dict[str, float]:
    """Measure how often each test rejects a true hypothesis at the level 0.05.

    Parameters
    ----------
    design
        The study.
    n_studies
        Number of simulated studies.
    seed
        Random seed.
    n_replicates
        Replicates of the bootstrap.

    Returns
    -------
    dict
        - `plain_t`, `corrected_t`: tests over folds, of the hypothesis that the procedures are equally good.
        - `patients`, `percentile`: test over patients and percentile bootstrap on further patients, of the hypothesis
          that the difference of the trained models is the true one.
        - `patients_procedures`: the test over patients of the cross-validated windows, of the hypothesis that the
          procedures are equally good, for which it is not made.
        - `correlation`: mean correlation of the differences of two folds.
    """
    simulated = simulate(design, n_studies, seed)
    pairs = np.arange(2 * n_studies).reshape(-1, 2)
    draws = patient_draws(design.n_patients, n_replicates, seed)
    tested, fresh = compare(simulated.tested, pairs), compare(simulated.fresh, pairs, draws)
    truth = simulated.truth[pairs[:, 0]] - simulated.truth[pairs[:, 1]]
    scores = fold_scores(simulated.tested)
    differences = scores[pairs[:, 0]] - scores[pairs[:, 1]]
    n = differences.shape[1]
    units = np.full(n_studies, n)
    plain = p_value(differences.mean(1), differences.std(1, ddof=1) / np.sqrt(n), units - 1, units)
    correlations = np.corrcoef(differences.T)[tuple(all_pairs(n).T)]
    return {
        "plain_t": float(np.mean(plain < ALPHA)),
        "corrected_t": float(np.mean(tested.p_folds < ALPHA)),
        "patients": float(np.mean((truth < fresh.low) | (truth > fresh.high))),
        "percentile": float(np.mean((truth < fresh.bootstrap_low) | (truth > fresh.bootstrap_high))),
        "patients_procedures": float(np.mean(tested.p_patients < ALPHA)),
        "correlation": float(correlations.mean()),
    }


def main() -> None:
    """Read the arguments, and print a table of the levels."""
    parser = argparse.ArgumentParser(prog="python -m bench.levels", description=__doc__)
    parser.add_argument("--studies", type=int, default=4000, help="simulated studies of each design")
    parser.add_argument("--seed", type=int, default=1, help="random seed")
    arguments = parser.parse_args()
    for name, design in DESIGNS.items():
        values = levels(design, arguments.studies, arguments.seed)
        print(f"{name:42s} " + "  ".join(f"{key} {value:.3f}" for key, value in values.items()), flush=True)


if __name__ == "__main__":
    main()
