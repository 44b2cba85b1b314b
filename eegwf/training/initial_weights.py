"""Initial weights of fine-tuning: those of a final model of another study."""

from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from eegwf.config.data_paths import InitPaths
from eegwf.config.training import Training
from eegwf.config.tuning import Model
from eegwf.data.init_source import normalization_problems
from eegwf.errors import InputError
from eegwf.models.registry import entry_of
from eegwf.models.tensors import head_tensors, shape_problems, without_pretrained
from eegwf.storage.files import digest, digest_file, read_json
from eegwf.training.classifier import Classifier
from eegwf.training.spectrogram_dataset import SpectrogramDataset

NETWORK = "network."


@dataclass(frozen=True)
class InitialWeights:
    """Weights of a network of another study, from which every training starts.

    Attributes
    ----------
    model
        `model.json` of the source.
    record
        `source.json`.
    weights
        Tensors of the network by their names in it.
    keeps_head
        Whether the output layer is kept: whether both studies have the same classes of the same event types.
    identity
        Digest of all that decides the initial weights.
    """

    model: dict[str, Any]
    record: dict[str, Any]
    weights: dict[str, torch.Tensor]
    keeps_head: bool
    identity: str

    @classmethod
    def read(cls, paths: InitPaths, classes: dict[str, list[str]]) -> "InitialWeights":
        """Read the initial weights of a study.

        Parameters
        ----------
        paths
            Files that `initialize` wrote.
        classes
            Event types of each class of this study.

        Returns
        -------
        InitialWeights
            The weights.

        Raises
        ------
        InputError
            If the weights can't be read.
        """
        record = read_json(paths.record)
        try:
            tensors = load_file(paths.weights)
        except (SafetensorError, OSError) as error:
            raise InputError(f"{paths.weights}: no weights ({error}); remove {paths.folder} and run again") from None
        weights = {name.removeprefix(NETWORK): value for name, value in tensors.items() if name.startswith(NETWORK)}
        keeps_head = list(record["classes"].items()) == list(classes.items())
        identity = digest([digest_file(paths.weights), digest_file(paths.model), keeps_head])
        return cls(read_json(paths.model), record, weights, keeps_head, identity)

    @property
    def summary(self) -> dict[str, Any]:
        """What `model.json` says of the source."""
        return {"source": self.record["run"], "sha256": self.record["sha256"], "head": self.keeps_head}

    def complete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Parameters of a trial, with the source's hyperparameters of the model where the trial has none."""
        return without_pretrained({**self.model["parameters"], **parameters})

    def check(self, model: str, space: Model, dataset: SpectrogramDataset, training: Training) -> None:
        """Refuse a study that the weights do not fit.

        Parameters
        ----------
        model
            Name of its model.
        space
            Fixed parameters and search space of the model.
        dataset
            Its spectrograms.
        training
            Its settings of training.

        Raises
        ------
        InputError
            Naming both values.
        """
        source, run = self.model, self.record["run"]
        if not entry_of(model, space.fixed).gradient_trained:
            raise InputError(f"training.init: {model} is not trained by gradient descent, so it has no initial weights")
        arrays = [path.stem for path in dataset.paths]
        shape = {name: source["shape"][name] for name in dataset.shape}
        for what, theirs, ours in (
            ("model", source["model"], model),
            ("spectrograms", source["arrays"], arrays),
            ("shape of the input", shape, dataset.shape),
        ):
            if theirs != ours:
                raise InputError(
                    f"training.init: {run} has the {what} {theirs}, this study has {ours}; make them equal"
                )
        problems = normalization_problems(run, source["normalization"], model, space, training.normalization)
        if problems := problems + shape_problems(model, space.hyperparameter_values(), source):
            raise InputError(problems[0])

    def load_into(self, classifier: Classifier) -> None:
        """Replace the weights of a classifier, except those of an output layer for other classes.

        Parameters
        ----------
        classifier
            Classifier with new weights; its normalization is not changed.

        Raises
        ------
        ValueError
            If a tensor has another shape.
        """
        state = classifier.network.state_dict()
        kept = set(state) - (set() if self.keeps_head else self._head)
        different = [
            name for name in sorted(kept) if name not in self.weights or self.weights[name].shape != state[name].shape
        ]
        if different:
            theirs = tuple(self.weights[different[0]].shape) if different[0] in self.weights else "missing"
            raise ValueError(
                f"training.init: {different[0]} is {theirs} in {self.record['run']} and "
                f"{tuple(state[different[0]].shape)} here; give the hyperparameters of the model their values there"
            )
        classifier.network.load_state_dict({**state, **{name: self.weights[name] for name in kept}})

    @property
    def _head(self) -> set[str]:
        source = self.model
        return head_tensors(source["model"], source["shape"], source["parameters"], source.get("axes"))
