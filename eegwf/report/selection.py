"""What tuning promised and what the test folds gave: the optimism of choosing on validation."""

from dataclasses import dataclass

import numpy as np

from eegwf.evaluation.scores import scores
from eegwf.report.collect import Run
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
    """

    fold: int
    tuned: float | None
    validation: float | None
    first: float | None
    primary: float | None

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
            )
        )
    return found


def mean(values: list[float | None]) -> float | None:
    """Mean of the defined values; None if there is none."""
    kept = [value for value in values if defined(value)]
    return float(np.mean(kept)) if kept else None
