"""Training step as a CUDA graph, which replaces its hundreds of kernel launches by one.

Experimental: written for GPUs, but not yet run on one by the project. On the CPU, the same step runs without a graph.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch

from eegwf.training.classifier import Classifier

logger = logging.getLogger(__name__)

# Steps before the capture, in which libraries choose their algorithms and allocate their memory.
N_WARMUP_STEPS = 3


class SteppingTrainer(Protocol):
    """What a captured step needs of a trainer; see `eegwf.training.trainer.Trainer`."""

    device: torch.device
    classifier: Classifier
    optimizer: torch.optim.Optimizer

    def resident_batch(self, order: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Read windows that are kept on the device, and their classes."""

    def step(self, x: torch.Tensor, target: torch.Tensor, rate: float | torch.Tensor) -> torch.Tensor:
        """Make an optimizer step.

        Parameters
        ----------
        x, target
            Windows, and their class indices.
        rate
            Learning rate.

        Returns
        -------
        torch.Tensor
            Loss before the step.
        """


class CapturedStep:
    """Step of a trainer on batches of one size, whose inputs are at fixed addresses.

    Parameters
    ----------
    trainer
        Trainer with resident windows.
    batch_size
        Windows per step.
    generator
        Generator of the random draws in the graph, so that other captured steps may run in between; None for the
        default generator of the device.

    Attributes
    ----------
    total
        Sum of the losses of the windows since it was last set to zero.
    """

    def __init__(self, trainer: SteppingTrainer, batch_size: int, generator: torch.Generator | None = None):
        self.trainer, self.batch_size = trainer, batch_size
        device = trainer.device
        self.total = torch.zeros((), device=device)
        self._order = torch.zeros(batch_size, dtype=torch.int64, device=device)
        self._rate = torch.zeros((), device=device)
        for group in trainer.optimizer.param_groups:
            if "capturable" in group:
                group["capturable"] = device.type == "cuda"
        trainer.classifier.train()
        self.stream = torch.cuda.Stream() if device.type == "cuda" else None
        with _default_generator(generator), unchanged(trainer):
            self._replay = capture(self.step, self.stream) if self.stream else self._warm_up()
        self.total.zero_()

    def _warm_up(self) -> Callable[[], object]:
        for _ in range(N_WARMUP_STEPS):
            self.step()
        return self.step

    def step(self) -> None:
        """Make a step without the graph, on the windows that were last loaded."""
        x, target = self.trainer.resident_batch(self._order)
        self.total += self.trainer.step(x, target, self._rate) * self.batch_size

    def load(self, order: torch.Tensor, rate: float) -> None:
        """Set the windows and the learning rate of the next step.

        Parameters
        ----------
        order
            Positions of the windows in the training set, `(batch_size,)`, on the device.
        rate
            Learning rate.
        """
        self._order.copy_(order)
        self._rate.fill_(rate)

    def replay(self, order: torch.Tensor, rate: float) -> None:
        """Make a step with the graph.

        Parameters
        ----------
        order, rate
            As in `load`.
        """
        self.load(order, rate)
        self._replay()


class CapturedSteps:
    """Captured steps of a trainer, one for each size of a batch.

    Parameters
    ----------
    trainer
        The trainer.
    """

    def __init__(self, trainer: SteppingTrainer):
        self.trainer = trainer
        self._steps: dict[int, CapturedStep] = {}

    def prepare(self, sizes: Iterable[int]) -> bool:
        """Capture the steps for these sizes of a batch.

        Parameters
        ----------
        sizes
            Sizes of the batches of an epoch.

        Returns
        -------
        bool
            Whether all could be captured; if not, the reason is logged, and nothing has changed.
        """
        try:
            for size in set(sizes) - set(self._steps):
                self._steps[size] = CapturedStep(self.trainer, size)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self._steps.clear()
            reason = str(error).partition("\n")[0]
            logger.warning("the training step can't be captured as a CUDA graph (%s); it runs without one", reason)
            return False
        return True

    def epoch(self, parts: Iterable[torch.Tensor], rates: Iterable[float]) -> torch.Tensor:
        """Make the steps of an epoch.

        Parameters
        ----------
        parts
            Positions of the windows of each batch in the training set, on the device.
        rates
            Learning rate of each step.

        Returns
        -------
        torch.Tensor
            Sum of the losses of all windows, on the device.
        """
        for step in self._steps.values():
            step.total.zero_()
        for part, rate in zip(parts, rates, strict=True):
            self._steps[len(part)].replay(part, rate)
        return torch.stack([step.total for step in self._steps.values()]).sum()


def capture(step: Callable[[], object], stream: torch.cuda.Stream) -> Callable[[], object]:
    """Capture a function as a CUDA graph, after calls for warming up.

    Parameters
    ----------
    step
        The function.
    stream
        Stream of the warm-up and of the capture.

    Returns
    -------
    Callable
        Replays the graph.
    """
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(N_WARMUP_STEPS):
            step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        step()
    torch.cuda.synchronize()
    return graph.replay


@contextmanager
def unchanged(trainer: SteppingTrainer) -> Iterator[None]:
    """Restore weights, statistics of norms, optimizer and random state at the end of the context.

    Parameters
    ----------
    trainer
        The trainer. The tensors of its optimizer that are made in the context become zero, which equals the state
        before its first step.
    """
    on_gpu = trainer.device.type == "cuda"
    weights = {name: value.clone() for name, value in trainer.classifier.state_dict().items()}
    states = {
        id(value): value.clone()
        for state in trainer.optimizer.state.values()
        for value in state.values()
        if torch.is_tensor(value)
    }
    random = torch.cuda.get_rng_state() if on_gpu else torch.get_rng_state()
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in trainer.classifier.state_dict().items():
                value.copy_(weights[name])
            for state in trainer.optimizer.state.values():
                for value in state.values():
                    if torch.is_tensor(value):
                        value.copy_(states[id(value)]) if id(value) in states else value.zero_()
        if on_gpu:
            torch.cuda.set_rng_state(random)
        else:
            torch.set_rng_state(random)


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
