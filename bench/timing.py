"""Timing of several functions in turns, so that a change of the machine's speed affects all of them equally."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import scipy.fft
import torch


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Set the number of threads of torch and of SciPy's FFT within the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        with scipy.fft.set_workers(number):
            yield
    finally:
        torch.set_num_threads(before)


def measure_in_turns(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Measure the seconds of each contender in each round, after one round for warming up.

    Parameters
    ----------
    contenders
        Functions to call, by name.
    rounds
        Number of measured rounds.

    Returns
    -------
    dict of str to numpy.ndarray
        Seconds of each round, shape (rounds,), by name.
    """
    seconds = {name: np.zeros(rounds) for name in contenders}
    for turn in range(-1, rounds):
        for name, call in contenders.items():
            start = time.perf_counter()
            call()
            if turn >= 0:
                seconds[name][turn] = time.perf_counter() - start
    return seconds


def speedup(seconds: Mapping[str, np.ndarray], name: str, reference: str) -> float:
    """Speed of a contender relative to another one.

    Parameters
    ----------
    seconds
        Seconds of each round by contender, as `measure_in_turns` returns them.
    name
        The contender.
    reference
        The contender that it is compared with.

    Returns
    -------
    float
        Median over the rounds of the ratio within a round.
    """
    return float(np.median(seconds[reference] / seconds[name]))
