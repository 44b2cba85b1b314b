"""Combinations whose trainings augment signals, although their input or their classes do not permit it."""

from eegwf.config.paths import Combination
from eegwf.config.signal_augmentation import enabled_for_model
from eegwf.config.study import Study


def refused_augmentation(study: Study, combination: Combination) -> tuple[tuple[str, ...], str] | None:
    """Find an augmentation of signals that a combination can't have.

    Parameters
    ----------
    study
        The configuration.
    combination
        A combination of it whose model is trained by gradient descent.

    Returns
    -------
    place
        Keys that enable the augmentation.
    reason
        Why it is refused, and what to do. None in place of both if nothing is refused.
    """
    enabled = enabled_for_model(study.training, combination.model, study.models[combination.model])
    if not enabled:
        return None
    if combination.spectrogram != "raw" and not study.spectrograms.on_the_fly:
        name, place = next(iter(enabled.items()))
        cure = f"set {name}: 0"
        if study.dataset.kind != "fold_arrays":
            cure = f"write spectrograms.on_the_fly: true, or {cure}"
        return (
            place,
            f"signals can't be augmented, since stored {combination.spectrogram} spectrograms are read; {cure}",
        )
    if "background_mix" in enabled:
        from eegwf.data.events import has_background

        if not has_background(study.classes[combination.classes]):
            return (
                enabled["background_mix"],
                f"the class set {combination.classes} has no background; set background_mix: 0",
            )
    if "rereference" in enabled:
        from eegwf.data.signals.mirror import check_referential
        from eegwf.data.signals.montage import MONTAGES
        from eegwf.errors import InputError

        try:
            check_referential(MONTAGES.get(study.signals.montage, ("C3", "C4")))
        except InputError as error:
            return enabled["rereference"], str(error)
    return None
