"""Epochs and optimizer steps of a training. Within an epoch no step waits for the device."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from torch import nn

from eegwf.compute.device import autocast
from eegwf.config.training import Training
from eegwf.data.splits import Split, WindowSet
from eegwf.seeds import seed_of
from eegwf.training.augment import augment
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.captured_step import CapturedSteps, capturable
from eegwf.training.classifier import Classifier, predict
from eegwf.training.concurrency import Turns, run_alone
from eegwf.training.epoch_average import EpochAverage
from eegwf.training.history import History
from eegwf.training.losses import Loss
from eegwf.training.metrics import macro_f1, multiclass_accuracy
from eegwf.training.mixstyle import mix_styles
from eegwf.training.sampling import class_weights, epoch_order
from eegwf.training.schedule import learning_rate, make_optimizer
from eegwf.training.weight_ema import WeightEMA

# Number of steps after which another concurrent training continues. The queue of a GPU takes about a thousand commands.
STEPS_PER_TURN = 100


class Diverged(Exception):
    """A loss is not finite."""


class Trainer:
    """Training of a classifier on a split.

    Parameters
    ----------
    classifier
        Classifier on its device, with its normalization fitted.
    loader
        Loader of the windows of the split.
    split
        Training and validation windows.
    settings
        Settings of training.
    seed
        Seed of order, dropout and augmentation.

    Attributes
    ----------
    optimizer
        Optimizer, whose state is part of a checkpoint.
    total_loss
        Sum of the losses of all windows of an epoch, a scalar on the device.
    weight_ema
        Moving average of the weights, part of a checkpoint; None if it is disabled.
    epoch_average
        Average of the weights at the ends of the last epochs, part of a checkpoint; None if it is disabled.
    """

    def __init__(self, classifier: Classifier, loader: BatchLoader, split: Split, settings: Training, seed: int):
        self.classifier, self.loader, self.split = classifier, loader, split
        self.settings, self.seed = settings, seed
        self.device = loader.device
        self.n_outputs = len(split.train.classes)
        self.optimizer = make_optimizer(classifier, settings)
        self.weight_ema = WeightEMA(classifier, settings.ema_decay) if settings.ema_decay else None
        self.epoch_average = EpochAverage(classifier, settings.swa_epochs) if settings.swa_epochs > 1 else None
        weights = class_weights(split.train.label, self.n_outputs, settings.class_balance)
        self.loss = Loss(
            None if weights is None else torch.from_numpy(weights), settings.label_smoothing, settings.focal_gamma
        ).to(self.device)
        self.label = torch.from_numpy(split.train.label).to(self.device)
        self.patient_number = np.unique(split.train.patient, return_inverse=True)[1]
        self.patient = torch.from_numpy(self.patient_number).to(self.device)
        self.trainable = [parameter for parameter in classifier.parameters() if parameter.requires_grad]
        self.constrain = getattr(classifier.network, "constrain", lambda: None)
        compiled = settings.compile and self.device.type == "cuda"
        if compiled:
            torch.compiler.reset()  # without it, torch leaves the ninth network of a class uncompiled
        self.network = torch.compile(classifier.network, dynamic=True) if compiled else classifier.network
        self.total_loss = torch.zeros((), device=self.device)
        # The draws of others would be those of this network, where their state does not belong to a training.
        self.interruptible = capturable(classifier.network)
        captured = settings.cuda_graph and self.device.type == "cuda" and loader.resident is not None
        captured &= not compiled and not self.weight_ema and self.interruptible
        self.captured = CapturedSteps(self, self.total_loss) if captured else None

    @property
    def validated_classifier(self) -> Classifier:
        """Classifier that is validated and kept: the one with averaged weights, if there is one."""
        average = self.weight_ema or self.epoch_average
        return average.classifier if average else self.classifier

    def epoch(self, history: History) -> dict[str, float]:
        """Train the epoch after those of `history`, and validate if there are validation windows; return its record.

        Raises
        ------
        Diverged
            If a loss is not finite.
        """
        return run_alone(self.epoch_turns(history))

    def epoch_turns(self, history: History) -> Turns[dict[str, float]]:
        """Train and validate like `epoch`, and yield where another training may continue."""
        number = len(history)
        torch.manual_seed(seed_of(self.seed, "dropout", number))
        order = epoch_order(
            self.split.train.label,
            self.settings.class_balance,
            self.seed,
            number,
            self.patient_number,
            self.settings.patient_balance,
        )
        parts = np.array_split(order, -(-len(order) // self.settings.batch_size))
        rates = [self._rate(number * len(parts) + step, len(parts), history) for step in range(len(parts))]
        self.classifier.train()
        self.total_loss.zero_()
        for n_steps, _ in enumerate(self._steps(parts, rates, number), 1):
            if n_steps % STEPS_PER_TURN == 0 and self.interruptible:
                yield
        if self.epoch_average:
            self.epoch_average.update(self.loader, self.split.train.window)
        logits = self.validation_logits() if len(self.split.validation.window) else None
        yield  # before it waits for the device
        mean = float(self.total_loss) / len(order)
        if not np.isfinite(mean):
            raise Diverged(f"the training loss of epoch {number + 1} is {mean}")
        record = {"epoch": number + 1, "learning_rate": rates[-1], "train_loss": mean}
        return record if logits is None else record | scores_of(logits, self.split.validation)

    def _steps(self, parts: list[np.ndarray], rates: list[float], epoch: int) -> Iterator[None]:
        """Make the steps of an epoch, one for each iteration, and add up their losses."""
        if self.captured:
            sizes = [len(part) for part in parts]
            positions = torch.from_numpy(np.concatenate(parts)).to(self.device).split(sizes)
            yield from self.captured.epoch(positions, rates)
            return
        first = epoch * len(parts)
        for step, (rate, batch) in enumerate(zip(rates, self._batches(parts), strict=True), first):
            self.total_loss += self.step(*batch, rate) * len(batch[1])
            if self.weight_ema:
                self.weight_ema.update(step)
            yield

    def _rate(self, step: int, steps_per_epoch: int, history: History) -> float:
        """Learning rate of a step; on a GPU rounded to single precision, as a CUDA graph needs it."""
        rate = learning_rate(step, steps_per_epoch, self.settings, history)
        return float(np.float32(rate)) if self.device.type == "cuda" else rate

    def _batches(self, parts: list[np.ndarray]) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Windows, class indices and patients of each batch of an epoch."""
        rows = self.split.train.window
        order = torch.from_numpy(np.concatenate(parts)).to(self.device)
        sizes = [len(part) for part in parts]
        targets, patients = self.label[order].split(sizes), self.patient[order].split(sizes)
        return zip(self.loader.stream([rows[part] for part in parts]), targets, patients, strict=True)

    def resident_batch(self, order: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Read windows that are kept on the device.

        Parameters
        ----------
        order
            Positions of the windows in the training set, on the device.

        Returns
        -------
        x, target, patient
            Float32 windows, their class indices, and the numbers of their patients.
        """
        assert self.loader.resident is not None
        return self.loader.resident[self._positions[order]].float(), self.label[order], self.patient[order]

    @cached_property
    def _positions(self) -> torch.Tensor:
        """Positions of the training windows among those that are kept on the device."""
        return self.loader.positions(self.split.train.window)

    def step(
        self, x: torch.Tensor, target: torch.Tensor, patient: torch.Tensor, rate: float | torch.Tensor
    ) -> torch.Tensor:
        """Make an optimizer step.

        Parameters
        ----------
        x, target, patient
            Float32 windows, their class indices, and the numbers of their patients.
        rate
            Learning rate; a scalar tensor on the device if the step is captured.

        Returns
        -------
        torch.Tensor
            Loss before the step, on the device.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.no_grad():
            x = self.classifier.normalization(x)
            if self.settings.mixstyle_alpha:
                x = mix_styles(x, target, patient, self.settings.mixstyle_alpha)
            x, target = augment(x, target, self.n_outputs, self.settings)
        with autocast(self.device, self.settings.precision):
            logits = self.network(x)
        loss = self.loss(logits, target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.trainable, self.settings.grad_clip_norm)
        self.optimizer.step()
        self.constrain()
        return loss.detach()

    def validation_logits(self) -> torch.Tensor:
        """Logits of the validation windows, on the device."""
        return predict(self.validated_classifier, self.loader.dataset, self.split.validation.window, self.loader)


def scores_of(logits: torch.Tensor, window_set: WindowSet) -> dict[str, float]:
    """Compute cross-entropy, balanced accuracy and macro F1 on the device of the logits.

    Parameters
    ----------
    logits
        Logits `(n_windows, n_outputs)`.
    window_set
        The windows, each with a class.

    Returns
    -------
    dict
        `validation_loss` (cross-entropy without class weights and smoothing), `balanced_accuracy` and `macro_f1`.

    Raises
    ------
    Diverged
        If the cross-entropy is not finite.
    """
    target = torch.from_numpy(window_set.label).to(logits.device)
    n_outputs = len(window_set.classes)
    scores = [
        nn.functional.cross_entropy(logits, target),
        multiclass_accuracy(logits, target, average="macro", num_classes=n_outputs),
        macro_f1(logits, target, n_outputs),
    ]
    loss, balanced, macro = torch.stack(scores).tolist()
    if not np.isfinite(loss):
        raise Diverged(f"the validation loss is {loss}")
    return {"validation_loss": loss, "balanced_accuracy": balanced, "macro_f1": macro}
