"""Random state of one of several trainings that run concurrently in a process."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class RandomState:
    """State of torch's default generators that is in effect during a `with` block.

    Parameters
    ----------
    device
        `cpu` or `cuda`. CUDA graphs that are captured in the block draw from this state, also when they are replayed
        outside it.
    """

    def __init__(self, device: str):
        if device == "cuda":
            torch.cuda.init()  # without it, there are no default generators yet
        self._cpu = torch.get_rng_state()
        self._gpu = torch.Generator(device) if device == "cuda" else None

    @contextmanager
    def active(self) -> Iterator[None]:
        """Let the default generators use this state within the context."""
        former = torch.get_rng_state()
        torch.set_rng_state(self._cpu)
        try:
            with _default_generator(self._gpu):
                yield
        finally:
            self._cpu = torch.get_rng_state()
            torch.set_rng_state(former)


@contextmanager
def _default_generator(generator: torch.Generator | None) -> Iterator[None]:
    """Let the default generator of the GPU use the state of another one within the context."""
    if generator is None:
        yield
        return
    default = torch.cuda.default_generators[torch.cuda.current_device()]
    former = default.graphsafe_get_state()
    default.graphsafe_set_state(generator.graphsafe_get_state())
    try:
        yield
    finally:
        default.graphsafe_set_state(former)
