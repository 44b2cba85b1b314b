"""What the rules call for the classical baselines, of which each class set of the matrix has at most one."""

import shlex
from collections.abc import Iterable
from typing import Any

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.study import Study
from eegwf.dag.combinations import classical


class BaselineFlow:
    """The classical baselines of a study as the workflow sees them.

    Which of the classical combinations of a class set is its baseline, a job decides. The files of all of them are
    declared, instead of those read that happen to exist, so that a report doesn't depend on the order in which jobs
    finish.

    Parameters
    ----------
    study
        The validated configuration.
    paths
        All files of the study.
    combinations
        Those of the matrix, in its order.
    folds, ranks
        Numbers of the outer folds, and of the ranks.
    """

    def __init__(
        self,
        study: Study,
        paths: ResultPaths,
        combinations: list[Combination],
        folds: Iterable[int],
        ranks: Iterable[int],
    ):
        self._paths, self._parts = paths, [(fold, rank) for fold in folds for rank in ranks]
        names = dict.fromkeys(one.classes for one in combinations)
        self._candidates = {name: classical(study, combinations, name) for name in names}

    def choices(self) -> list[str]:
        """Choice of the baseline, of every class set in the matrix that has a classical combination."""
        return [str(self._paths.baseline(classes)) for classes, found in self._candidates.items() if found]

    def validations(self, wildcards: Any) -> list[str]:
        """Validation predictions of the classical combinations of a class set, of all folds and ranks."""
        runs = map(self._paths.run, self._candidates.get(wildcards.classes, []))
        return [str(run.fold(fold).rank(rank).validation) for run in runs for fold, rank in self._parts]

    def files(self, wildcards: Any) -> list[str]:
        """Files that a report reads to compare with the baseline; none if its class set has no classical combination.

        They are the choice, and the test predictions and scores of every combination that may be chosen.
        """
        found = self._candidates.get(wildcards.classes, [])
        runs = list(map(self._paths.run, found))
        choice = [self._paths.baseline(wildcards.classes)] if found else []
        return [str(file) for file in (*choice, *(file for run in runs for file in (run.predictions, run.metrics)))]

    def option(self, wildcards: Any) -> str:
        """Command-line option that names the choice."""
        found = self._candidates.get(wildcards.classes, [])
        return f"--baseline {shlex.quote(str(self._paths.baseline(wildcards.classes)))}" if found else ""
