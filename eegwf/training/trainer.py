"""The steps of a training: one epoch after another, without waiting for the device in between."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torcheval.metrics.functional import multiclass_accuracy, multiclass_f1_score

from eegwf.compute.device import autocast
from eegwf.config.training import Training
from eegwf.data.splits import Cohort, Split
from eegwf.seeds import seed_of
from eegwf.training.augment import augment
from eegwf.training.batch_loader import Batches
from eegwf.training.classifier import Classifier, predict
from eegwf.training.losses import Loss
from eegwf.training.sampling import class_weights, epoch_order
from eegwf.training.schedule import learning_rate, make_optimizer
from eegwf.training.weight_ema import Average


class Diverged(Exception):
    """The loss is no longer a number."""


class Trainer:
    """A classifier with all that its steps need.

    Parameters
    ----------
    classifier
        On its device, its normalisation fitted.
    batches
        Windows of the split.
    split
        Training and validation windows.
    settings
        Of training.
    seed
        Decides order, dropout and augmentation.

    Attributes
    ----------
    optimizer
        Its state belongs into a checkpoint.
    average
        Moving average of the weights, None without.
    """

    def __init__(self, classifier: Classifier, batches: Batches, split: Split, settings: Training, seed: int):
        self.classifier, self.batches, self.split = classifier, batches, split
        self.settings, self.seed = settings, seed
        self.device = batches.device
        self.n_outputs = len(split.train.classes)
        self.optimizer = make_optimizer(classifier, settings)
        self.average = Average(classifier, settings.ema) if settings.ema else None
        weights = class_weights(split.train.label, self.n_outputs, settings.balance)
        self.loss = Loss(
            None if weights is None else torch.from_numpy(weights), settings.label_smoothing, settings.focal
        ).to(self.device)
        self.label = torch.from_numpy(split.train.label).to(self.device)
        self.trained = [parameter for parameter in classifier.parameters() if parameter.requires_grad]
        self.constrain = getattr(classifier.network, "constrain", lambda: None)
        compiled = settings.compile and self.device.type == "cuda"
        if compiled:
            torch.compiler.reset()  # after eight networks of one kind it would leave the ninth as it is
        self.network = torch.compile(classifier.network, dynamic=True) if compiled else classifier.network

    @property
    def chosen(self) -> Classifier:
        """What is validated and kept: the classifier, or the one with averaged weights."""
        return self.average.classifier if self.average else self.classifier

    def epoch(self, history: list[dict[str, Any]]) -> dict[str, float]:
        """Train for the epoch after `history`, and validate.

        Raises
        ------
        Diverged
            If a loss is not finite.
        """
        number = len(history)
        torch.manual_seed(seed_of(self.seed, "dropout", number))
        order = epoch_order(self.split.train.label, self.settings.balance, self.seed, number)
        parts = np.array_split(order, -(-len(order) // self.settings.batch_size))
        total = torch.zeros((), device=self.device)
        self.classifier.train()
        for step, (x, target) in enumerate(self._batches(parts), start=number * len(parts)):
            rate = learning_rate(step, self.settings.epochs * len(parts), self.settings, history)
            total += self._step(x, target, rate, step) * len(target)
        mean = float(total) / len(order)  # the first time in an epoch that the device is waited for
        if not np.isfinite(mean):
            raise Diverged(f"the training loss of epoch {number + 1} is {mean}")
        return {"epoch": number + 1, "learning_rate": rate, "train_loss": mean, **self.validate()}

    def _batches(self, parts: list[np.ndarray]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Windows and classes of each part of an epoch's order."""
        rows = self.split.train.window
        targets = self.label[torch.from_numpy(np.concatenate(parts)).to(self.device)].split([len(p) for p in parts])
        return zip(self.batches.stream([rows[part] for part in parts]), targets, strict=True)

    def _step(self, x: torch.Tensor, target: torch.Tensor, rate: float, step: int) -> torch.Tensor:
        """One step of the optimizer; the loss before it, on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.no_grad():
            x, target = augment(self.classifier.normalisation(x), target, self.n_outputs, self.settings)
        with autocast(self.device, self.settings.precision):
            logits = self.network(x)
        loss = self.loss(logits, target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.trained, self.settings.clip)
        self.optimizer.step()
        self.constrain()
        if self.average:
            self.average.update(step)
        return loss.detach()

    def validate(self) -> dict[str, float]:
        """Scores of the validation windows."""
        return scores_of(self.chosen, self.batches, self.split.validation)


def scores_of(classifier: Classifier, batches: Batches, cohort: Cohort) -> dict[str, float]:
    """Plain cross-entropy, balanced accuracy and macro F1 of some windows, computed where the classifier is.

    Raises
    ------
    Diverged
        If the cross-entropy is not finite.
    """
    logits = predict(classifier, batches.inputs, cohort.window, batches)
    target = torch.from_numpy(cohort.label).to(logits.device)
    n_outputs = len(cohort.classes)
    found = [
        nn.functional.cross_entropy(logits, target),
        multiclass_accuracy(logits, target, average="macro", num_classes=n_outputs),
        multiclass_f1_score(logits, target, average="macro", num_classes=n_outputs),
    ]
    loss, balanced, macro = torch.stack(found).tolist()
    if not np.isfinite(loss):
        raise Diverged(f"the validation loss is {loss}")
    return {"validation_loss": loss, "balanced_accuracy": balanced, "macro_f1": macro}
