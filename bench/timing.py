"""Times side by side: contenders take turns, so that a machine whose speed drifts is the same to all of them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import scipy.fft
import torch


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Give torch and SciPy's FFT this many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        with scipy.fft.set_workers(number):
            yield
    finally:
        torch.set_num_threads(before)


def take_turns(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Seconds of each contender in each round, after a round that does not count.

    Parameters
    ----------
    contenders
        What to call, by name.
    rounds
        How often.
    """
    seconds = {name: np.zeros(rounds) for name in contenders}
    for turn in range(-1, rounds):
        for name, call in contenders.items():
            start = time.perf_counter()
            call()
            if turn >= 0:
                seconds[name][turn] = time.perf_counter() - start
    return seconds


def faster(seconds: dict[str, np.ndarray], name: str, than: str) -> float:
    """How many times faster `name` is: the median over the rounds of the ratio within a round."""
    return float(np.median(seconds[than] / seconds[name]))
