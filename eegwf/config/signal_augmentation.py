"""Settings of training that augment signals, and the models of a study for which they are enabled."""

from collections.abc import Mapping

from eegwf.config.training import Training
from eegwf.config.tuning import Model

SIGNAL_AUGMENTATIONS = (
    "background_mix",
    "time_stretch",
    "mirror",
    "rereference",
    "tilt_db",
    "gain_db",
    "electrode_noise",
)
"""In the order in which they are applied."""


def enabled_by_settings(training: Training) -> list[str]:
    """Names of the augmentations of signals that settings of training enable."""
    return [name for name in SIGNAL_AUGMENTATIONS if getattr(training, name)]


def enabled_for_model(training: Training, model_name: str, model: Model) -> Mapping[str, tuple[str, ...]]:
    """Find the augmentations of signals that some training of a model can have.

    Parameters
    ----------
    training
        Settings of training.
    model_name, model
        Name and entry of the model, whose fixed and searched parameters replace settings of training.

    Returns
    -------
    dict
        Keys of the configuration that enable each, by its name.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name in SIGNAL_AUGMENTATIONS:
        place, values = model.setting_values(name, getattr(training, name))
        if any(values):
            found[name] = ("models", model_name, *place) if place else ("training", name)
    return found
