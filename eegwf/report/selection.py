"""Selection optimism: the difference between the validation value of the best trial and a test score.

With an Optuna study for each outer fold, both are of the same patients: those of a validation fold are tested in their
own outer fold, by classifiers that were trained on as many folds. Their difficulty then cancels in the difference.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eegwf.data.splits import WindowSet, split
from eegwf.errors import InputError
from eegwf.evaluation.scores import scores
from eegwf.report.data import Fold, ReportData
from eegwf.report.formats import defined
from eegwf.report.optimism import Difference, Optimism, mean, mean_optimism

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
    differences
        Differences of the fold: one for each inner fold if validation and test are paired by patients, otherwise that
        of `tuned` and `first`. Empty if tuning minimized a loss, or validation and test can't be compared.
    paired
        Whether the differences are paired by patients.
    """

    fold: int
    tuned: float | None
    validation: float | None
    first: float | None
    primary: float | None
    seen: bool = False
    differences: tuple[Difference, ...] = ()
    paired: bool = False

    @property
    def optimism(self) -> float | None:
        """Selection optimism: mean of the differences."""
        return mean([one.tuned - one.tested for one in self.differences])

    @property
    def same_patients(self) -> float | None:
        """Test score of the patients of the validation folds, by rank 1 of the folds in which they are tested."""
        return mean([one.tested for one in self.differences]) if self.paired else None


def monitored(run: ReportData) -> str:
    """Score in which tuning and test are compared; balanced accuracy if tuning minimized a loss."""
    monitor = run.study.training.monitor
    return monitor if monitor in TESTED else "balanced_accuracy"


def fold_scores(run: ReportData) -> list[FoldScores]:
    """Tuned, validation and test scores of every fold; only test scores if tuning minimized a loss."""
    comparable = run.study.training.monitor in TESTED
    outer = {fold.number: fold for fold in run.outer}
    tests = _Tests(run)
    result = []
    for row in run.metrics["per_fold"]:
        number = row["fold"]
        fold = outer.get(number)
        first = fold.ranks.get(1) if fold else None
        tuned = fold.best[0]["value"] if fold and fold.best and comparable else None
        result.append(
            FoldScores(
                fold=number,
                tuned=tuned,
                validation=first.model.get("validation_value") if first and comparable else None,
                first=tests.score((number,)),
                primary=row[tests.name],
                seen=run.mode == "once" and number != 1,
                differences=_differences(run, tests, fold, tuned) if fold and defined(tuned) else (),
                paired=run.mode == "per_fold",
            )
        )
    return result


class _Tests:
    """Test predictions of rank 1, or of the primary member if there is no rank 1.

    Attributes
    ----------
    name
        Name of the compared score.
    n_folds
        Number of outer folds of the study.
    window_set
        The windows with their true labels.
    """

    def __init__(self, run: ReportData):
        self.name = monitored(run)
        member = "rank1" if "rank1" in run.metrics["members"] else run.primary
        table = run.predictions[run.predictions["member"] == member]
        self.truth, self.predicted, self.p, self.fold = run.scored(member)
        self.n_folds = int(run.folds["fold"].max())
        self.window_set = WindowSet(
            classes=tuple(run.classes),
            window=table["window"].to_numpy(np.int64),
            label=pd.Index(run.classes).get_indexer(pd.Index(table["label"])).astype(np.int64),
            fold=table["fold"].to_numpy(np.int64),
            patient=table["patient"].to_numpy(object),
            recording=table["recording"].to_numpy(object),
            onset=table["onset"].to_numpy(np.float64),
            n_folds=self.n_folds,
        )

    def score(self, folds: tuple[int, ...]) -> float | None:
        """Score of the windows of some folds, pooled."""
        rows = np.isin(self.fold, folds)
        return scores(self.truth[rows], self.predicted[rows], self.p[rows])[self.name]

    def complete(self, fold: int) -> bool:
        """Whether a fold has windows of every class."""
        return len(np.unique(self.truth[self.fold == fold])) == len(self.window_set.classes)


def _differences(run: ReportData, tests: _Tests, fold: Fold, tuned: float) -> tuple[Difference, ...]:
    if run.mode == "per_fold":
        return _paired(run, tests, fold, tuned)
    tested = tests.score((fold.number,))
    # Validation sets have every class; the mean recall over fewer classes would be another quantity.
    if tested is None or not tests.complete(fold.number):
        return ()
    return (Difference((fold.number,), tuned, tested, 1 / max(tests.n_folds - 1, 1)),)


def _paired(run: ReportData, tests: _Tests, fold: Fold, tuned: float) -> tuple[Difference, ...]:
    """Validation value of each inner fold minus the test score of the same patients."""
    window_set = tests.window_set
    if run.permuted:  # tuning chose the validation folds by the shuffled labels
        window_set = window_set.permuted(fold.number, run.study.seed)
    result = []
    for inner in range(1, run.study.tuning.inner_folds + 1):
        try:
            folds = split(window_set, fold.number, inner).validation_folds
        except InputError:  # a class without windows: tuning can't have had these windows
            return ()
        tested = tests.score(folds)
        if tested is not None:
            n_train = tests.n_folds - 1 - len(folds)
            value = _inner_value(fold, inner)
            result.append(Difference(folds, tuned if value is None else value, tested, len(folds) / n_train))
    return tuple(result)


def _inner_value(fold: Fold, inner: int) -> float | None:
    """Validation value of the best trial in an inner fold; None if the table of the trials lacks it."""
    name = f"value_inner{inner}"
    if name not in fold.trials:
        return None
    values = fold.trials.loc[fold.trials["trial"] == fold.best[0]["trial"], name]
    return float(values.iloc[0]) if len(values) and pd.notna(values.iloc[0]) else None


def selection_optimism(run: ReportData, folds: list[FoldScores], confidence: float) -> Optimism:
    """Compute the mean optimism of a combination.

    Parameters
    ----------
    run
        Content of the report.
    folds
        Its outer folds, from `fold_scores`.
    confidence
        Confidence level of the interval.

    Returns
    -------
    Optimism
        Mean and interval of `mean_optimism` over the folds that tuning has not used. With reserved patients, if a test
        fold lacks a class, as is usual with one patient in each: the validation value minus the score of all folds
        pooled, without an interval.
    """
    tuned = [fold.tuned for fold in folds]
    if run.mode == "reserved" and not all(fold.differences for fold in folds):
        pooled, value = _Tests(run).score(tuple(fold.fold for fold in folds)), mean(tuned)
        if value is not None and pooled is not None:
            return Optimism(value - pooled, reason="a test fold lacks a class, so the folds are pooled")
    return mean_optimism([one for fold in folds if not fold.seen for one in fold.differences], confidence)
