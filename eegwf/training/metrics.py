"""Metrics of TorchEval, on the device of the logits.

`torcheval.metrics` also imports torchvision and the compiler of torch, for metrics of images, which takes longer than
all other imports of a job but that of torch. The two files that are needed import only torch, and are loaded by their
path.
"""

import importlib.util
from pathlib import Path
from types import ModuleType

import torch


def _load(name: str) -> ModuleType:
    """Load a file of `torcheval.metrics.functional.classification` without its package."""
    package = importlib.util.find_spec("torcheval")
    assert package is not None and package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0], "metrics", "functional", "classification", f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"torcheval_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


multiclass_accuracy = _load("accuracy").multiclass_accuracy
_multiclass_f1_score = _load("f1_score").multiclass_f1_score


def macro_f1(logits: torch.Tensor, target: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Compute the macro F1 as the evaluation defines it (`eegwf.evaluation.scores`).

    Parameters
    ----------
    logits
        Logits `(n_windows, n_classes)`.
    target
        Class indices, `(n_windows,)`.
    n_classes
        Number of classes.

    Returns
    -------
    Tensor
        Mean F1 over all classes, a scalar on the device of the logits. A class that is neither true nor predicted
        counts as 0; TorchEval's own macro average omits it, so that a validation set without a class would have another
        score than a test set without it.
    """
    return _multiclass_f1_score(logits, target, average=None, num_classes=n_classes).mean()
