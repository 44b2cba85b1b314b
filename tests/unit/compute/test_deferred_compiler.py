"""The deferred import of torch's compiler: not made by a training, and made when the compiler is used."""

import subprocess
import sys

import pytest


def run(code: str) -> str:
    """Run code in a new interpreter; return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


TRAIN = """
import sys
import numpy as np, torch
from eegwf.compute.device import prepare
from eegwf.config.training import Training
from eegwf.models.registry import build
from eegwf.training.schedule import make_optimizer
from eegwf.training.trainer import Trainer
prepare("cpu", 1)
network = build("vit", {"n_chans": 2, "n_freqs": 8, "n_frames": 8, "n_outputs": 2},
                {"patch_freqs": 4, "patch_times": 4, "width": 8, "heads": 2, "depth": 1})
optimizer = make_optimizer(network, Training())
network(torch.zeros(2, 2, 8, 8)).sum().backward()
optimizer.step()
optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
assert torch.are_deterministic_algorithms_enabled() and torch.is_deterministic_algorithms_warn_only_enabled()
"""


def test_training_imports_neither_the_compiler_nor_metrics_of_images():
    modules = run(TRAIN + "print(' '.join(sys.modules))").split()
    assert "torchvision" in modules, "timm imports it; without it the test shows nothing"
    assert not {"torch._dynamo.eval_frame", "torch._inductor", "torcheval.metrics"} & set(modules)


def test_compiler_works_after_its_import_was_deferred():
    code = TRAIN + "compiled = torch.compile(torch.sin, backend='eager'); print(float(compiled(torch.zeros(1))))"
    assert run(code).strip() == "0.0"


@pytest.mark.parametrize(
    "used", ["torch._dynamo.explain", "torch._dynamo.utils.istensor", "torch._dynamo.utils.is_compile_supported"]
)
def test_use_of_the_compiler_while_it_is_deferred_imports_it(used):
    code = f"""
import sys
import torch
from eegwf.compute.deferred_compiler import defer_compiler
defer_compiler()
import torch._dynamo
import torch._dynamo.utils
assert not hasattr(torch._dynamo, "__file__")
print(callable({used}))
import torch._dynamo
assert torch._dynamo.__file__.endswith("__init__.py")
"""
    assert run(code).splitlines()[0] == "True"


def test_functions_of_the_deferred_compiler_give_its_results():
    code = """
from eegwf.compute.deferred_compiler import defer_compiler
import torch
defer_compiler()
from torch._dynamo.utils import is_compile_supported as deferred
import torch._dynamo
decorated = torch._dynamo.disable(len), torch._dynamo.disable(recursive=False)(len)
print([function([1, 2]) for function in decorated], torch._dynamo.graph_break())
answers = deferred("cpu"), deferred("meta")
from torch._dynamo.utils import is_compile_supported as real
assert real is not deferred
print(answers == (real("cpu"), real("meta")), torch._dynamo.__file__.endswith("__init__.py"))
"""
    assert run(code).splitlines() == ["[2, 2] None", "True True"]
