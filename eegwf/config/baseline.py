"""The combination with which another one is compared: the classical baseline, logistic regression on band power."""

from collections.abc import Iterable

from eegwf.config.paths import Combination

BASELINE = "bandpower"


def baseline_of(combination: Combination, combinations: Iterable[Combination]) -> Combination | None:
    """Find the combination of the classical baseline.

    Parameters
    ----------
    combination
        A combination.
    combinations
        Those of the matrix, in its order.

    Returns
    -------
    Combination or None
        `bandpower` of the same class set on the same spectrogram, or on the first spectrogram of the matrix if it has
        no combination on this one. None if the matrix has none, or for `bandpower` itself. The choice depends on the
        configuration alone, not on scores or on what has finished.
    """
    if combination.model == BASELINE:
        return None
    found = [other for other in combinations if other.model == BASELINE and other.classes == combination.classes]
    same = [other for other in found if other.spectrogram == combination.spectrogram]
    return next(iter(same or found), None)


def baseline_input(classes: str, combinations: Iterable[Combination]) -> str:
    """Find the spectrogram on which the classical baseline of a class set is run.

    Parameters
    ----------
    classes
        Class set.
    combinations
        Those of the matrix, in its order, at least one.

    Returns
    -------
    str
        That of the first combination of `bandpower` and the class set; if there is none, that of the first one of the
        class set, so that no spectrogram is computed for the baseline alone.
    """
    every = list(combinations)
    same = [one for one in every if one.classes == classes] or every
    return next((one for one in same if one.model == BASELINE), same[0]).spectrogram
