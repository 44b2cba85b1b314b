"""Self-supervised pretraining of a network on the windows of the training patients, without their labels."""

import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from eegwf.compute.device import autocast, device_name
from eegwf.config.training import Training
from eegwf.data.splits import Split
from eegwf.models.tensors import head_input
from eegwf.seeds import seed_of
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.batch_norms import fit_batch_norms
from eegwf.training.captured_step import capturable
from eegwf.training.checkpoint import Checkpoint, CheckpointWriter
from eegwf.training.classifier import Classifier
from eegwf.training.concurrency import Turns
from eegwf.training.contrastive import contrastive_loss, random_view
from eegwf.training.history import EpochCallback, History, ignore_epoch
from eegwf.training.schedule import learning_rate, make_optimizer
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import STEPS_PER_TURN, Diverged

# Size of the projections that are compared, and of the layer before them (Chen et al. 2020).
N_PROJECTED = 128
N_VIEWS = 2


class ContrastiveNetwork(nn.Module):
    """Network with a projection head on the features that enter its output layer.

    Parameters
    ----------
    classifier
        Classifier with its normalization fitted; its output layer has no influence.
    output_layer
        Output layer of its network.
    shape
        `n_chans`, `n_freqs` and `n_frames` of a window.
    """

    def __init__(self, classifier: Classifier, output_layer: nn.Module, shape: dict[str, int]):
        super().__init__()
        self.classifier = classifier
        self.layers = [output_layer]  # in a list, since it is a module of the classifier already
        device = next(classifier.parameters()).device
        window = torch.zeros(1, *(shape[name] for name in ("n_chans", "n_freqs", "n_frames")), device=device)
        classifier.eval()
        with torch.no_grad():
            n_features = self.features(window).shape[1]
        self.projection = nn.Sequential(
            nn.Linear(n_features, N_PROJECTED), nn.ReLU(), nn.Linear(N_PROJECTED, N_PROJECTED)
        ).to(device)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Features `(batch, n_features)` of normalized windows `(batch, n_chans, n_freqs, n_frames)`."""
        return head_input(self.classifier.network, self.layers[0], x).flatten(1).float()


def pretraining_rows(split: Split) -> np.ndarray:
    """Rows of the training windows and of the windows without a class of the same folds, ascending."""
    return np.unique(np.concatenate([split.train.window, split.unlabeled]))


def pretraining_turns(
    classifier: Classifier,
    output_layer: nn.Module,
    dataset: SpectrogramDataset,
    split: Split,
    settings: Training,
    seed: int,
    checkpoints: CheckpointWriter | None = None,
    on_epoch: EpochCallback = ignore_epoch,
) -> Turns[None]:
    """Pretrain a classifier by contrastive learning, and yield where another training may continue.

    Parameters
    ----------
    classifier
        Classifier on its device, with its initial weights and its normalization fitted. All weights are trained but
        those of the output layer.
    output_layer
        Output layer of its network.
    dataset
        Spectrograms of the study.
    split
        Only the rows of its training folds are read, and no labels.
    settings
        Settings of training.
    seed
        Seed of the projection head, the order of the windows, dropout and views.
    checkpoints
        Writer of the state; if there is one of a pretraining that was killed, it is continued.
    on_epoch
        Called with the history of the pretraining after each epoch that this call trains.

    Yields
    ------
    None
        When work has been sent to the device.

    Raises
    ------
    Diverged
        If a loss is not finite.

    Notes
    -----
    SimCLR (Chen et al. 2020) with the optimizer of the training; the learning rate rises and decays by its warm-up and
    a cosine over the epochs of the pretraining. Afterward, the running statistics of batch norms are computed again
    from the windows as they are, since those of the views differ.
    """
    checkpoints = checkpoints or CheckpointWriter(None, time.monotonic)
    pretraining = _Pretraining(classifier, output_layer, dataset, split, settings, seed)
    history = pretraining.resume(checkpoints.read(pretraining.device.type))
    while len(history) < settings.pretrain_epochs:
        history.append((yield from pretraining.epoch_turns(len(history))))
        last = len(history) == settings.pretrain_epochs
        checkpoints.write(lambda: pretraining.state(history), last)
        on_epoch(history)
    fit_batch_norms(classifier, pretraining.batches())


class _Pretraining:
    """Epochs of a pretraining."""

    def __init__(
        self,
        classifier: Classifier,
        output_layer: nn.Module,
        dataset: SpectrogramDataset,
        split: Split,
        settings: Training,
        seed: int,
    ):
        self.seed, self.classifier = seed, classifier
        n_epochs = settings.pretrain_epochs
        changes = {"epochs": n_epochs, "schedule": "cosine", "schedule_epochs": n_epochs}
        self.settings = settings.model_copy(update=changes)
        torch.manual_seed(seed_of(seed, "projection"))
        self.network = ContrastiveNetwork(classifier, output_layer, dataset.shape)
        self.optimizer = make_optimizer(self.network, settings)
        self.device = next(classifier.parameters()).device
        self.rows = pretraining_rows(split)
        # Not the loader of the training: this one has no row of a validation patient.
        self.loader = BatchLoader(dataset, self.rows, str(self.device))
        self.constrain = getattr(classifier.network, "constrain", lambda: None)
        self.interruptible = capturable(classifier.network)

    def parts(self, rows: np.ndarray) -> list[np.ndarray]:
        """Rows of batches of about equal size, since a small one would have few other windows to compare with."""
        return np.array_split(rows, -(-len(rows) // self.settings.pretrain_batch_size))

    def batches(self) -> Iterator[torch.Tensor]:
        """Windows in an order that does not depend on the epochs."""
        order = np.random.default_rng(seed_of(self.seed, "batch norms")).permutation(self.rows)
        return self.loader.stream(self.parts(order))

    def epoch_turns(self, number: int) -> Turns[dict[str, float]]:
        """Make the steps of an epoch, numbered from 0; return its record."""
        torch.manual_seed(seed_of(self.seed, "views", number))
        parts = self.parts(np.random.default_rng(seed_of(self.seed, "pretraining", number)).permutation(self.rows))
        self.classifier.train()
        total = torch.zeros((), device=self.device)
        for step, x in enumerate(self.loader.stream(parts)):
            rate = learning_rate(number * len(parts) + step, len(parts), self.settings)
            total += self.step(x, rate) * len(x)
            if (step + 1) % STEPS_PER_TURN == 0 and self.interruptible:
                yield
        yield  # before it waits for the device
        mean = float(total) / len(self.rows)
        if not np.isfinite(mean):
            raise Diverged(f"the contrastive loss of pretraining epoch {number + 1} is {mean}")
        record = {"epoch": number + 1, "n_epochs": self.settings.pretrain_epochs, "contrastive_loss": mean}
        return record | {"windows": N_VIEWS * len(self.rows)}

    def step(self, x: torch.Tensor, rate: float) -> torch.Tensor:
        """Make an optimizer step on windows that are not normalized; return the loss before it."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.no_grad():
            x = self.classifier.normalization(x)
            views = torch.cat([random_view(x) for _ in range(N_VIEWS)])
        with autocast(self.device, self.settings.precision):
            features = self.network.features(views)
        loss = contrastive_loss(self.network.projection(features))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.grad_clip_norm)
        self.optimizer.step()
        self.constrain()
        return loss.detach()

    def state(self, history: History) -> Checkpoint:
        """State after the epochs of `history`."""
        weights, optimizer = self.network.state_dict(), self.optimizer.state_dict()
        return Checkpoint(weights, {}, optimizer, history, device=device_name(self.device.type))

    def resume(self, saved: Checkpoint | None) -> History:
        """Restore a state, if there is one; return the history."""
        if saved is None:
            return []
        self.network.load_state_dict(saved.weights)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict(saved.optimizer | {"param_groups": groups})
        return saved.history
