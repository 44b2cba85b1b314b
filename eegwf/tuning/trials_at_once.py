"""Number of trials that a worker runs at once on its GPU, measured if it is configured as `auto`.

Experimental: written for GPUs, but not yet run on one by the project.
"""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from eegwf.compute.device import device_name
from eegwf.data.splits import split
from eegwf.errors import InputError
from eegwf.models.registry import entry_of
from eegwf.seeds import seed_of
from eegwf.storage.files import read_json, write_json
from eegwf.training.concurrency import ConcurrentTraining, Turns
from eegwf.training.loop import TrainingResult, training_turns
from eegwf.training.trainer import Diverged
from eegwf.tuning.failures import caused_by_parameters
from eegwf.tuning.proposals import draw, make_sampler, starting_set
from eegwf.tuning.task import TuningTask

logger = logging.getLogger(__name__)

CANDIDATES = (1, 2, 4, 8, 16)
# More trials at once are tried as long as each doubling increases their throughput by this factor.
MIN_GAIN = 1.05
# Turns of each training before and during a measurement; an epoch takes one or more.
N_WARMUP_TURNS, N_MEASURED_TURNS = 2, 6
# Names of the devices on which the number was measured, and the numbers.
FILE = "trials_per_gpu.json"


def trials_at_once(task: TuningTask, folder: Path) -> int:
    """Number of trials that a worker runs at once.

    Parameters
    ----------
    task
        Model, data and settings.
    folder
        State folder, in which a measured number is kept.

    Returns
    -------
    int
        `tuning.trials_per_gpu`; 1 on the CPU. If it is `auto`, it is measured once for each model of GPU, with copies
        of the first trial.
    """
    configured = task.tuning.trials_per_gpu
    if task.device == "cpu":
        return 1
    if configured != "auto":
        return configured
    return measured_number(task, folder)


def measured_number(task: TuningTask, folder: Path) -> int:
    """Number of trials at once with the highest throughput, measured unless the folder has it for this device.

    Parameters
    ----------
    task, folder
        As in `trials_at_once`.

    Returns
    -------
    int
        One of `CANDIDATES`.
    """
    device, path = device_name(task.device), folder / FILE
    known = _read(path)
    if device not in known:
        seed = seed_of(task.seed, task.name, "trials at once") % 2**32
        given = starting_set(task.model, task.space, task.training, 0)
        parameters = task.space.fixed | draw([], make_sampler(task.tuning, seed), task.space, given)
        if not entry_of(task.model, parameters).gradient_trained:
            return 1
        parts = split(task.window_set, task.test_fold, 1)

        def start() -> Turns[TrainingResult]:
            return training_turns(
                task.model,
                task.dataset,
                parts,
                parameters,
                task.training,
                seed=seed,
                device=task.device,
                initial=task.initial,
            )

        # Kept before the next one is tried, which may end this process.
        for number in good_numbers(lambda number: throughput(start, number, task.device)):
            known[device] = number
            write_json(path, known)
    number = known.get(device, 1)
    logger.info("%s: %d trials at once on %s", task.name, number, device)
    return number


def _read(path: Path) -> dict[str, int]:
    """Numbers by device that were measured before; empty without a valid file."""
    try:
        known = read_json(path)
    except (InputError, OSError):
        return {}
    return {key: value for key, value in known.items() if value in CANDIDATES} if isinstance(known, dict) else {}


def good_numbers(throughput_of: Callable[[int], float]) -> Iterator[int]:
    """Try `CANDIDATES` until one does not increase the throughput, or fails.

    Parameters
    ----------
    throughput_of
        Throughput of a number of trials at once.

    Yields
    ------
    int
        Each number that increased the throughput; none if a trial fails alone.
    """
    highest = 0.0
    for number in CANDIDATES:
        try:
            rate = throughput_of(number)
        except (Diverged, MemoryError, RuntimeError, ValueError) as error:
            if not caused_by_parameters(error):
                raise
            logger.info("%d trials at once: %s", number, " ".join(str(error).split()))
            return
        logger.info("%d trials at once: %.1f turns/s", number, rate)
        if rate < MIN_GAIN * highest:
            return
        yield number
        highest = rate


def throughput(start: Callable[[], Turns[TrainingResult]], number: int, device: str) -> float:
    """Turns per second of copies of a training that run at once.

    Parameters
    ----------
    start
        Starts a copy.
    number
        Number of copies.
    device
        `cpu` or `cuda`.

    Returns
    -------
    float
        Turns per second of all copies.
    """
    streams = [torch.cuda.Stream() if device == "cuda" else None for _ in range(number)]
    trainings = [ConcurrentTraining(start(), device, stream) for stream in streams]
    try:
        for n_turns in (N_WARMUP_TURNS, N_MEASURED_TURNS):
            started = time.monotonic()
            for _ in range(n_turns):
                for position, training in enumerate(trainings):
                    if training.advance():
                        trainings[position] = ConcurrentTraining(start(), device, streams[position])
            if device == "cuda":
                torch.cuda.synchronize()
        return number * n_turns / (time.monotonic() - started)
    finally:
        for training in trainings:
            training.close()
