"""Benchmark of training: every model, the trainer compared with handwritten loops, and concurrent trainings."""

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from bench.comparison import SIDE, side_by_side
from bench.loops import WORKERS
from bench.process_memory import peak, reset_peak
from bench.process_settings import with_workflow_settings
from bench.shapes import N_CHANS, N_FRAMES, N_FREQS, N_TIMES, SFREQ
from bench.study import (
    BATCH,
    MODELS,
    N_OUTPUTS,
    PATCH,
    SIZES,
    classifier,
    epoch_call,
    forward_all,
    load_windows,
    study,
    trainer,
)
from bench.timing import measure_in_turns, speedup
from eegwf.compute.device import prepare
from eegwf.models.registry import entry_of
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Trainer

WINDOWS = {"cpu": 96, "cuda": 2304}
"""Windows of an epoch: whole batches of 32 (on a GPU also of 256), with equal class sizes."""
LARGE = 256
CONCURRENT = {"cpu": 2, "cuda": 5}
"""Number of concurrent trainings."""
# Peak of dense bfloat16 products with float32 accumulation, without sparsity, from NVIDIA's data sheets: H100 SXM and
# H200 SXM (989.4 TFLOP/s), A100 SXM and PCIe (312). Cards with a lower power limit (H100 PCIe, NVL) have other peaks.
PEAKS = {
    "NVIDIA H100 80GB HBM3": 989.4e12,
    "NVIDIA H200": 989.4e12,
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA A100-PCIE-40GB": 312e12,
    "NVIDIA A100 80GB PCIe": 312e12,
}


def every_model(datasets: dict[str, SpectrogramDataset], device: str, rounds: int) -> dict[str, dict[str, float]]:
    """Measure every model in one thread.

    Parameters
    ----------
    datasets
        Spectrograms and time series.
    device
        `cpu` or `cuda`.
    rounds
        Number of rounds.

    Returns
    -------
    dict of str to dict
        Figures of each model.
    """
    loaders = {kind: load_windows(dataset, device) for kind, dataset in datasets.items()}
    return {name: one_model(name, loaders[kind], device, rounds) for name, (_, kind, _) in MODELS.items()}


def one_model(name: str, loader: BatchLoader, device: str, rounds: int) -> dict[str, float]:
    """Measure one model: number of parameters, windows per second, and peak memory.

    Parameters
    ----------
    name
        Key of `MODELS`.
    loader
        The windows.
    device
        `cpu` or `cuda`.
    rounds
        Number of rounds.

    Returns
    -------
    dict
        The peak memory does not include the windows that are resident on a GPU.
    """
    print(f"training: {name}, {device}", flush=True)
    model, _, parameters = MODELS[name]
    gc.collect()
    before = torch.cuda.memory_allocated() if device == "cuda" else 0
    training = trainer(model, loader, parameters) if entry_of(model, parameters).gradient_trained else None
    network = training.classifier if training else classifier(model, loader, parameters)
    calls = {"forward": with_workflow_settings(lambda: forward_all(network, loader), device)}
    if training:
        calls["training"] = with_workflow_settings(epoch_call(training), device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    seconds = measure_in_turns(calls, rounds)
    on_device = (torch.cuda.max_memory_allocated() - before) / 2**20 if device == "cuda" else None
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        **{call: len(loader.rows) / float(np.median(times)) for call, times in seconds.items()},
        "peak_mib": peak(name, "training") if on_device is None else on_device,
    }


@contextmanager
def isolated_training(name: str) -> Iterator[Callable[[], object]]:
    """Prepare a function that makes a model and trains it for an epoch, in a process that does nothing else."""
    model, kind, parameters = MODELS[name]
    prepare("cpu", 1)
    with study(WINDOWS["cpu"]) as datasets:
        loader = load_windows(datasets[kind], "cpu")
        kept: list[Any] = []  # the model of the first call, which the second one trains further
        classifier(model, loader, parameters)
        reset_peak()

        def call() -> None:
            if entry_of(model, parameters).gradient_trained:
                kept[:] = kept or [trainer(model, loader, parameters)]
                kept[0].epoch([])
            else:
                kept[:] = kept or [classifier(model, loader, parameters)]
                forward_all(kept[0], loader)

        yield call


