"""Concurrent trainings in one process: a GPU computes the steps of one while those of another are sent to it.

Training functions are generators, which yield when work has been sent to the device and before they wait for it. On the
CPU this has no advantage, but gives the same results.
"""

import itertools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
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
    """A training with its own random state and, on a GPU, a stream.

    Parameters
    ----------
    turns
        The training.
    device
        `cpu` or `cuda`.
    stream
        Stream of the GPU that no other training uses at the same time; None for the default stream.
    """

    def __init__(self, turns: Turns[Result], device: str, stream: torch.cuda.Stream | None = None):
        self.stream = stream
        self._turns, self._random_state = turns, RandomState(device)
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
            if self.stream:
                self._sent = self.stream.record_event()
            return False

    def close(self) -> None:
        """End the training where it yielded."""
        with self._active():
            self._turns.close()

    @contextmanager
    def _active(self) -> Iterator[None]:
        with self._random_state.active(), torch.cuda.stream(self.stream) if self.stream else nullcontext():
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
        self._running: list[ConcurrentTraining[None]] = []
        # The memory allocator reuses memory within a stream only, so the streams of ended trainings are used again.
        n_streams = limit if device == "cuda" and limit > 1 else 0
        self._streams: list[torch.cuda.Stream | None] = [torch.cuda.Stream() for _ in range(n_streams)]

    @property
    def n_running(self) -> int:
        """Number of trainings that have started and not ended."""
        return len(self._running)

    def run(self, start: Callable[[], Turns[None] | None]) -> None:
        """Run trainings until none is left to start.

        An exception of a training ends the others where they yielded.

        Parameters
        ----------
        start
            Returns the next training; None if there is none at present. It is called again after a training has ended.
        """
        none_left = False
        try:
            while True:
                turns = None if none_left or self._full() else start()
                none_left = turns is None and not self._full()
                if turns is not None:
                    training = ConcurrentTraining(turns, self.device, self._streams.pop() if self._streams else None)
                elif self._running:
                    training = self._next()
                    self._running.remove(training)
                else:
                    return
                self._running.append(training)
                self.clock.share(self.n_running)
                if training.advance():
                    self._remove(training)
                    none_left = False
        finally:
            with ExitStack() as stack:  # closes all of them, also if one raises an error
                for training in self._running:
                    stack.callback(training.close)
            self._running.clear()

    def _next(self) -> ConcurrentTraining[None]:
        """The training that waits longest of those whose work the device has finished."""
        if len(self._running) == 1:
            return self._running[0]
        return next(one for one in itertools.cycle(self._running) if one.ready)

    def _remove(self, training: ConcurrentTraining[None]) -> None:
        self._running.remove(training)
        if training.stream:
            self._streams.append(training.stream)
        self.clock.share(self.n_running)

    def _full(self) -> bool:
        return self.n_running >= (1 if self.one_at_a_time else self.limit)

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
