"""Training: every model, the trainer beside loops written by hand, and several trainings at once, in one run."""

import contextlib
import ctypes
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bench import peers
from bench.loops import WORKERS, loader_loop, patch_loop
from bench.memory import peak, settle
from bench.study import (
    BATCH,
    MODELS,
    N_OUTPUTS,
    PATCH,
    SIZES,
    VIT,
    classifier,
    labels,
    look,
    study,
    trainer,
    windows_of,
)
from bench.timing import faster, take_turns
from eegwf.compute.device import prepare
from eegwf.models.registry import entry_of
from eegwf.training.batch_loader import Batches
from eegwf.training.spectrogram_dataset import Inputs

OURS = "eegwf"
CUT, CUT_ALIKE, LOADER = "patch by patch", "patch by patch, attention not dropped", "data loader"
PRODUCT = "matrix product"
SIDE = 2048  # of the matrices of the product that the CPU is judged by
WINDOWS = {"cpu": 96, "cuda": 2304}
"""Of an epoch: whole batches of 32 (on a GPU of 256), and equally many of each class."""
LARGE = 256
AT_ONCE = {"cpu": 2, "cuda": 5}
"""Trainings side by side."""
# Dense bfloat16 products a second with float32 sums, without sparsity, as NVIDIA's data sheets have them: H100 SXM
# (989.4 TFLOP/s), H200 SXM (the same), A100 SXM and PCIe (312). Cards of less power (H100 PCIe, NVL) have others.
PEAKS = {
    "NVIDIA H100 80GB HBM3": 989.4e12,
    "NVIDIA H200": 989.4e12,
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA A100-PCIE-40GB": 312e12,
    "NVIDIA A100 80GB PCIe": 312e12,
}


def synchronise(device: str) -> None:
    """Wait for the device."""
    if device == "cuda":
        torch.cuda.synchronize()


def as_workflow(call: Callable[[], object], device: str, n_threads: int = 1) -> Callable[[], None]:
    """A call in a process as the workflow's jobs set theirs up, until the device has done it."""

    def run() -> None:
        prepare(device, n_threads)
        call()
        synchronise(device)

    return run


def as_torch_comes(call: Callable[[], object], device: str, n_threads: int = 1) -> Callable[[], None]:
    """A call in a process as torch sets itself up, until the device has done it."""

    def run() -> None:
        torch.set_num_threads(n_threads)
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = False
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = True
        for enable in (
            torch.backends.cuda.enable_flash_sdp,
            torch.backends.cuda.enable_mem_efficient_sdp,
            torch.backends.cuda.enable_cudnn_sdp,
        ):
            enable(True)
        _give_memory_back()
        call()
        synchronise(device)

    return run


def _give_memory_back() -> None:
    """What glibc comes to by itself after arrays of many sizes: 32 MB are mapped, 64 MB of free memory given back."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(-1, 64 << 20)  # M_TRIM_THRESHOLD
        library.mallopt(-4, 65536)  # M_MMAP_MAX
        library.mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD


def epochs(training) -> Callable[[], object]:
    """The first epoch of a training, again and again: the weights go on, the schedule doesn't."""
    return lambda: training.epoch([])


def every_model(inputs: dict[str, Inputs], device: str, rounds: int) -> dict[str, dict]:
    """Windows a second, in training and outside of it, of every model in one thread; and what a model takes."""
    held = {kind: windows_of(arrays, device) for kind, arrays in inputs.items()}
    return {name: one_model(name, held[kind], device, rounds) for name, (_, kind, _) in MODELS.items()}


