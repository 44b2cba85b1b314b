"""Prototype: several networks of the same architecture trained as one, by torch.func."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import free_memory, peak_mib, rate
from bench.gpu_sections.trainings import NOTEBOOK_VIT, configure
from eegwf.training.captured_step import capture
from eegwf.training.trainer import Trainer

PRECISIONS = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def packed(context: Context) -> None:
    """Measure 4, 8 and 20 networks as one, with one optimizer for all of them, with and without a CUDA graph."""
    for number in (2,) if context.quick else (4, 8, 20):
        for precision in PRECISIONS:
            key = f"{number} networks, {precision}"
            with context.recorder.guard("packed", key):
                _measure(context, number, precision, key)
            free_memory()


def _measure(context: Context, number: int, precision: str, key: str) -> None:
    configure(context.device, "free", tf32=context.on_gpu and precision == "float32")
    size = context.batch_sizes[0]
    step = packed_step([context.trainings.trainer(NOTEBOOK_VIT) for _ in range(number)], PRECISIONS[precision])
    rows = torch.arange(number * size, device=context.device) % context.n_windows
    n_steps = 2 if context.quick else 8
    count = n_steps * number * size

    def eager() -> None:
        for _ in range(n_steps):
            step(rows)

    figures: dict[str, float | None] = {"eager": rate(eager, count, 0.5 * context.seconds), "peak_mib": peak_mib()}
    if context.on_gpu:
        with context.recorder.guard("packed", f"{key}, graph"):
            replay_step = capture(lambda: step(rows), torch.cuda.Stream())

            def replay() -> None:
                for _ in range(n_steps):
                    replay_step()

            figures["graph"] = rate(replay, count, 0.5 * context.seconds)
    context.recorder.put("packed", {key: figures})
    context.recorder.line(f"  {key}, batch size {size} each, windows/s: {figures}")


def packed_step(trainers: list[Trainer], precision: torch.dtype) -> Callable[[torch.Tensor], None]:
    """Make a training step of several networks.

    Parameters
    ----------
    trainers
        Trainers of networks of the same architecture.
    precision
        Precision of matrix products.

    Returns
    -------
    Callable
        Function of the rows of the windows, one batch after the other, shape (len(trainers) * batch size,).
    """
    first, number = trainers[0], len(trainers)
    networks = [trainer.classifier.network.train() for trainer in trainers]
    for network in networks:
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.__class__ = nn.Dropout  # eegwf's faster dropout draws in place, which vmap does not support
    stacked, _ = stack_module_state(networks)
    weights = {name: value.detach().requires_grad_() for name, value in stacked.items()}
    optimizer = torch.optim.AdamW(weights.values(), lr=1e-4, fused=True, capturable=first.device.type == "cuda")

    def loss(weights: dict[str, Any], x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        logits = functional_call(networks[0], weights, (x,))
        return nn.functional.cross_entropy(logits.float(), target)

    gradients_of_each = vmap(grad_and_value(loss), in_dims=(0, 0, 0), randomness="different")

    def step(rows: torch.Tensor) -> None:
        with torch.no_grad():
            resident = first.loader.resident
            windows = first.loader.read(rows.cpu().numpy()) if resident is None else resident[rows].float()
            x = first.classifier.normalization(windows).unflatten(0, (number, -1))
            target = first.label[rows].unflatten(0, (number, -1))
        with torch.autocast(first.device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
            gradients, _ = gradients_of_each(weights, x, target)
        for name, value in weights.items():
            value.grad = gradients[name]
        optimizer.step()

    return step
