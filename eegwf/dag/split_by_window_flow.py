"""What the rules call for the comparison of folds by patient with folds by window, one for each class set."""

from collections.abc import Callable, Iterable
from typing import Any

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.study import Study
from eegwf.dag.combinations import Combinations
from eegwf.dag.input_arrays import array_axes, input_arrays
from eegwf.dag.stage_config import stage_config
from eegwf.models.registry import MODELS, SPLIT_BY_WINDOW_MODEL


class SplitByWindowFlow:
    """The comparisons of a study as the workflow sees them.

    Parameters
    ----------
    study
        The validated configuration.
    paths
        All files of the study.
    combinations
        Those of the matrix.
    """

    def __init__(self, study: Study, paths: ResultPaths, combinations: Combinations):
        self._study, self._paths, self._combinations = study, paths, combinations

    def all(self) -> list[str]:
        """Scores with folds by window, of every class set in the matrix."""
        names = dict.fromkeys(combination.classes for combination in self._combinations.all)
        return [str(self._paths.split_by_window(classes)) for classes in names]

    def combination(self, wildcards: Any) -> Combination:
        """The scored model on an input of the matrix, whether or not the matrix has this combination."""
        accepted = [one for one in self._combinations.all if self._accepts(one.spectrogram)]
        name = split_input(wildcards.classes, accepted) if accepted else "raw"
        return Combination(SPLIT_BY_WINDOW_MODEL, name, wildcards.classes)

    def _accepts(self, spectrogram: str) -> bool:
        return self._combinations.accepts(MODELS[SPLIT_BY_WINDOW_MODEL], spectrogram)

    def arrays(self, wildcards: Any) -> list[str]:
        """Arrays that the model reads."""
        return input_arrays(self._paths, self.combination(wildcards).spectrogram, self._study.spectrograms)

    def axes(self, wildcards: Any) -> list[str]:
        """Descriptions of these arrays."""
        return array_axes(self.arrays(wildcards))

    def settings(self, stage: str) -> Callable[[Any], str]:
        """Settings that decide the result of a job, as JSON."""
        return lambda wildcards: stage_config(self._study, stage, self.combination(wildcards)).model_dump_json()


def split_input(classes: str, combinations: Iterable[Combination]) -> str:
    """Find the input on which the comparison of a class set is run.

    Parameters
    ----------
    classes
        Class set.
    combinations
        Those of the matrix whose input the model accepts, in its order, at least one.

    Returns
    -------
    str
        That of the first combination of the model and the class set; if there is none, that of the first one of the
        class set, so that no spectrogram is computed for this comparison alone.
    """
    every = list(combinations)
    same = [one for one in every if one.classes == classes] or every
    return next((one for one in same if one.model == SPLIT_BY_WINDOW_MODEL), same[0]).spectrogram
