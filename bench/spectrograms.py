"""Benchmark of the spectrograms: eegwf compared with librosa, SciPy, PyWavelets, ssqueezepy and fCWT."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from bench import peers
from bench.contenders import RIVALS, SPECTROGRAMS
from bench.exact import exact_power, noise, relative_error
from bench.process_memory import peak
from bench.shapes import N_CHANS, N_FRAMES, N_FREQS, N_TIMES
from bench.store import measure
from bench.timing import measure_in_turns, speedup, threads
from bench.transforms import SIZES, make_transform, noise_windows
from eegwf.spectrograms.cwt import CWT

BATCH = 16
"""Windows per call of eegwf, as in the workflow; the other libraries transform one window at a time."""


def transform_call(name: str, x: np.ndarray, n_threads: int | None = None) -> Callable[[], object]:
    """Make a function that transforms windows with eegwf, to decibels.

    Parameters
    ----------
    name
        `stft`, `mel` or `cwt`.
    x
        Windows in microvolts, shape (n_windows, n_chans, n_times).
    n_threads
        Number of threads that transform batches concurrently, as in the workflow; None transforms all windows in one
        call.

    Returns
    -------
    Callable
        Function without arguments.
    """
    module, signals = make_transform(name), torch.from_numpy(x)

    def transform(batch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return module(batch)

    if n_threads is None:
        return lambda: transform(signals)
    pool = ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,))
    return lambda: list(pool.map(transform, signals.split(BATCH)))


def contenders(x: np.ndarray) -> dict[str, Callable[[], object]]:
    """Functions that transform all windows with eegwf, and the first window with the other libraries, by name."""
    window = x[0]
    calls = {f"eegwf {name}": transform_call(name, x) for name in SPECTROGRAMS}
    calls |= {
        "SciPy ShortTimeFFT": lambda: peers.scipy_stft(window),
        "librosa melspectrogram": lambda: peers.librosa_mel(window),
        "PyWavelets, float32": lambda: peers.pywavelets(window),
        "PyWavelets, float64": lambda: peers.pywavelets(window.astype(np.float64)),
        "PyWavelets, float64, one call per channel": lambda: peers.pywavelets_by_channel(window.astype(np.float64)),
        "ssqueezepy": lambda: peers.ssqueeze(window),
    }
    if fcwt := peers.fcwt_or_none():
        calls["fCWT"] = lambda: fcwt(window)
    return calls


def speeds(n_threads: int, rounds: int) -> dict[str, dict[str, float | None]]:
    """Measure every contender.

    Parameters
    ----------
    n_threads
        Number of threads of torch and of SciPy's FFT.
    rounds
        Number of rounds.

    Returns
    -------
    dict of str to dict
        Windows per second, and how many times faster eegwf is, by contender.
    """
    figures: dict[str, dict[str, float | None]] = {}
    for name in SPECTROGRAMS:
        batch_call = f"eegwf {name}"
        window_call = f"{batch_call}, one window per call"
        calls = contenders(noise_windows(BATCH))
        calls = {batch_call: calls[batch_call], window_call: transform_call(name, noise_windows(1))} | {
            rival: calls[rival] for rival in RIVALS[name] if rival in calls
        }
        with threads(n_threads):
            seconds = measure_in_turns(calls, rounds)
        seconds[batch_call] = seconds[batch_call] / BATCH
        for call, times in seconds.items():
            is_rival = call not in (batch_call, window_call)
            figures[call] = {
                "windows_per_second": 1 / float(np.median(times)),
                "ours_faster": speedup(seconds, batch_call, call) if is_rival else None,
                "ours_single_faster": speedup(seconds, window_call, call) if is_rival else None,
            }
    return figures


def scaling(n_threads: int, rounds: int) -> dict[str, float]:
    """Measure how many times faster several threads are than one, with concurrent batches.

    Parameters
    ----------
    n_threads
        Number of threads.
    rounds
        Number of rounds.

    Returns
    -------
    dict of str to float
        The ratio for each transform.
    """
    ratios = {}
    for name in SPECTROGRAMS:
        x = noise_windows(2 * n_threads * BATCH)
        with threads(1):
            calls = {"one": transform_call(name, x, 1), "all": transform_call(name, x, n_threads)}
            seconds = measure_in_turns(calls, rounds)
        ratios[name] = speedup(seconds, "all", "one")
    return ratios


def accuracy() -> dict[str, dict[str, float]]:
    """Error of the pooled magnitude, compared with the exact transform in double precision."""
    default = CWT(**SIZES, output="magnitude")
    precise = CWT(**SIZES, output="magnitude", tolerance=0.001)
    figures = {}
    for name, color in (("white noise", 0.0), ("1/f noise", 1.0), ("1/f^2 noise", 2.0)):
        x = noise(color, (N_CHANS, N_TIMES), seed=1)
        expected = np.sqrt(exact_power(x, default))
        levels = [layer(torch.from_numpy(x).float()[None])[0].numpy() for layer in (default, precise)]
        decibels = np.abs(20 * np.log10(levels[0] / expected))
        figures[name] = {
            "error": relative_error(levels[0], expected),
            "error_at_tolerance_0.001": relative_error(levels[1], expected),
            "median_db": float(np.median(decibels)),
            "p99_db": float(np.quantile(decibels, 0.99)),
        }
    return figures


def on_gpu(rounds: int) -> dict[str, dict[str, float]]:
    """Windows per second on the GPU, synchronized, and the fraction of the memory bandwidth that they need.

    The minimum traffic is the input once and the output once; the bandwidth is that of a copy on the device.
    """
    source = torch.empty(2**28, device="cuda")
    target = torch.empty_like(source)

    def copy() -> None:
        target.copy_(source)
        torch.cuda.synchronize()

    bandwidth = 2 * source.nbytes / float(np.median(measure_in_turns({"copy": copy}, rounds)["copy"]))
    count, figures = 512, {}
    x = torch.from_numpy(noise_windows(count)).cuda()
    for name in SPECTROGRAMS:
        module = make_transform(name, check_finite=False).cuda()

        def call(module: torch.nn.Module = module) -> None:
            with torch.inference_mode():
                module(x)
            torch.cuda.synchronize()

        per_second = count / float(np.median(measure_in_turns({name: call}, rounds)[name]))
        minimum_bytes = 4 * N_CHANS * (N_TIMES + N_FREQS * N_FRAMES)
        figures[name] = {
            "windows_per_second": per_second,
            "bandwidth_share": per_second * minimum_bytes / bandwidth,
        }
    return figures


def measure_all(n_threads: int, rounds: int = 9, hours: float = 20.0) -> dict[str, Any]:
    """Run all measurements of spectrograms.

    Parameters
    ----------
    n_threads
        Maximum number of threads.
    rounds
        Number of rounds of each comparison.
    hours
        Hours of recordings that are written to disk.

    Returns
    -------
    dict
        Figures for benchmarks.json.
    """
    print("spectrograms: speed", flush=True)
    figures: dict[str, Any] = {
        "one_thread": speeds(1, rounds),
        "all_threads": speeds(n_threads, rounds),
        "n_threads": n_threads,
    }
    figures["scaling"] = scaling(n_threads, rounds)
    print("spectrograms: accuracy", flush=True)
    figures["accuracy"] = accuracy()
    print("spectrograms: memory", flush=True)
    figures["peak_mib"] = {name: peak(name) for name in contenders(noise_windows(1))}
    print(f"spectrograms: {hours:g} hours of recordings", flush=True)
    figures["store"] = {
        name: {f"{length:g} h": measure(name, length, n_threads) for length in (hours / 4, hours)}
        for name in SPECTROGRAMS
    }
    figures["gpu"] = None
    if torch.cuda.is_available():
        figures["gpu"] = on_gpu(rounds)
        figures["gpu_store"] = {name: measure(name, hours, 3, "cuda") for name in SPECTROGRAMS}
    return figures
