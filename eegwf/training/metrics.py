"""Metrics of TorchEval, on the device of the logits.

`torcheval.metrics` also imports torchvision and the compiler of torch, for metrics of images, which takes longer than
all other imports of a job but that of torch. The two files that are needed import only torch, and are loaded by their
path.
"""

import importlib.util
from pathlib import Path
from types import ModuleType


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
multiclass_f1_score = _load("f1_score").multiclass_f1_score
