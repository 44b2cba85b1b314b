"""Spectrograms: ours beside librosa, SciPy, PyWavelets, ssqueezepy and fCWT, in one run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from bench import peers
from bench.exact import exact_power, noise, relative_error
from bench.memory import peak
from bench.store import measure
from bench.timing import faster, take_turns, threads
from eegwf.spectrograms.cwt import CWT
from eegwf.spectrograms.mel import Mel
from eegwf.spectrograms.stft import STFT

BATCH = 16
"""Windows that ours gets at once, as in the workflow; the others take one window at a time."""
SIZES = {"sfreq": peers.SFREQ, "n_times": peers.N_TIMES, "n_freqs": peers.N_FREQS, "n_frames": peers.N_FRAMES}
OURS = {"stft": STFT, "mel": Mel, "cwt": CWT}
RIVALS = {
    "stft": ["SciPy ShortTimeFFT"],
    "mel": ["librosa melspectrogram"],
    "cwt": [
        "PyWavelets, float32",
        "PyWavelets, float64",
        "PyWavelets, float64, a call a channel",
        "ssqueezepy",
        "fCWT",
    ],
}


def windows(count: int) -> np.ndarray:
    """White noise of 30 uV, float32 (count, n_chans, n_times)."""
    shape = (count, peers.N_CHANS, peers.N_TIMES)
    return np.random.default_rng(0).normal(0, 30, shape).astype(np.float32)


def ours(name: str, x: np.ndarray, n_threads: int | None = None) -> Callable[[], object]:
    """Our transform in dB; with `n_threads`, batches side by side, as the workflow has them."""
    module, signals = OURS[name](**SIZES), torch.from_numpy(x)

    def one(signals: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return module(signals)

    if n_threads is None:
        return lambda: one(signals)
    pool = ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,))
    return lambda: list(pool.map(one, signals.split(BATCH)))


def contenders(x: np.ndarray) -> dict[str, Callable[[], object]]:
    """Ours, and the others on the first window, by name."""
    window = x[0]
    calls = {f"eegwf {name}": ours(name, x) for name in OURS}
    calls |= {
        "SciPy ShortTimeFFT": lambda: peers.scipy_stft(window),
        "librosa melspectrogram": lambda: peers.librosa_mel(window),
        "PyWavelets, float32": lambda: peers.pywavelets(window),
        "PyWavelets, float64": lambda: peers.pywavelets(window.astype(np.float64)),
        "PyWavelets, float64, a call a channel": lambda: peers.pywavelets_by_channel(window.astype(np.float64)),
        "ssqueezepy": lambda: peers.ssqueeze(window),
    }
    if fcwt := peers.fcwt_or_none():
        calls["fCWT"] = lambda: fcwt(window)
    return calls


def speeds(n_threads: int, rounds: int) -> dict[str, dict]:
    """Windows a second of every contender, and how many times faster ours is, on so many threads."""
    found = {}
    for name in OURS:
        mine = f"eegwf {name}"
        single = f"{mine}, one window a call"
        calls = contenders(windows(BATCH))
        calls = {mine: calls[mine], single: ours(name, windows(1))} | {
            rival: calls[rival] for rival in RIVALS[name] if rival in calls
        }
        with threads(n_threads):
            seconds = take_turns(calls, rounds)
        seconds[mine] = seconds[mine] / BATCH
        for call, times in seconds.items():
            found[call] = {
                "windows_per_second": 1 / float(np.median(times)),
                "ours_faster": None if call in (mine, single) else faster(seconds, mine, call),
                "ours_single_faster": None if call in (mine, single) else faster(seconds, single, call),
            }
    return found


def scaling(n_threads: int, rounds: int) -> dict[str, float]:
    """How many times faster `n_threads` are than one, batches side by side."""
    found = {}
    for name in OURS:
        x = windows(2 * n_threads * BATCH)
        with threads(1):
            seconds = take_turns({"one": ours(name, x, 1), "all": ours(name, x, n_threads)}, rounds)
        found[name] = faster(seconds, "all", "one")
    return found


def accuracy() -> dict[str, dict[str, float]]:
    """Error of the pooled magnitude against the exact transform in double precision."""
    module = CWT(**SIZES, output="magnitude")
    double = CWT(**SIZES, output="magnitude", tolerance=0.001)
    found = {}
    for name, colour in (("white noise", 0.0), ("1/f noise", 1.0), ("1/f^2 noise", 2.0)):
        x = noise(colour, (peers.N_CHANS, peers.N_TIMES), seed=1)
        expected = np.sqrt(exact_power(x, module))
        levels = [layer(torch.from_numpy(x).float()[None])[0].numpy() for layer in (module, double)]
        decibels = np.abs(20 * np.log10(levels[0] / expected))
        found[name] = {
            "error": relative_error(levels[0], expected),
            "error_at_tolerance_0.001": relative_error(levels[1], expected),
            "median_db": float(np.median(decibels)),
            "p99_db": float(np.quantile(decibels, 0.99)),
        }
    return found


def on_gpu(rounds: int) -> dict[str, dict[str, float]]:
    """Windows a second of ours on the GPU, synchronised, and the share of the memory bandwidth.

    The least that must move is the input once and the output once; the bandwidth is that of a copy on the device.
    """
    big = torch.empty(2**28, device="cuda")
    other = torch.empty_like(big)
    copies = take_turns({"copy": lambda: (other.copy_(big), torch.cuda.synchronize())}, rounds)["copy"]
    bandwidth = 2 * big.nbytes / float(np.median(copies))
    count, found = 512, {}
    x = torch.from_numpy(windows(count)).cuda()
    for name, transform in OURS.items():
        module = transform(**SIZES, check_finite=False).cuda()

        def call(module=module) -> None:
            with torch.inference_mode():
                module(x)
            torch.cuda.synchronize()

        per_second = count / float(np.median(take_turns({name: call}, rounds)[name]))
        least = 4 * peers.N_CHANS * (peers.N_TIMES + peers.N_FREQS * peers.N_FRAMES)
        found[name] = {"windows_per_second": per_second, "bandwidth_share": per_second * least / bandwidth}
    return found


def measure_all(n_threads: int, rounds: int = 9, hours: float = 20.0) -> dict:
    """Everything there is to say about spectrograms, as JSON-able values."""
    print("spectrograms: speed", flush=True)
    found = {"one_thread": speeds(1, rounds), "all_threads": speeds(n_threads, rounds), "n_threads": n_threads}
    found["scaling"] = scaling(n_threads, rounds)
    print("spectrograms: accuracy", flush=True)
    found["accuracy"] = accuracy()
    print("spectrograms: memory", flush=True)
    found["peak_mib"] = {name: peak(name) for name in contenders(windows(1))}
    print(f"spectrograms: {hours:g} hours of recordings", flush=True)
    found["store"] = {
        name: {f"{length:g} h": measure(name, length, n_threads) for length in (hours / 4, hours)} for name in OURS
    }
    found["gpu"] = None
    if torch.cuda.is_available():
        found["gpu"] = on_gpu(rounds)
        found["gpu_store"] = {name: measure(name, hours, 3, "cuda") for name in OURS}
    return found
