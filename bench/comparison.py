"""Comparison of the trainer with handwritten training loops for the same ViT."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bench.contenders import DATA_LOADER, EEGWF, MATRIX_PRODUCT, PATCH_LOOP, PATCH_LOOP_SAME_DROPOUT
from bench.loops import loader_loop, patch_loop
from bench.process_settings import with_torch_defaults, with_workflow_settings
from bench.study import VIT, classifier, epoch_call, labels, load_windows, trainer
from bench.timing import measure_in_turns, speedup
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.spectrogram_dataset import SpectrogramDataset

SIDE = 2048
"""Rows and columns of the matrices whose product is the reference for the CPU."""


def flops(loader: BatchLoader) -> int:
    """Floating-point operations of the forward and backward pass of a window; a multiplication and an addition are two.

    Attention is computed as plain matrix products, because the recomputation within fused attention would be counted.
    """
    network = classifier("vit", loader, VIT)
    x = loader.read(loader.rows[:1])
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        network(x).sum().backward()
    return counter.get_total_flops()


def trainer_epochs(dataset: SpectrogramDataset, device: str, batch_size: int) -> dict[str, Callable[[], object]]:
    """Epochs of the trainer with the workflow's settings, and on a GPU also with each setting changed.

    Parameters
    ----------
    dataset
        Spectrograms.
    device
        `cpu` or `cuda`.
    batch_size
        Windows per step.

    Returns
    -------
    dict of str to Callable
        Functions that train for one epoch.
    """
    loader = load_windows(dataset, device)
    variants: dict[str, tuple[BatchLoader, dict[str, Any]]] = {EEGWF: (loader, {})}
    if device == "cuda":
        variants |= {
            f"{EEGWF}, float32": (loader, {"precision": "float32"}),
            f"{EEGWF}, compiled": (loader, {"compile": True}),
            f"{EEGWF}, streamed": (load_windows(dataset, device, resident=False), {}),
        }
    return {
        name: epoch_call(trainer("vit", windows, VIT, batch_size=batch_size, **settings))
        for name, (windows, settings) in variants.items()
    }


def side_by_side(
    dataset: SpectrogramDataset, device: str, batch_size: int, n_threads: int, rounds: int
) -> dict[str, Any]:
    """Compare the trainer with handwritten loops that train the same ViT.

    Parameters
    ----------
    dataset
        Spectrograms.
    device
        `cpu` or `cuda`.
    batch_size
        Windows per step.
    n_threads
        Number of threads of torch on the CPU.
    rounds
        Number of rounds.

    Returns
    -------
    dict
        Windows per second of each contender, and how many times faster the trainer is.
    """
    print(f"training: trainer and loops, {device}, batch size {batch_size}, {n_threads} threads", flush=True)
    host = load_windows(dataset, "cpu")
    x = classifier("vit", host, VIT).normalization(host.read(host.rows)).numpy()
    label = labels(len(x))
    trainer_calls = trainer_epochs(dataset, device, batch_size)
    loops: dict[str, Callable[[], object]] = {
        PATCH_LOOP: patch_loop(x, label, device, batch_size),
        PATCH_LOOP_SAME_DROPOUT: patch_loop(x, label, device, batch_size, attention_dropout=False),
        DATA_LOADER: loader_loop(x, label, device, batch_size),
    }
    square = torch.randn(SIDE, SIDE)
    if device == "cpu":
        loops[MATRIX_PRODUCT] = lambda: square @ square
    calls = {name: with_workflow_settings(call, device, n_threads) for name, call in trainer_calls.items()}
    calls |= {name: with_torch_defaults(call, device, n_threads) for name, call in loops.items()}
    seconds = measure_in_turns(calls, rounds)
    product, window_flops = seconds.pop(MATRIX_PRODUCT, None), flops(host)
    contenders: dict[str, dict[str, Any]] = {
        name: {
            "windows_per_second": len(x) / float(np.median(times)),
            "ours_faster": None if name == EEGWF else speedup(seconds, EEGWF, name),
        }
        for name, times in seconds.items()
    }
    for name in trainer_calls:
        contenders[name]["flops_per_second"] = window_flops * contenders[name]["windows_per_second"]
    figures: dict[str, Any] = {"contenders": contenders, "flops_per_window": window_flops}
    if product is not None:
        figures["product_flops_per_second"] = 2 * SIDE**3 / float(np.median(product))
        share = window_flops * len(x) / seconds[EEGWF] / (2 * SIDE**3 / product)
        figures["product_share"] = float(np.median(share))
    return figures
