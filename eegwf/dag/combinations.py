"""The matrix of a study: which models there are, and which combinations make sense. Never imports torch."""

from collections.abc import Iterable
from itertools import product

from eegwf.config.load import Layers, origin_of
from eegwf.config.study import Study
from eegwf.config.training import TUNABLE
from eegwf.errors import InputError
from eegwf.models.registry import MODELS, Entry, entry_of

Combination = tuple[str, str, str]
"""Model, spectrogram and class set."""


class Matrix:
    """The combinations of a study.

    Parameters
    ----------
    study
        The validated configuration.
    spectrograms
        Inputs that its data set gives.
    layers
        What each configuration file gave: errors then name the file.

    Raises
    ------
    InputError
        If a model or one of its parameters is unknown, or a model, spectrogram or class set of the matrix has no
        combination that makes sense.
    """

    def __init__(self, study: Study, spectrograms: list[str], layers: Layers = ()):
        self.study, self.spectrograms, self.layers = study, spectrograms, layers
        for name in study.models:
            self._check_model(name)
        self.combinations = self._combinations()

    def place(self, *keys: str) -> str:
        """A key's place, with the file that sets it if that is known."""
        place = ".".join(keys)
        return f"{origin_of([keys], self.layers)}: {place}" if self.layers else place

    def entry(self, model: str) -> Entry | None:
        """The registry's entry of a model of the configuration."""
        return entry_of(model, self.study.models[model].fixed)

    def _check_model(self, name: str) -> None:
        model, entry = self.study.models[name], self.entry(name)
        if entry is None:
            raise InputError(
                f"{self.place('models', name)}: no such model; there are {', '.join(sorted(MODELS))}, and any network "
                f"of timm under a name of its own ({name}: {{timm: convnext_atto}})"
            )
        if name in MODELS and model.timm is not None:
            raise InputError(
                f"{self.place('models', name, 'timm')}: {name} is a model of its own; give the network another name"
            )
        known = (*entry.parameters, *(TUNABLE if entry.by_steps else ()))
        for part in ("fixed", "search"):
            for parameter in getattr(model, part):
                if parameter not in known:
                    raise InputError(
                        f"{self.place('models', name, part, parameter)}: no such parameter; {name} has "
                        f"{', '.join(known)}"
                    )

    def _combinations(self) -> list[Combination]:
        """Those of the matrix that make sense; everything named there must have one."""
        matrix = self.study.matrix
        for model, classes in product(matrix.models, matrix.classes):
            inputs = self.entry(model).inputs if model in self.study.models else ()
            taken = (name for name in matrix.spectrograms if name in inputs)
            self.check((model, next(taken, matrix.spectrograms[0]), classes))
        for spectrogram in matrix.spectrograms:
            takers = (model for model in matrix.models if spectrogram in self.entry(model).inputs)
            self.check((next(takers, matrix.models[0]), spectrogram, matrix.classes[0]))
        return [
            (model, spectrogram, classes)
            for model, spectrogram, classes in product(matrix.models, matrix.spectrograms, matrix.classes)
            if spectrogram in self.entry(model).inputs
        ]

    def check(self, combination: Combination, target: str = "") -> None:
        """Refuse a combination, of the matrix or of a target, in one line that says what to ask for instead.

        Raises
        ------
        InputError
            If it makes no sense.
        """
        model, spectrogram, classes = combination

        def refuse(key: str, fault: str, instead: Iterable[str]) -> None:
            place = target or self.place("matrix", key)
            raise InputError(f"{place}: {'_'.join(combination)}: {fault}; ask for one of {', '.join(instead)}")

        if model not in self.study.models:
            refuse("models", f"no model {model!r}", self.study.models)
        if spectrogram not in self.spectrograms:
            refuse("spectrograms", f"no spectrogram {spectrogram!r}", self.spectrograms)
        if spectrogram not in self.entry(model).inputs:
            inputs = (name for name in self.entry(model).inputs if name in self.spectrograms)
            refuse("spectrograms", f"{model} doesn't take {spectrogram}", inputs)
        if classes not in self.study.classes:
            refuse("classes", f"no class set {classes!r}", self.study.classes)
