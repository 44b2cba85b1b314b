"""Training step as a CUDA graph, which replaces its hundreds of kernel launches by one.

Experimental: written for GPUs, but not yet run on one by the project. On the CPU, the same step runs without a graph.
"""

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Protocol

import torch
from torch import nn

from eegwf.errors import InputError
from eegwf.training.classifier import Classifier
from eegwf.training.memory_errors import lacks_memory

# Steps before the capture, in which libraries choose their algorithms and allocate their memory.
N_WARMUP_STEPS = 3


class SteppingTrainer(Protocol):
    """What a captured step needs of a trainer; see `eegwf.training.trainer.Trainer`."""

    device: torch.device
    classifier: Classifier
    optimizer: torch.optim.Optimizer

    def resident_batch(self, order: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Read windows that are kept on the device, their classes, and their patients."""

    def step(
        self, x: torch.Tensor, target: torch.Tensor, patient: torch.Tensor, rate: float | torch.Tensor
    ) -> torch.Tensor:
        """Make an optimizer step.

        Parameters
        ----------
        x, target, patient
            Windows, their class indices, and the numbers of their patients.
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
    total
        Scalar to which the loss of each step, times the batch size, is added; None for a new one.
    """

    def __init__(self, trainer: SteppingTrainer, batch_size: int, total: torch.Tensor | None = None):
        self.trainer, self.batch_size = trainer, batch_size
        device = trainer.device
        self.total = torch.zeros((), device=device) if total is None else total
        self._order = torch.zeros(batch_size, dtype=torch.int64, device=device)
        self._rate = torch.zeros((), device=device)
        for group in trainer.optimizer.param_groups:
            if "capturable" in group:
                group["capturable"] = device.type == "cuda"
        trainer.classifier.train()
        self.stream = _capture_stream() if device.type == "cuda" else None
        with unchanged(trainer):
            self._replay = capture(self.step, self.stream) if self.stream else self._warm_up()
        self.total.zero_()

    def _warm_up(self) -> Callable[[], object]:
        for _ in range(N_WARMUP_STEPS):
            self.step()
        return self.step

    def step(self) -> None:
        """Make a step without the graph, on the windows that were last loaded."""
        batch = self.trainer.resident_batch(self._order)
        self.total += self.trainer.step(*batch, self._rate) * self.batch_size

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
    total
        Scalar on the device, to which the losses of all windows are added; a capture sets it to zero.
    """

    def __init__(self, trainer: SteppingTrainer, total: torch.Tensor):
        # Without a reference cycle, the memory of the GPU is free as soon as the training has ended.
        self.trainer: SteppingTrainer = weakref.proxy(trainer)
        self.total = total
        self._steps: dict[int, CapturedStep] = {}

    def epoch(self, parts: Sequence[torch.Tensor], rates: Sequence[float]) -> Iterator[None]:
        """Make the steps of an epoch, one for each iteration.

        Parameters
        ----------
        parts
            Positions of the windows of each batch in the training set, on the device.
        rates
            Learning rate of each step.

        Yields
        ------
        None
            After each step.

        Raises
        ------
        InputError
            If the step can't be captured. The GPU may then be unusable for this process.
        """
        for size in {len(part) for part in parts} - set(self._steps):
            self._steps[size] = CapturedStep(self.trainer, size, self.total)
        for part, rate in zip(parts, rates, strict=True):
            self._steps[len(part)].replay(part, rate)
            yield


def capturable(network: nn.Module) -> bool:
    """Whether the random draws of a network in a graph are those of ordinary steps.

    The dropout between the layers of recurrent networks has a state of its own in cuDNN, which a graph would keep.
    """
    return not any(isinstance(module, nn.RNNBase) and module.dropout for module in network.modules())


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

    Raises
    ------
    InputError
        If the function can't be captured.
    """
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(N_WARMUP_STEPS):
            step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph, stream=stream):
            step()
    except RuntimeError as error:
        if lacks_memory(error):
            raise
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"training.cuda_graph: the training step can't be captured ({reason}); set training.cuda_graph: false"
        ) from error
    torch.cuda.synchronize()
    return graph.replay


def _capture_stream() -> torch.cuda.Stream:
    """The stream of this training; the default stream can't be captured."""
    current = torch.cuda.current_stream()
    return _substitute() if current == torch.cuda.default_stream() else current


@cache
def _substitute() -> torch.cuda.Stream:
    """One stream for all captures, since memory is not reused across streams."""
    return torch.cuda.Stream()


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
