"""Coverage of the confidence intervals, and level of the permutation test, on simulated cohorts.

The tables are printed in Markdown; docs/validation.md has them. Example: python -m bench.coverage --cohorts 1000
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np

from bench.tables import table
from eegwf.evaluation.bootstrap import leave_one_out, patient_draws, replicate_scores
from eegwf.evaluation.intervals import MIN_PATIENTS, bca_interval, jackknife_interval, percentile_interval
from eegwf.evaluation.metrics import Member, Patients
from eegwf.evaluation.permutation import permutation_p_value

# Patients with seizures of class 2 only, of class 3 only, of both, and of none.
COHORTS = ((11, 11, 2, 4), (13, 3, 1, 11), (13, 2, 1, 12), (12, 2, 0, 14), (6, 5, 1, 2))
SCORES = ("balanced_accuracy", "macro_f1", "auroc")
TITLES = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "auroc": "AUROC"}
METHODS = ("percentile", "bca", "jackknife")
CONFIDENCE, N_CLASSES, N_FOLDS = 0.95, 3, 5
POPULATION = 500  # cohorts of the population whose score is the truth


class Classifier(NamedTuple):
    """A simulated classifier, in units of the standard deviation of the noise of a window.

    Attributes
    ----------
    skill
        Mean over the patients of the logit that the true class has in addition.
    skill_sd
        Its standard deviation between patients.
    offset_sd
        Standard deviation between patients of the offset of each logit, the same in all windows of a patient.
    """

    skill: float
    skill_sd: float
    offset_sd: float


CLASSIFIERS = {
    "moderate": Classifier(2.0, 0.6, 0.7),
    "strong": Classifier(3.5, 1.0, 1.0),
}
NO_SKILL = Classifier(0.0, 0.0, 1.0)


def simulate(groups: tuple[int, ...], classifier: Classifier, rng: np.random.Generator, smooth: int = 1) -> Member:
    """Simulate the predictions of a classifier.

    Parameters
    ----------
    groups
        Patients with seizures of class 2 only, of class 3 only, of both, and of none.
    classifier
        Distribution of the logits.
    rng
        Random generator.
    smooth
        Number of consecutive windows with the same noise.

    Returns
    -------
    Member
        Windows: about 60 for each patient (log-normal, standard deviation of the logarithm .35), 10 to 20 % of them
        in one block of seizure if the patient has seizures.
    """
    of_group = ((1,), (2,), (1, 2), ())
    truth: list[np.ndarray] = []
    logits: list[np.ndarray] = []
    patient: list[np.ndarray] = []
    for seizures in (kinds for kinds, n in zip(of_group, groups, strict=True) for _ in range(n)):
        n = max(20, round(np.exp(rng.normal(np.log(60), 0.35))))
        label = np.zeros(n, dtype=int)
        if seizures:
            length = max(2, round(n * rng.uniform(0.1, 0.2)))
            start = rng.integers(n - length + 1)
            label[start : start + length] = np.repeat(seizures, -(-length // len(seizures)))[:length]
        skill = rng.normal(classifier.skill, classifier.skill_sd)
        offset = rng.normal(0, classifier.offset_sd, N_CLASSES) + np.array([1, 0, 0])
        noise = np.repeat(rng.normal(size=(-(-n // smooth), N_CLASSES)), smooth, axis=0)[:n]
        truth.append(label)
        logits.append(skill * np.eye(N_CLASSES)[label] + offset + noise)
        patient.append(np.full(n, len(patient)))
    odds = np.exp(np.concatenate(logits))
    p, number = odds / odds.sum(axis=1, keepdims=True), np.concatenate(patient)
    return Member(np.concatenate(truth), p.argmax(axis=1), p, number, number % N_FOLDS + 1)


def intervals_of(
    seed: int, groups: tuple[int, ...], classifier: Classifier, replicates: int
) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    """Compute the intervals of a simulated cohort.

    Parameters
    ----------
    seed
        Random seed of the cohort.
    groups, classifier
        As in `simulate`.
    replicates
        Number of bootstrap replicates.

    Returns
    -------
    dict
        Bounds of each score by each method.
    """
    member = simulate(groups, classifier, np.random.default_rng(seed))
    patients = Patients.of(member, N_CLASSES)
    if min(patients.of_class) < MIN_PATIENTS:
        return {(score, method): (None, None) for score in SCORES for method in METHODS}
    arrays = (member.truth, member.predicted, member.p, patients.number)
    value = replicate_scores(*arrays, np.ones((1, patients.n)))
    left_out = replicate_scores(*arrays, leave_one_out(patients.n))
    drawn = replicate_scores(*arrays, patient_draws(patients.n, replicates, seed))
    result: dict[tuple[str, str], tuple[float | None, float | None]] = {}
    for score in SCORES:
        center, behind = float(value[score][0]), patients.behind(score)
        found = {
            "percentile": percentile_interval(center, drawn[score], behind, CONFIDENCE),
            "bca": bca_interval(center, drawn[score], left_out[score], behind, CONFIDENCE),
            "jackknife": jackknife_interval(center, left_out[score], behind, CONFIDENCE),
        }
        result |= {(score, method): (interval.low, interval.high) for method, interval in found.items()}
    return result


def population_scores(groups: tuple[int, ...], classifier: Classifier, seed: int) -> dict[str, float]:
    """Compute the scores of a population of the same proportions, the truth.

    Parameters
    ----------
    groups, classifier
        As in `simulate`.
    seed
        Random seed.

    Returns
    -------
    dict
        Value of each score.
    """
    large = tuple(POPULATION * n for n in groups)
    member = simulate(large, classifier, np.random.default_rng(seed))
    found = replicate_scores(member.truth, member.predicted, member.p, member.patient, np.ones((1, sum(large))))
    return {score: float(found[score][0]) for score in SCORES}


def coverage(cohorts: int, replicates: int, workers: int, seed: int) -> Iterator[list[str]]:
    """Measure the coverage of the intervals.

    Parameters
    ----------
    cohorts
        Number of simulated cohorts of each row.
    replicates
        Number of bootstrap replicates of each.
    workers
        Number of processes; the result does not depend on it.
    seed
        Random seed.

    Yields
    ------
    list of str
        A row of the table: the proportion of the intervals of each method that contain the truth, and their mean width.
    """
    with ProcessPoolExecutor(workers) as pool:
        for groups in COHORTS:
            for name, classifier in CLASSIFIERS.items():
                truth = population_scores(groups, classifier, seed)
                seeds = range(seed + 1, seed + 1 + cohorts)
                one = partial(intervals_of, groups=groups, classifier=classifier, replicates=replicates)
                found = defaultdict(list)
                for result in pool.map(one, seeds, chunksize=10):
                    for key, bounds in result.items():
                        found[key].append(bounds)
                for score in SCORES:
                    cells = [_cell(found[score, method], truth[score]) for method in METHODS]
                    counts = f"{groups[0] + groups[2]} and {groups[1] + groups[2]} of {sum(groups)}"
                    yield [counts, f"{name}, {TITLES[score]} {truth[score]:.2f}", *cells]


def _cell(bounds: list[tuple[float | None, float | None]], truth: float) -> str:
    defined = [(low, high) for low, high in bounds if low is not None and high is not None]
    if not defined:
        return "no interval"
    covered = np.mean([low <= truth <= high for low, high in defined])
    return f"{covered:.3f} ({np.mean([high - low for low, high in defined]):.2f})"


def p_value(seed: int, groups: tuple[int, ...], smooth: int, n_permutations: int) -> float:
    """p value of predictions that carry no information on the labels.

    Parameters
    ----------
    seed
        Random seed of the cohort.
    groups, smooth
        As in `simulate`.
    n_permutations
        Number of permutations.

    Returns
    -------
    float
        The p value.
    """
    member = simulate(groups, NO_SKILL, np.random.default_rng(seed), smooth)
    value = permutation_p_value(
        member.truth, member.predicted, member.patient, member.fold, N_CLASSES, n_permutations, seed
    )
    assert value is not None
    return value


def levels(cohorts: int, n_permutations: int, workers: int, seed: int) -> Iterator[list[str]]:
    """Measure the level of the permutation test.

    Parameters
    ----------
    cohorts
        Number of simulated cohorts of each cell.
    n_permutations
        Number of permutations of each test.
    workers, seed
        As in `coverage`.

    Yields
    ------
    list of str
        A row of the table: the proportion of p values of at most 5 %.
    """
    with ProcessPoolExecutor(workers) as pool:
        for groups in COHORTS:
            cells = []
            for smooth in (1, 10):
                one = partial(p_value, groups=groups, smooth=smooth, n_permutations=n_permutations)
                values = np.array(list(pool.map(one, range(seed + 1, seed + 1 + cohorts), chunksize=10)))
                cells.append(f"{100 * (values <= 0.05).mean():.1f} %")
            yield [f"{groups[0] + groups[2]} and {groups[1] + groups[2]} of {sum(groups)}", *cells]


def main() -> None:
    """Read the arguments, simulate, and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.coverage", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=int, default=1000, help="simulated cohorts of each row")
    parser.add_argument("--replicates", type=int, default=300, help="bootstrap replicates of each cohort")
    parser.add_argument("--permutations", type=int, default=99, help="permutations of each test")
    parser.add_argument("--workers", type=int, default=1, help="processes; the result does not depend on it")
    parser.add_argument("--seed", type=int, default=1, help="random seed")
    options = parser.parse_args()
    first = "patients with class 2 and 3"
    rows = coverage(options.cohorts, options.replicates, options.workers, options.seed)
    _show([first, "classifier, score", *METHODS], rows)
    rows = levels(options.cohorts, options.permutations, options.workers, options.seed)
    _show([first, "independent windows", "runs of 10 equal windows"], rows)


def _show(header: list[str], rows: Iterator[list[str]]) -> None:
    """Print a table row by row, because the simulation takes long."""
    print("\n" + table(header, []), flush=True)
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
