"""What tuning promised and what the test folds gave: the optimism of choosing on validation."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from eegwf.evaluation.scores import scores
from eegwf.report.data import Run
from eegwf.report.formats import defined

TESTED = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1"}


@dataclass(frozen=True)
class FoldScores:
    """Scores of one outer fold, all in the score that tuning raised (where the test folds have it).

    Attributes
    ----------
    fold
        Number of the outer fold.
    tuned
        Validation value of the best trial.
    validation
        Validation value of the best parameter set, retrained.
    first
        Test score of the best parameter set, retrained.
    primary
        Test score of the primary member.
    optimism
        `tuned - first`.
    seen
        Whether tuning saw the fold's patients, so that its test is none of the choice.
    """

    fold: int
    tuned: float | None
    validation: float | None
    first: float | None
    primary: float | None
    seen: bool = False

    @property
    def optimism(self) -> float | None:
        """What the tuned value promised too much."""
        return self.tuned - self.first if defined(self.tuned) and defined(self.first) else None


def monitored(run: Run) -> str:
    """The score in which tuning and test are compared; balanced accuracy where tuning watched a loss."""
    monitor = run.config["training"]["monitor"]
    return monitor if monitor in TESTED else "balanced_accuracy"


def fold_scores(run: Run) -> list[FoldScores]:
    """Tuned, validation and test scores of every fold; with a loss as monitor only the test scores."""
    comparable = run.config["training"]["monitor"] in TESTED
    name = monitored(run)
    outer = {fold.number: fold for fold in run.outer}
    member = "rank1" if "rank1" in run.metrics["members"] else run.primary
    truth, predicted, p, of_fold = run.scored(member)
    found = []
    for row in run.metrics["per_fold"]:
        number = row["fold"]
        fold = outer.get(number)
        rows = of_fold == number
        first = fold.ranks.get(1) if fold else None
        found.append(
            FoldScores(
                fold=number,
                tuned=fold.best[0]["value"] if fold and fold.best and comparable else None,
                validation=first.model.get("validation_value") if first and comparable else None,
                first=scores(truth[rows], predicted[rows], p[rows])[name],
                primary=row[name],
                seen=run.mode == "once" and number != 1,
            )
        )
    return found


@dataclass(frozen=True)
class Optimism:
    """Mean selection optimism over the folds that tuning has not seen, and its interval, None with fewer than two."""

    value: float | None
    low: float | None = None
    high: float | None = None


def mean_optimism(folds: list[FoldScores], confidence: float) -> Optimism:
    """Mean of the folds' optimism with the interval of Student's t.

    Parameters
    ----------
    folds
        All outer folds; those that tuning has seen are left out.
    confidence
        Level of the interval.

    Notes
    -----
    Any two folds share most of their training windows, so their differences vary together. Nadeau and Bengio
    (Inference for the generalization error, Machine Learning 52, 2003) correct the variance of the mean for this:
    `s² (1/n + n_test/n_train)`, with `n_test/n_train = 1/(K - 1)` in K folds. It was derived for random splits, and for
    cross-validation it is an approximation.
    """
    kept = [fold.optimism for fold in folds if not fold.seen and fold.optimism is not None]
    if len(kept) < 2:
        return Optimism(mean(kept))
    centre = float(np.mean(kept))
    error = float(np.sqrt(np.var(kept, ddof=1) * (1 / len(kept) + 1 / (len(folds) - 1))))
    reach = float(stats.t.ppf((1 + confidence) / 2, len(kept) - 1)) * error
    return Optimism(centre, centre - reach, centre + reach)


def mean(values: list[float | None]) -> float | None:
    """Mean of the defined values; None if there is none."""
    kept = [value for value in values if defined(value)]
    return float(np.mean(kept)) if kept else None
