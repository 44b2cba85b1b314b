"""Choose the classical baseline of a class set, with which reports and summary compare."""

from pathlib import Path

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.stages.evaluation import BaselineSettings
from eegwf.errors import InputError
from eegwf.evaluation.baseline_choice import choose_baseline, validation_score
from eegwf.storage.files import write_json


def run(settings: BaselineSettings, results: Path, output: Path) -> None:
    """Score the validation predictions of the classical combinations, and write which one is the best.

    Parameters
    ----------
    settings
        The combinations, and the folds and ranks of their primary members.
    results
        Results folder of the study.
    output
        File to write, JSON.

    Raises
    ------
    InputError
        If there is no classical combination, or a file is broken.
    """
    if not settings.candidates:
        raise InputError(
            f"{output}: no classical combination in the matrix, expected at least one model that is not trained by "
            "gradient descent; add bandpower to matrix.models"
        )
    paths, classes = ResultPaths(results), list(settings.classes)

    def per_fold(candidate: Combination) -> list[float | None]:
        folds = map(paths.run(candidate).fold, settings.folds)
        return [validation_score([fold.rank(rank).validation for rank in settings.ranks], classes) for fold in folds]

    write_json(output, choose_baseline({one.name: per_fold(one) for one in settings.candidates}))
