"""Concurrent trainings in one process: a GPU computes the steps of one while those of another are sent to it.

Training functions are generators, which yield when work has been sent to the device and before they wait for it. On the
CPU this has no advantage, but gives the same results.
"""

import itertools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import torch

from eegwf.compute.random_state import RandomState

Result = TypeVar("Result")
# A training that yields where another one may continue, and returns its result.
Turns = Generator[None, None, Result]


def run_alone(turns: Turns[Result]) -> Result:
    """Run a training to its end.

    Returns
    -------
    Result
        What it returns.
    """
    while True:
        try:
            next(turns)
        except StopIteration as end:
            return end.value


class SharedClock:
    """Time of each of several concurrent trainings: while n of them run, it advances by 1/n of the elapsed time."""

    def __init__(self) -> None:
        self._seconds, self._since, self.n_sharing = 0.0, time.monotonic(), 1

    def __call__(self) -> float:
        """Seconds since an arbitrary start."""
        return self._seconds + (time.monotonic() - self._since) / self.n_sharing

    def share(self, n_sharing: int) -> None:
        """Set the number of trainings that run from now on."""
        self._seconds, self._since = self(), time.monotonic()
        self.n_sharing = max(1, n_sharing)


class ConcurrentTraining(Generic[Result]):
    """A training with its own random state and, on a GPU, its own stream.

    Parameters
    ----------
    turns
        The training.
    device
        `cpu` or `cuda`.
    """

    def __init__(self, turns: Turns[Result], device: str):
        self._turns, self._random_state = turns, RandomState(device)
        self._stream = torch.cuda.Stream() if device == "cuda" else None
        self._sent: torch.cuda.Event | None = None

    @property
    def ready(self) -> bool:
        """Whether the device has finished the work of the last turn."""
        return self._sent is None or self._sent.query()

    def advance(self) -> bool:
        """Run until the training yields; return whether it has ended."""
        with self._active():
            try:
                next(self._turns)
            except StopIteration:
                return True
            if self._stream:
                self._sent = self._stream.record_event()
            return False

    def close(self) -> None:
        """End the training where it yielded."""
        with self._active():
            self._turns.close()

    @contextmanager
    def _active(self) -> Iterator[None]:
        with self._random_state.active(), torch.cuda.stream(self._stream):  # of None, it has no effect
            yield


class Concurrency:
    """Runs trainings, up to a number of them at once.

    Parameters
    ----------
    device
        `cpu` or `cuda`.
    limit
        Maximum number of trainings at once.

    Attributes
    ----------
    clock
        Clock by which their costs are recorded.
    one_at_a_time
        Whether no other training starts while one is running, whatever the limit.
    """

    def __init__(self, device: str, limit: int):
        self.device, self.limit, self._initial_limit = device, limit, limit
        self.clock = SharedClock()
        self.one_at_a_time = False

    @property
    def n_running(self) -> int:
        """Number of trainings that have started and not ended."""
        return self.clock.n_sharing

    def run(self, start: Callable[[], Turns[None] | None]) -> None:
        """Run trainings until none is left to start.

        An exception of a training ends the others where they yielded.

        Parameters
        ----------
        start
            Returns the next training; None if there is none at present. It is called again after a training has ended.
        """
        running: list[ConcurrentTraining[None]] = []
        none_left = False
        try:
            while True:
                turns = None if none_left or self._full(len(running)) else start()
                none_left = turns is None and not self._full(len(running))
                if turns is not None:
                    training = ConcurrentTraining(turns, self.device)
                    self.clock.share(len(running) + 1)
                elif running:
                    training = next(one for one in itertools.cycle(running) if one.ready)
                    running.remove(training)
                else:
                    return
                if training.advance():
                    self.clock.share(len(running))
                    none_left = False
                else:
                    running.append(training)
        finally:
            for training in running:
                training.close()

    def _full(self, n_running: int) -> bool:
        return n_running >= (1 if self.one_at_a_time else self.limit)

    def lower_limit(self) -> bool:
        """Run fewer trainings at once from now on, after one has had too little memory beside others.

        If it ran alone, it is too large whatever the limit, which becomes the initial one.

        Returns
        -------
        bool
            Whether other trainings were running, so that this one may be started again; False if it ran alone.
        """
        if self.n_running < 2:
            self.limit = self._initial_limit
            return False
        self.limit = min(self.limit, self.n_running - 1)
        return True