def packing(dataset: SpectrogramDataset, device: str, rounds: int) -> dict[str, Any]:
    """Compare several small trainings in concurrent threads with the same trainings one after the other.

    Parameters
    ----------
    dataset
        Spectrograms.
    device
        `cpu` or `cuda`.
    rounds
        Number of rounds.

    Returns
    -------
    dict
        Number of trainings, speed-up, and windows per second.
    """
    print(f"training: concurrent trainings, {device}", flush=True)
    loader, number = load_windows(dataset, device), CONCURRENT[device]
    trainings = [trainer("vit", loader, {}) for _ in range(number)]
    streams = [torch.cuda.Stream() if device == "cuda" else None for _ in trainings]
    pool = ThreadPoolExecutor(number, initializer=torch.set_num_threads, initargs=(1,))

    def train_epoch(training: Trainer, stream: torch.cuda.Stream | None) -> None:
        with torch.cuda.stream(stream) if stream else nullcontext():
            training.epoch([])

    def in_turn() -> None:
        for training in trainings:
            training.epoch([])

    calls: dict[str, Callable[[], object]] = {
        "at once": lambda: list(pool.map(train_epoch, trainings, streams)),
        "in turn": in_turn,
    }
    with pool:
        seconds = measure_in_turns({name: with_workflow_settings(call, device) for name, call in calls.items()}, rounds)
    n_windows = number * len(loader.rows)
    return {
        "trainings": number,
        "faster": speedup(seconds, "at once", "in turn"),
        "windows_per_second": {name: n_windows / float(np.median(times)) for name, times in seconds.items()},
    }


def on_cpu(n_threads: int, rounds: int, n_windows: int) -> dict[str, Any]:
    """Run all measurements of training on the CPU.

    Parameters
    ----------
    n_threads
        Maximum number of threads.
    rounds
        Number of rounds.
    n_windows
        Windows of an epoch.

    Returns
    -------
    dict
        The figures.
    """
    with study(n_windows) as datasets:
        return {
            "n_windows": n_windows,
            "models": every_model(datasets, "cpu", rounds),
            "one_thread": side_by_side(datasets["mel"], "cpu", BATCH, 1, rounds),
            "all_threads": side_by_side(datasets["mel"], "cpu", BATCH, n_threads, rounds),
            "packing": packing(datasets["mel"], "cpu", rounds),
        }


def on_gpu(rounds: int, n_windows: int) -> dict[str, Any]:
    """Run all measurements of training on a GPU; operations are those that the model needs.

    Parameters
    ----------
    rounds
        Number of rounds.
    n_windows
        Windows of an epoch.

    Returns
    -------
    dict
        The figures.
    """
    prepare("cuda", 1)  # before cuBLAS starts, which reads its settings only then
    with study(n_windows) as datasets:
        return {
            "n_windows": n_windows,
            "peak_flops_per_second": PEAKS.get(torch.cuda.get_device_name()),
            "models": every_model(datasets, "cuda", rounds),
            "batches": {str(size): side_by_side(datasets["mel"], "cuda", size, 1, rounds) for size in (BATCH, LARGE)},
            "packing": packing(datasets["mel"], "cuda", rounds),
        }


def measure_all(n_threads: int, rounds: int = 9, n_windows: int | None = None) -> dict[str, Any]:
    """Run all measurements of training.

    Parameters
    ----------
    n_threads
        Maximum number of threads on the CPU.
    rounds
        Number of rounds of each comparison.
    n_windows
        Windows of an epoch; None for the default of each device.

    Returns
    -------
    dict
        Figures for benchmarks.json.
    """
    sizes = {device: number if n_windows is None else n_windows for device, number in WINDOWS.items()}
    vit = {"patch": PATCH, **SIZES}
    shape = {"n_chans": N_CHANS, "n_freqs": N_FREQS, "n_frames": N_FRAMES, "n_times": N_TIMES}
    return {
        "sizes": {**shape, "sfreq": SFREQ, "n_outputs": N_OUTPUTS, "batch": BATCH, "vit": vit, "side": SIDE},
        "workers": WORKERS,
        "n_threads": n_threads,
        "cpu": on_cpu(n_threads, rounds, sizes["cpu"]),
        "gpu": on_gpu(rounds, sizes["cuda"]) if torch.cuda.is_available() else None,
    }
