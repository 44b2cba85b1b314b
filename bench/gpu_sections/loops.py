"""Handwritten training loops, and the ViT printed in the documentation of the published notebooks."""

import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import free_memory, rate
from bench.gpu_sections.trainings import NOTEBOOK_VIT
from bench.loops import loader_loop, patch_loop
from bench.process_settings import with_torch_defaults
from bench.study import labels


def loops(context: Context) -> None:
    """Measure a loop that cuts patches in Python, and a data loader with timm, beside the figures of `speed`."""
    loader = context.trainings.loader("mel", "cpu")
    x = loader.read(np.arange(16 if context.quick else 1024)).numpy() / 10
    few = 16 if context.quick else 512  # the patch loop is slow
    first, second = context.batch_sizes[:2]
    many = min(16, os.cpu_count() or 1)
    _measure(context, "patch by patch", patch_loop, x[:few], first, 1)
    if many > 1:
        _measure(context, "patch by patch", patch_loop, x[:few], first, many)
    _measure(context, "data loader", loader_loop, x, first, 1)
    _measure(context, "patch by patch", patch_loop, x[:few], second, 1)
    _measure(context, "data loader", loader_loop, x, second, 1)
    torch.set_num_threads(1)
    if context.notebook_text:
        with context.recorder.guard("loops", "ViT of the notebook text"):
            speeds = _notebook_vit(context, context.notebook_text.read_text(encoding="utf-8"))
            context.recorder.put("loops", {"ViT of the notebook text": speeds})
            context.recorder.line(f"  ViT of the notebook text, batch size {context.batch_sizes[0]}: {speeds}")
    free_memory()


def _measure(
    context: Context, name: str, loop: Callable[..., Callable[[], None]], x: np.ndarray, batch_size: int, n_threads: int
) -> None:
    """Windows per second of a loop, and how many times faster the trainer was in the section `speed`."""
    key = f"{name}, batch {batch_size}, {n_threads} threads"
    with context.recorder.guard("loops", key):
        epoch = loop(x, labels(len(x)), context.device, batch_size)
        call = with_torch_defaults(epoch, context.device, n_threads)
        speed = rate(call, len(x), context.seconds, min_calls=1 if loop is patch_loop else 2)
        context.recorder.put("loops", {key: speed})
        ratios = [
            f"{variant.removeprefix(f'{NOTEBOOK_VIT}, ')} {row[str(batch_size)] / speed:.1f}x"
            for variant, row in context.recorder.figures.get("speed", {}).items()
            if variant.startswith(f"{NOTEBOOK_VIT}, ") and str(batch_size) in row
        ]
        text = f"; trainer: {', '.join(ratios)}" if ratios else ""
        context.recorder.line(f"  {key}: {speed:.0f} windows/s{text}")


def _notebook_vit(context: Context, text: str) -> dict[str, float]:
    """Windows per second of a training step of the class `ViT` in a Markdown text, by the device of the windows."""
    code = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "class ViT" in block)
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": nn.functional}
    exec(code, names)
    names["ViT"].n_patches = 10  # the printed constructor does not store it
    model = names["ViT"]((20, 100, 100), 10, 256).to(context.device)
    patchify = names["patchify"]
    # The printed function returns a tensor on the CPU.
    names["patchify"] = lambda images, n_patches: patchify(images, n_patches).to(context.device)
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    batch_size = context.batch_sizes[0]
    target = torch.randint(0, 2, (batch_size,), device=context.device)
    speeds = {}
    for device in dict.fromkeys((context.device, "cpu")):
        x = torch.randn(batch_size, 20, 100, 100, device=device)

        def step(x: torch.Tensor = x) -> None:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), target)
            loss.backward()
            optimizer.step()
            loss.item()

        speeds[f"windows on {device}"] = rate(step, batch_size, context.seconds, min_calls=2)
    return speeds
