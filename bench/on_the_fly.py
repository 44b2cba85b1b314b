"""Spectrograms that are computed while a model is trained, beside stored ones: `python -m bench.on_the_fly`.

The windows and grids are those of `config/full.yaml`: 20 channels, 20 s at 256 Hz, 100 x 100. Rates are in windows per
second of processor time on one core, so that other processes of the machine matter little.

The corpus of the given number of hours is a sparse file: it has the size, the shape and the header of a real
`windows.npy`, but only some of its windows are noise, and the others are zeros that are on no disk. Reading in the
order of an epoch, memory and computation are therefore real, and the time of reading from a disk is not measured.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.process_memory import reset_peak, resident
from bench.shapes import N_CHANS, N_TIMES, SFREQ, WINDOW_SECONDS
from bench.study import BATCH, VIT, trainer
from bench.timing import threads
from eegwf.config.load import load_study
from eegwf.config.spectrograms import InputGrids
from eegwf.provenance.git import ROOT
from eegwf.spectrograms.store import write_spectrogram
from eegwf.spectrograms.window_file import WindowFile
from eegwf.storage.files import read_array, write_json
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.computed_dataset import ComputedDataset
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Trainer

CH_NAMES = [f"channel {number}" for number in range(N_CHANS)]
NAMES = ("mel", "stft", "cwt", "concat")
N_NOISE = 64
N_READ = 20_000
LAPTOP_VIT = {"patch_freqs": 20, "patch_times": 20, "width": 64, "depth": 2, "heads": 4}
MODELS: dict[str, dict[str, Any]] = {"a small ViT": LAPTOP_VIT, "the ViT of the published notebooks": VIT}


def write_corpus(folder: Path, n_windows: int) -> None:
    """Write a sparse `windows.npy` and its description.

    Parameters
    ----------
    folder
        Folder of the files.
    n_windows
        Number of windows, of which `N_NOISE` are noise.
    """
    windows = np.lib.format.open_memmap(folder / "windows.npy", "w+", np.float16, (n_windows, N_CHANS, N_TIMES))
    rng = np.random.default_rng(0)
    for row in np.linspace(0, n_windows - 1, min(N_NOISE, n_windows), dtype=int):
        windows[row] = 30 * rng.standard_normal((N_CHANS, N_TIMES), np.float32)
    windows.flush()
    axes = {"ch_names": CH_NAMES, "sfreq": SFREQ, "n_times": N_TIMES, "sha256": "0" * 64}
    write_json(folder / "windows.json", axes)


def rate(call: Callable[[], object], n_windows: int, rounds: int) -> float:
    """Windows per second of processor time, in the fastest round after one for warming up.

    Parameters
    ----------
    call
        Processes the windows.
    n_windows
        Number of windows of a call.
    rounds
        Number of measured rounds.

    Returns
    -------
    float
        The rate.
    """
    seconds = []
    for _ in range(rounds + 1):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return n_windows / min(seconds[1:])


def steps_call(training: Trainer, parts: Sequence[np.ndarray]) -> Callable[[], object]:
    """Function that makes a training step on each array of rows.

    Parameters
    ----------
    training
        Trainer of all windows of a loader.
    parts
        Rows of each batch.

    Returns
    -------
    Callable
        The function.
    """

    def call() -> None:
        for x, target, patient in training.batches(parts):
            training.step(x, target, patient, 1e-4)

    return call


def grids_of(name: str) -> InputGrids:
    """Grids of an input in `config/full.yaml`."""
    study = load_study(ROOT / "config/config.yaml", [ROOT / "config/full.yaml"], {})
    return study.spectrograms.grids(name)


def measure_rates(folder: Path, rounds: int) -> dict[str, float]:
    """Print the rates of input and training with stored and with computed spectrograms.

    Parameters
    ----------
    folder
        Folder of the files.
    rounds
        Rounds of each measurement.

    Returns
    -------
    dict
        Windows per second of a training of the small ViT on computed spectrograms, by input.
    """
    write_corpus(folder, N_NOISE)
    file = WindowFile.open(folder / "windows.npy", SFREQ, CH_NAMES)
    for member, grid in grids_of("concat").by_name.items():
        write_spectrogram(member, grid, file, folder / f"{member}.npy", folder / f"{member}.json", folder / member)
    rows, found = np.random.default_rng(1).permutation(N_NOISE), {}
    parts = np.split(rows, N_NOISE // BATCH)
    for name in NAMES:
        datasets = {
            "stored": SpectrogramDataset([folder / f"{member}.npy" for member in grids_of(name).by_name]),
            "on the fly": ComputedDataset(folder / "windows.npy", grids_of(name)),
        }
        for kind, dataset in datasets.items():
            loader = BatchLoader(dataset, rows, "cpu")
            rates = {"input": rate(lambda loader=loader: list(loader.stream(parts)), N_NOISE, rounds)}  # type: ignore[misc]
            for model, parameters in MODELS.items():
                training = trainer("vit", loader, parameters, batch_size=BATCH)
                rates[model] = rate(steps_call(training, parts), N_NOISE, rounds)
            print(f"{name}, {kind}: " + "; ".join(f"{what} {value:.0f}/s" for what, value in rates.items()), flush=True)
            found[name] = rates["a small ViT"]
    return found


def measure_corpus(folder: Path, hours: float, rates: dict[str, float]) -> None:
    """Print memory, disk and time of an epoch for a corpus of this duration.

    Parameters
    ----------
    folder
        Folder of the files.
    hours
        Duration of the recordings.
    rates
        Windows per second of a training, by input.
    """
    n_windows = int(hours * 3600 / WINDOW_SECONDS)
    write_corpus(folder, n_windows)
    array, dataset = folder / "windows.npy", ComputedDataset(folder / "windows.npy", grids_of("mel"))
    used = 512 * array.stat().st_blocks / 1e9
    print(f"{hours:g} h: {n_windows} windows, windows.npy of {array.stat().st_size / 1e9:.1f} GB, {used:.2f} GB used")
    order = np.random.default_rng(2).permutation(n_windows)[: min(N_READ, n_windows)]
    parts = np.array_split(order, -(-len(order) // BATCH))
    mapped = read_array(array)
    loader = BatchLoader(dataset, np.sort(order), "cpu")
    readers: dict[str, Callable[[], object]] = {
        "computed dataset": lambda: [dataset.stored(part).shape for part in parts],
        "a training step's input": lambda: [x.shape for x in loader.stream(parts[:10])],
        "memory map": lambda: [mapped[part].shape for part in parts],
    }
    for reader, call in readers.items():
        reset_peak()
        before = resident("VmRSS")
        call()
        print(f"{reader}: peak memory {resident('VmHWM') - before:.0f} MiB beyond the {before:.0f} MiB before")
    for name in NAMES:
        values = sum(N_CHANS * grid.n_freqs * grid.n_frames for grid in grids_of(name).by_name.values())
        print(
            f"{name}: stored spectrograms would need {2 * values * n_windows / 1e9:.0f} GB; an epoch of all windows at "
            f"{rates[name]:.0f}/s would take {n_windows / rates[name] / 60:.0f} minutes on one core"
        )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.on_the_fly", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement")
    parser.add_argument("--hours", type=float, default=1000.0, help="duration of the simulated corpus")
    arguments = parser.parse_args()
    with threads(1), tempfile.TemporaryDirectory() as folder, torch.random.fork_rng():
        rates = measure_rates(Path(folder), arguments.rounds)
        measure_corpus(Path(folder), arguments.hours, rates)


if __name__ == "__main__":
    main()
