"""Models, windows and trainings that the sections measure."""

from contextlib import ExitStack
from typing import Any, Literal

import torch

from bench import study
from bench.study import VIT, ModelSetup
from eegwf.compute.device import prepare
from eegwf.models.registry import entry_of
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.classifier import Classifier
from eegwf.training.trainer import Trainer

NOTEBOOK_VIT = "vit of the notebooks"
MODELS: dict[str, ModelSetup] = {NOTEBOOK_VIT: ("vit", "mel", dict(VIT)), **study.MODELS}
TRAINED = tuple(name for name, (model, _, parameters) in MODELS.items() if entry_of(model, parameters).gradient_trained)
"""Models that are trained by gradient descent."""
AUGMENTATION: dict[str, Any] = {
    "mixup_alpha": 0.3,
    "freq_mask": 0.1,
    "time_shift": 0.1,
    "channel_dropout": 0.1,
    "ema_decay": 0.9,
}
"""Training settings with all kinds of augmentation and the moving average of the weights."""

Determinism = Literal["deterministic", "strict", "free"]
LABELS: dict[Determinism, str] = {
    "deterministic": "deterministic",
    "strict": "strictly deterministic with flash attention",
    "free": "nondeterministic",
}


def configure(device: str, determinism: Determinism, tf32: bool = False) -> None:
    """Set torch up as in a job of the workflow.

    Parameters
    ----------
    device
        `cpu` or `cuda`.
    determinism
        `deterministic` and `free`: the two values of the configuration key `deterministic`. `strict`: torch raises an
        error for operations without a deterministic implementation instead of warning, and fused attention is enabled,
        which has a deterministic gradient in this mode.
    tf32
        Whether matrix products in float32 use TF32.
    """
    torch.use_deterministic_algorithms(False)
    prepare(device, 1, determinism != "free")
    if determinism == "strict":
        torch.use_deterministic_algorithms(True, warn_only=False)
        torch.backends.cuda.enable_flash_sdp(True)
        torch.backends.cuda.enable_mem_efficient_sdp(True)
    if tf32:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True


def set_batch_size(trainer: Trainer, batch_size: int) -> None:
    """Change the batch size of a trainer.

    Parameters
    ----------
    trainer
        The trainer.
    batch_size
        Windows per step.
    """
    trainer.settings = trainer.settings.model_copy(update={"batch_size": batch_size})


def limit_epoch(trainer: Trainer, n_windows: int) -> None:
    """Limit the epochs of a trainer to the first windows.

    Parameters
    ----------
    trainer
        The trainer.
    n_windows
        Windows of an epoch.
    """
    trainer.split = study.split(n_windows)


class Trainings:
    """Random windows in temporary files and on the device, and trainings on them.

    Parameters
    ----------
    device
        `cpu` or `cuda`.
    n_windows
        Number of windows.
    """

    def __init__(self, device: str, n_windows: int):
        self.device = device
        self._files = ExitStack()
        self.datasets = self._files.enter_context(study.study(n_windows))
        self._loaders: dict[tuple[str, str, bool | None], BatchLoader] = {}

    def loader(self, kind: str, device: str | None = None, resident: bool | None = None) -> BatchLoader:
        """Return the batch loader of all windows; it is made once.

        Parameters
        ----------
        kind
            `mel` or `windows`.
        device
            `cpu` or `cuda`; None for the device that is measured.
        resident
            Whether the windows stay in the memory of the device; None lets the loader decide.

        Returns
        -------
        BatchLoader
            The loader.
        """
        key = (kind, device or self.device, resident)
        if key not in self._loaders:
            self._loaders[key] = study.load_windows(self.datasets[kind], key[1], resident)
        return self._loaders[key]

    def trainer(self, name: str, loader: BatchLoader | None = None, **settings: Any) -> Trainer:
        """Make a trainer whose epochs end without validation.

        Parameters
        ----------
        name
            Key of `MODELS`.
        loader
            Windows; None for all windows on the device that is measured.
        **settings
            Training settings that differ from the defaults.

        Returns
        -------
        Trainer
            The trainer.
        """
        model, kind, parameters = MODELS[name]
        return study.trainer(model, loader or self.loader(kind), parameters, **settings)

    def classifier(self, name: str) -> Classifier:
        """Make a classifier with new weights on the device that is measured."""
        model, kind, parameters = MODELS[name]
        return study.classifier(model, self.loader(kind), parameters)

    def release(self) -> None:
        """Free the windows on the device."""
        self._loaders.clear()

    def close(self) -> None:
        """Free the windows and remove the temporary files."""
        self.release()
        self._files.close()
