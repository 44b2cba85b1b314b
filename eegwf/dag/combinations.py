"""Combinations of model, spectrogram and class set that a study runs. Never imports torch."""

from collections.abc import Iterable
from itertools import product

from eegwf.config.layers import Layers, origin_of
from eegwf.config.paths import Combination
from eegwf.config.renamed import present_name
from eegwf.config.study import Study
from eegwf.config.training import TUNABLE
from eegwf.dag.signal_augmentation import refused_augmentation
from eegwf.errors import InputError
from eegwf.models.registry import MODELS, ModelEntry, entry_of, parameters_of


def classical(study: Study, combinations: Iterable[Combination], classes: str) -> list[Combination]:
    """Find the classical combinations of a class set: those whose model is not trained by gradient descent.

    Parameters
    ----------
    study
        The configuration.
    combinations
        Those of the matrix, in its order.
    classes
        The class set.

    Returns
    -------
    list of Combination
        In the same order.
    """
    same = (one for one in combinations if one.classes == classes)
    return [one for one in same if not entry_of(one.model, study.models[one.model].fixed).gradient_trained]


class Combinations:
    """The combinations of a study.

    Parameters
    ----------
    study
        The validated configuration.
    spectrograms
        Inputs that its data set provides.
    layers
        Contents of each configuration file, so that errors name the file.

    Attributes
    ----------
    all : list of Combination
        Those of the matrix, without those whose model does not accept the spectrogram.

    Raises
    ------
    InputError
        If a model or one of its parameters is unknown, or a model, spectrogram or class set of the matrix is part of
        no sensible combination.
    """

    def __init__(self, study: Study, spectrograms: list[str], layers: Layers = ()):
        self.study, self.spectrograms, self.layers = study, spectrograms, layers
        for name in study.models:
            self._check_model(name)
        self.all = self._of_matrix()
        for combination in self.all:
            self._check_training(combination)

    def place(self, *keys: str) -> str:
        """A key, with the file that sets it if that is known."""
        key = ".".join(keys)
        return f"{origin_of([keys], self.layers)}: {key}" if self.layers else key

    def entry(self, model: str) -> ModelEntry:
        """Registry entry of a model of the configuration."""
        return entry_of(model, self.study.models[model].fixed)

    def _check_model(self, name: str) -> None:
        model = self.study.models[name]
        if name in MODELS and model.timm is not None:
            raise InputError(
                f"{self.place('models', name, 'timm')}: {name} is a model of its own; give the network another name"
            )
        if name not in MODELS and model.timm is None:
            raise InputError(
                f"{self.place('models', name)}: no such model; known are {', '.join(sorted(MODELS))}, and any network "
                f"of timm under a name of its own ({name}: {{timm: convnext_atto}})"
            )
        entry = self.entry(name)
        known = (*parameters_of(entry), *(TUNABLE if entry.gradient_trained else ()))
        for part in ("fixed", "search"):
            for parameter in getattr(model, part):
                if parameter not in known:
                    if renamed := present_name(("models", name, part, parameter)):
                        raise InputError(
                            f"{self.place('models', name, part, parameter)}: this parameter has been renamed; write "
                            f"{renamed}"
                        )
                    raise InputError(
                        f"{self.place('models', name, part, parameter)}: no such parameter; {name} has "
                        f"{', '.join(known)}"
                    )

    def _of_matrix(self) -> list[Combination]:
        matrix = self.study.matrix
        for model, classes in product(matrix.models, matrix.classes):
            known = model in self.study.models
            accepted = (name for name in matrix.spectrograms if known and self.accepts(self.entry(model), name))
            self.check(Combination(model, next(accepted, matrix.spectrograms[0]), classes))
        for spectrogram in matrix.spectrograms:
            accepting = (model for model in matrix.models if self.accepts(self.entry(model), spectrogram))
            self.check(Combination(next(accepting, matrix.models[0]), spectrogram, matrix.classes[0]))
        return [
            Combination(model, spectrogram, classes)
            for model, spectrogram, classes in product(matrix.models, matrix.spectrograms, matrix.classes)
            if self.accepts(self.entry(model), spectrogram)
        ]

    def accepts(self, entry: ModelEntry, spectrogram: str) -> bool:
        """Whether a model accepts an input.

        Parameters
        ----------
        entry
            The model.
        spectrogram
            Name of the input.

        Returns
        -------
        bool
            False also for `concat` if it does not accept one of the stacked spectrograms.
        """
        return {spectrogram, *self.study.spectrograms.members(spectrogram)} <= set(entry.inputs)

    def check(self, combination: Combination, target: str = "") -> None:
        """Refuse a combination that makes no sense, naming what can be requested instead.

        Parameters
        ----------
        combination
            A combination of the matrix or of a target.
        target
            The target; empty for the matrix.

        Raises
        ------
        InputError
            If its model, spectrogram or class set is unknown, or the model does not accept the spectrogram; of a
            target, also if settings of its trainings do not fit its input.
        """
        model, spectrogram, classes = combination

        def refuse(key: str, fault: str, instead: Iterable[str]) -> None:
            place = target or self.place("matrix", key)
            raise InputError(f"{place}: {combination.name}: {fault}; choose one of {', '.join(instead)}")

        if model not in self.study.models:
            refuse("models", f"no model {model!r}", self.study.models)
        if spectrogram not in self.spectrograms:
            refuse("spectrograms", f"no spectrogram {spectrogram!r}", self.spectrograms)
        entry = self.entry(model)
        if not self.accepts(entry, spectrogram):
            inputs = (name for name in entry.inputs if name in self.spectrograms and self.accepts(entry, name))
            members = self.study.spectrograms.members(spectrogram)
            stacked = f" of {', '.join(members)}" if len(members) > 1 else ""
            refuse("spectrograms", f"{model} does not accept {spectrogram}{stacked}", inputs)
        if classes not in self.study.classes:
            refuse("classes", f"no class set {classes!r}", self.study.classes)
        if target:
            self._check_training(combination)

    def _check_training(self, combination: Combination) -> None:
        """Refuse settings of trainings that do not fit the input."""
        self._check_normalization(combination)
        self._check_augmentation(combination)

    def _check_normalization(self, combination: Combination) -> None:
        """Refuse `aligned`, also as one of several choices, for a spectrogram."""
        model, spectrogram, _ = combination
        if spectrogram == "raw" or self.entry(model).normalizes_input:
            return
        place, values = self.study.models[model].setting_values("normalization", self.study.training.normalization)
        if "aligned" in values:
            keys = ("models", model, *place) if place else ("training", "normalization")
            raise InputError(
                f"{self.place(*keys)}: 'aligned' is for raw, the time series, but {combination.name} has "
                f"{spectrogram}; choose another normalization, or the spectrogram raw"
            )

    def _check_augmentation(self, combination: Combination) -> None:
        """Refuse an augmentation of signals that a combination can't have."""
        if not self.entry(combination.model).gradient_trained:
            return
        if refused := refused_augmentation(self.study, combination):
            place, reason = refused
            raise InputError(f"{self.place(*place)}: {combination.name}: {reason}")
