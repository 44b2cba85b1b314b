"""Coverage of the interval of the selection optimism, measured on simulated nested cross-validations.

Run `python -m bench.optimism --studies 400`.

A trial is a linear discriminant on half of the channels, drawn at random. The best of the trials on the validation fold
is tested on the outer fold. Patients differ in difficulty: the noise of each has another standard deviation.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from eegwf.report.optimism import Difference, Optimism, mean_optimism

CONFIDENCE = 0.95
DISTANCE = 1.5  # between the means of the classes
DIFFICULTY = 0.6  # standard deviation of the logarithm of a patient's noise
OFFSET = 0.5  # standard deviation of a patient's offset, of all windows and of each class


@dataclass(frozen=True)
class Design:
    """A simulated study of two classes.

    Attributes
    ----------
    n_patients, n_folds, n_windows
        Patients, folds, and windows of each class and patient.
    n_channels, n_trials
        Channels, and trials of each outer fold.
    """

    n_patients: int
    n_folds: int
    n_windows: int = 10
    n_channels: int = 12
    n_trials: int = 15


DESIGNS = (Design(20, 5), Design(30, 10))


def study(design: Design, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Simulate a nested cross-validation, in which each outer fold is validated on the following one.

    Parameters
    ----------
    design
        The study.
    rng
        Random numbers.

    Returns
    -------
    tuple of ndarray
        Tuned value and test score of each outer fold, `(n_folds,)` each.
    """
    windows = _windows(design, rng)
    fold = np.arange(design.n_patients) % design.n_folds
    n_used = design.n_channels // 2
    trials = [rng.permutation(design.n_channels)[:n_used] for _ in range(design.n_trials)]
    tuned, tested = np.zeros(design.n_folds), np.zeros(design.n_folds)
    for test in range(design.n_folds):
        validation = (test + 1) % design.n_folds
        train = windows[(fold != test) & (fold != validation)]
        for channels in trials:
            weights, threshold = _discriminant(train[..., channels])
            value = _score(windows[fold == validation][..., channels], weights, threshold)
            if value > tuned[test]:
                tuned[test] = value
                tested[test] = _score(windows[fold == test][..., channels], weights, threshold)
    return tuned, tested


def _windows(design: Design, rng: np.random.Generator) -> np.ndarray:
    """Windows `(n_patients, 2, n_windows, n_channels)`."""
    shape = (design.n_patients, 2, design.n_windows, design.n_channels)
    windows = rng.normal(size=shape) * np.exp(DIFFICULTY * rng.normal(size=(shape[0], 1, 1, 1)))
    windows += OFFSET * rng.normal(size=(shape[0], 1, 1, shape[3]))
    windows += OFFSET * rng.normal(size=(*shape[:2], 1, shape[3]))
    windows[:, 1] += DISTANCE / np.sqrt(design.n_channels)
    return windows


def _discriminant(windows: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and threshold of the linear discriminant of two classes."""
    first, second = np.moveaxis(windows, 1, 0).reshape(2, -1, windows.shape[-1])
    covariance = (np.cov(first.T) + np.cov(second.T)) / 2
    weights = np.linalg.solve(covariance, second.mean(0) - first.mean(0))
    return weights, float(weights @ (first.mean(0) + second.mean(0)) / 2)


def _score(windows: np.ndarray, weights: np.ndarray, threshold: float) -> float:
    """Balanced accuracy."""
    above = windows @ weights > threshold
    return float((above[:, 1].mean() + 1 - above[:, 0].mean()) / 2)


def coverage(design: Design, n_studies: int, seed: int) -> dict[str, float]:
    """Measure how often the interval of the optimism contains its mean over all studies.

    Parameters
    ----------
    design
        The study.
    n_studies
        Number of simulated studies.
    seed
        Random seed.

    Returns
    -------
    dict
        Mean optimism, and coverage and median width of the interval with differences of the same patients (`paired`)
        and of the tuned value and the test score of the same outer fold (`unpaired`).
    """
    rng = np.random.default_rng(seed)
    studies = [study(design, rng) for _ in range(n_studies)]
    center = float(np.mean([tuned - tested for tuned, tested in studies]))
    result = {"optimism": center}
    for name, shift in (("paired", 1), ("unpaired", 0)):
        found = [_interval(np.roll(tuned, shift), tested, design.n_folds) for tuned, tested in studies]
        bounds = np.array([[one.low, one.high] for one in found], dtype=float)
        inside = (bounds[:, 0] <= center) & (center <= bounds[:, 1])
        result |= {f"{name}_coverage": float(inside.mean()), f"{name}_width": float(np.median(np.ptp(bounds, axis=1)))}
    return result


def _interval(tuned: np.ndarray, tested: np.ndarray, n_folds: int) -> Optimism:
    pairs = enumerate(zip(tuned, tested, strict=True))
    return mean_optimism(
        [Difference((fold,), value, test, 1 / (n_folds - 2)) for fold, (value, test) in pairs], CONFIDENCE
    )


def main() -> None:
    """Read the arguments, and print the coverage for each design."""
    parser = argparse.ArgumentParser(prog="python -m bench.optimism", description=__doc__)
    parser.add_argument("--studies", type=int, default=1000, help="simulated studies of each design")
    parser.add_argument("--seed", type=int, default=1, help="random seed")
    arguments = parser.parse_args()
    for design in DESIGNS:
        values = coverage(design, arguments.studies, arguments.seed)
        text = "  ".join(f"{key} {value:.3f}" for key, value in values.items())
        print(f"{design.n_patients} patients, {design.n_folds} folds: {text}", flush=True)


if __name__ == "__main__":
    main()