def one_model(name: str, batches: Batches, device: str, rounds: int) -> dict[str, float]:
    """The figures of one model; its peak memory is beyond what the windows take that are held on a GPU."""
    print(f"training: {name}, {device}", flush=True)
    model, _, parameters = MODELS[name]
    gc.collect()
    before = torch.cuda.memory_allocated() if device == "cuda" else 0
    steps = entry_of(model, parameters).by_steps
    training = trainer(model, batches, parameters) if steps else None
    made = training.classifier if steps else classifier(model, batches, parameters)
    calls = {"forward": as_workflow(lambda: look(made, batches), device)}
    if steps:
        calls["training"] = as_workflow(epochs(training), device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    seconds = take_turns(calls, rounds)
    on_device = (torch.cuda.max_memory_allocated() - before) / 2**20 if device == "cuda" else None
    return {
        "parameters": sum(parameter.numel() for parameter in made.parameters()),
        **{call: len(batches.rows) / float(np.median(times)) for call, times in seconds.items()},
        "peak_mib": peak(name, "training") if on_device is None else on_device,
    }


@contextmanager
def alone(name: str) -> Iterator[Callable[[], object]]:
    """Make a model and train it for an epoch, for a process of its own; everything else it needs is there already."""
    model, kind, parameters = MODELS[name]
    prepare("cpu", 1)
    with study(WINDOWS["cpu"]) as inputs:
        batches, kept = windows_of(inputs[kind], "cpu"), []
        classifier(model, batches, parameters)
        settle()

        def call() -> None:
            if entry_of(model, parameters).by_steps:
                kept[:] = kept or [trainer(model, batches, parameters)]
                kept[0].epoch([])
            else:
                kept[:] = kept or [classifier(model, batches, parameters)]
                look(kept[0], batches)

        yield call


def flops(batches: Batches) -> int:
    """Floating-point operations of a window's forward and backward pass; a product and a sum are two."""
    made = classifier("vit", batches, VIT)
    x = batches.read(batches.rows[:1])
    # As plain matrix products, or what fused attention computes twice would count twice.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        made(x).sum().backward()
    return counter.get_total_flops()


def ours(inputs: Inputs, device: str, batch_size: int) -> dict[str, Callable[[], object]]:
    """Epochs of the trainer as the workflow has it; on a GPU also with each of its choices made otherwise."""
    batches = windows_of(inputs, device)
    chosen = {OURS: (batches, {})}
    if device == "cuda":
        chosen |= {
            f"{OURS}, float32": (batches, {"precision": "float32"}),
            f"{OURS}, compiled": (batches, {"compile": True}),
            f"{OURS}, streamed": (windows_of(inputs, device, resident=False), {}),
        }
    return {
        name: epochs(trainer("vit", held, VIT, batch_size=batch_size, **settings))
        for name, (held, settings) in chosen.items()
    }


def side_by_side(inputs: Inputs, device: str, batch_size: int, n_threads: int, rounds: int) -> dict:
    """Windows a second of the trainer and of loops with the same ViT, and how many times faster the trainer is."""
    print(f"training: side by side, {device}, batch {batch_size}, {n_threads} threads", flush=True)
    host = windows_of(inputs, "cpu")
    x = classifier("vit", host, VIT).normalisation(host.read(host.rows)).numpy()
    label = labels(len(x))
    mine = ours(inputs, device, batch_size)
    loops = {
        CUT: patch_loop(x, label, device, batch_size),
        CUT_ALIKE: patch_loop(x, label, device, batch_size, attention_dropout=False),
        LOADER: loader_loop(x, label, device, batch_size),
    }
    square = torch.randn(SIDE, SIDE)
    if device == "cpu":
        loops[PRODUCT] = lambda: square @ square
    calls = {name: as_workflow(call, device, n_threads) for name, call in mine.items()}
    calls |= {name: as_torch_comes(call, device, n_threads) for name, call in loops.items()}
    seconds = take_turns(calls, rounds)
    product, a_window = seconds.pop(PRODUCT, None), flops(host)
    contenders = {
        name: {
            "windows_per_second": len(x) / float(np.median(times)),
            "ours_faster": None if name == OURS else faster(seconds, OURS, name),
        }
        for name, times in seconds.items()
    }
    found = {"contenders": contenders, "flops_per_window": a_window}
    for name in mine:
        contenders[name]["flops_per_second"] = a_window * contenders[name]["windows_per_second"]
    if product is not None:
        found["product_flops_per_second"] = 2 * SIDE**3 / float(np.median(product))
        share = a_window * len(x) / seconds[OURS] / (2 * SIDE**3 / product)
        found["product_share"] = float(np.median(share))
    return found


def packing(inputs: Inputs, device: str, rounds: int) -> dict:
    """How many times faster several small trainings are at once, each in a thread, than one after the other."""
    print(f"training: at once, {device}", flush=True)
    batches, number = windows_of(inputs, device), AT_ONCE[device]
    trainings = [trainer("vit", batches, {}) for _ in range(number)]
    streams = [torch.cuda.Stream() if device == "cuda" else None for _ in trainings]
    pool = ThreadPoolExecutor(number, initializer=torch.set_num_threads, initargs=(1,))

    def one(training, stream) -> None:
        with torch.cuda.stream(stream) if stream else nullcontext():
            training.epoch([])

    def in_turn() -> None:
        for training in trainings:
            training.epoch([])

    calls = {"at once": lambda: list(pool.map(one, trainings, streams)), "in turn": in_turn}
    with pool:
        seconds = take_turns({name: as_workflow(call, device) for name, call in calls.items()}, rounds)
    n_windows = number * len(batches.rows)
    return {
        "trainings": number,
        "faster": faster(seconds, "at once", "in turn"),
        "windows_per_second": {name: n_windows / float(np.median(times)) for name, times in seconds.items()},
    }


def on_cpu(n_threads: int, rounds: int, n_windows: int) -> dict:
    """What the CPU does."""
    with study(n_windows) as inputs:
        return {
            "n_windows": n_windows,
            "models": every_model(inputs, "cpu", rounds),
            "one_thread": side_by_side(inputs["mel"], "cpu", BATCH, 1, rounds),
            "all_threads": side_by_side(inputs["mel"], "cpu", BATCH, n_threads, rounds),
            "packing": packing(inputs["mel"], "cpu", rounds),
        }


def on_gpu(rounds: int, n_windows: int) -> dict:
    """What a GPU does; its share of the peak is that of the operations which the model needs."""
    prepare("cuda", 1)  # before cuBLAS starts, which reads its settings once
    with study(n_windows) as inputs:
        return {
            "n_windows": n_windows,
            "peak_flops_per_second": PEAKS.get(torch.cuda.get_device_name()),
            "models": every_model(inputs, "cuda", rounds),
            "batches": {str(size): side_by_side(inputs["mel"], "cuda", size, 1, rounds) for size in (BATCH, LARGE)},
            "packing": packing(inputs["mel"], "cuda", rounds),
        }


def measure_all(n_threads: int, rounds: int = 9, n_windows: int | None = None) -> dict:
    """Everything there is to say about training, as JSON-able values.

    Parameters
    ----------
    n_threads
        Most threads of the CPU.
    rounds
        Turns that each contender takes.
    n_windows
        Windows of an epoch; None: as many as the device wants.
    """
    chosen = {device: number if n_windows is None else n_windows for device, number in WINDOWS.items()}
    vit = {"patch": PATCH, **SIZES}
    shape = {"n_chans": peers.N_CHANS, "n_freqs": peers.N_FREQS, "n_frames": peers.N_FRAMES, "n_times": peers.N_TIMES}
    return {
        "sizes": {**shape, "sfreq": peers.SFREQ, "n_outputs": N_OUTPUTS, "batch": BATCH, "vit": vit, "side": SIDE},
        "workers": WORKERS,
        "n_threads": n_threads,
        "cpu": on_cpu(n_threads, rounds, chosen["cpu"]),
        "gpu": on_gpu(rounds, chosen["cuda"]) if torch.cuda.is_available() else None,
    }
