"""Comparison of a configuration with the source of its initial weights, before anything runs. Never imports torch."""

from collections.abc import Iterable
from typing import Any

from eegwf.config.paths import Combination
from eegwf.config.spectrograms import Spectrograms
from eegwf.config.study import Study
from eegwf.data.init_source import InitSource
from eegwf.models.registry import MODELS


def init_problems(study: Study, combinations: Iterable[Combination]) -> list[str]:
    """Find combinations that can't start from the weights of `training.init`.

    Parameters
    ----------
    study
        The configuration.
    combinations
        Combinations that will be trained.

    Returns
    -------
    list of str
        A line for each difference.

    Raises
    ------
    InputError
        If the source has no final models.
    """
    if not study.training.init:
        return []
    source = InitSource(study.training.init)
    return [line for combination in combinations for line in _differences(study, combination, source)]


def _differences(study: Study, combination: Combination, source: InitSource) -> list[str]:
    described = source.description
    model = combination.model
    if model in MODELS and not MODELS[model].gradient_trained:
        return [
            f"training.init: {model} is not trained by gradient descent, so it has no initial weights; remove it from "
            "matrix.models, or write training.init: null"
        ]
    pairs = [
        ("model", described["model"], model),
        ("spectrogram", described["spectrogram"], combination.spectrogram),
    ]
    if all(theirs == ours for _, theirs, ours in pairs):
        pairs += _of_spectrogram(study, combination.spectrogram, source.reading)
    return [
        f"training.init: {source.name} has the {name} {theirs}, and {combination.name} has {ours}; make them equal"
        for name, theirs, ours in pairs
        if theirs != ours
    ]


def _of_spectrogram(study: Study, spectrogram: str, theirs: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Settings of the spectrograms there and here, and of the montage."""
    pairs: list[tuple[str, Any, Any]] = [("signals.montage", theirs["signals"]["montage"], study.signals.montage)]
    # The rule `initialize` compares the sampling rates of time series.
    members = study.spectrograms.members(spectrogram)
    if spectrogram == "concat":
        default = Spectrograms.model_fields["concat"].default
        pairs.append(("spectrograms.concat", theirs["spectrograms"].get("concat", default), [*members]))
    for name in members if spectrogram != "raw" else ():
        ours = getattr(study.spectrograms, name).model_dump(mode="json")
        their = theirs["spectrograms"].get(name, {})
        pairs += [(f"spectrograms.{name}.{key}", their.get(key), ours[key]) for key in ours]
    return pairs
