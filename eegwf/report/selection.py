"""Selection optimism: the difference between the validation value of the best trial and the test score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from eegwf.evaluation.scores import scores
from eegwf.report.data import ReportData
from eegwf.report.formats import defined

TESTED = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1"}


@dataclass(frozen=True)
class FoldScores:
    """Scores of an outer fold, in the score that tuning maximized (if it is computed on the test folds).

    Attributes
    ----------
    fold
        Number of the outer fold.
    tuned
        Validation value of the best trial.
    validation
        Validation value of the best parameter set after retraining.
    first
        Test score of the best parameter set after retraining.
    primary
        Test score of the primary member.
    seen
        Whether tuning used the test patients of the fold, so that its difference does not measure optimism.
    """

    fold: int
    tuned: float | None
    validation: float | None
    first: float | None
    primary: float | None
    seen: bool = False

    @property
    def optimism(self) -> float | None:
        """Selection optimism: `tuned - first`."""
        return self.tuned - self.first if defined(self.tuned) and defined(self.first) else None


def monitored(run: ReportData) -> str:
    """Score in which tuning and test are compared; balanced accuracy if tuning minimized a loss."""
    monitor = run.study.training.monitor
    return monitor if monitor in TESTED else "balanced_accuracy"


def fold_scores(run: ReportData) -> list[FoldScores]:
    """Tuned, validation and test scores of every fold; only test scores if tuning minimized a loss."""
    comparable = run.study.training.monitor in TESTED
    name = monitored(run)
    outer = {fold.number: fold for fold in run.outer}
    member = "rank1" if "rank1" in run.metrics["members"] else run.primary
    truth, predicted, p, fold_numbers = run.scored(member)
    result = []
    for row in run.metrics["per_fold"]:
        number = row["fold"]
        fold = outer.get(number)
        rows = fold_numbers == number
        first = fold.ranks.get(1) if fold else None
        result.append(
            FoldScores(
                fold=number,
                tuned=fold.best[0]["value"] if fold and fold.best and comparable else None,
                validation=first.model.get("validation_value") if first and comparable else None,
                first=scores(truth[rows], predicted[rows], p[rows])[name],
                primary=row[name],
                seen=run.mode == "once" and number != 1,
            )
        )
    return result


@dataclass(frozen=True)
class Optimism:
    """Mean selection optimism over the folds that tuning has not used.

    Attributes
    ----------
    value
        Mean over the folds; None if it is undefined.
    low, high
        Bounds of its confidence interval; None with fewer than two folds.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


def mean_optimism(folds: list[FoldScores], confidence: float) -> Optimism:
    """Compute the mean optimism of the folds with the interval of Student's t.

    Parameters
    ----------
    folds
        All outer folds; those that tuning has used are omitted.
    confidence
        Confidence level of the interval.

    Returns
    -------
    Optimism
        Mean and interval.

    Notes
    -----
    Any two folds share most of their training windows, so their differences are correlated. Nadeau and Bengio
    (Inference for the generalization error, Machine Learning 52, 2003) correct the variance of the mean:
    `s² (1/n + n_test/n_train)`, with `n_test/n_train = 1/(K - 1)` in K folds. The correction was derived for random
    splits and is an approximation for cross-validation.
    """
    differences = [fold.optimism for fold in folds if not fold.seen and fold.optimism is not None]
    if len(differences) < 2:
        return Optimism(mean(differences))
    center = float(np.mean(differences))
    error = float(np.sqrt(np.var(differences, ddof=1) * (1 / len(differences) + 1 / (len(folds) - 1))))
    reach = float(stdtrit(len(differences) - 1, (1 + confidence) / 2)) * error
    return Optimism(center, center - reach, center + reach)


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of the defined values; None if there is none."""
    kept = [value for value in values if defined(value)]
    return float(np.mean(kept)) if kept else None
