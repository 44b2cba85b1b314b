"""The model that is scored with folds by patient and by window, and its input."""

from collections.abc import Iterable

from eegwf.config.paths import Combination

BASELINE = "bandpower"


def baseline_input(classes: str, combinations: Iterable[Combination]) -> str:
    """Find the spectrogram on which the split by window of a class set is run.

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
        class set, so that no spectrogram is computed for this comparison alone.
    """
    every = list(combinations)
    same = [one for one in every if one.classes == classes] or every
    return next((one for one in same if one.model == BASELINE), same[0]).spectrogram
