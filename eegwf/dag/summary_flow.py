"""What the rules call for the summary, which reads files of every combination in the matrix."""

from collections.abc import Callable
from pathlib import Path

from eegwf.config.paths import Combination, ResultPaths, RunPaths
from eegwf.dag.external_flow import ExternalFlow


class SummaryFlow:
    """Inputs of the summary.

    Parameters
    ----------
    paths
        All files of the study.
    combinations
        Those of the matrix, in its order.
    folds
        Numbers of the outer folds.
    external
        The external data sets.
    """

    def __init__(self, paths: ResultPaths, combinations: list[Combination], folds: list[int], external: ExternalFlow):
        self._runs, self._folds = [paths.run(combination) for combination in combinations], folds
        self._combinations, self._external = combinations, external

    def _of_all(self, file: Callable[[RunPaths], Path]) -> list[str]:
        return [str(file(run)) for run in self._runs]

    def metrics(self) -> list[str]:
        """Scores."""
        return self._of_all(lambda run: run.metrics)

    def predictions(self) -> list[str]:
        """Test predictions."""
        return self._of_all(lambda run: run.predictions)

    def records(self) -> list[str]:
        """Run records."""
        return self._of_all(lambda run: run.run_record)

    def ledgers(self) -> list[str]:
        """Computing costs."""
        return self._of_all(lambda run: run.ledger)

    def weights(self) -> list[str]:
        """Weights of the first rank of the first fold."""
        return self._of_all(lambda run: run.fold(1).rank(1).weights)

    def evidence(self) -> list[str]:
        """Evidence of the attribution methods, and its description, of every fold."""
        maps = [run.fold(fold).attribution for run in self._runs for fold in self._folds]
        return [str(file) for found in maps for file in (found.description, found.evidence)]

    def external(self) -> list[str]:
        """Scores on every external data set."""
        return self._external.all_metrics(self._combinations)
