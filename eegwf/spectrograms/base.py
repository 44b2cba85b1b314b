"""Base classes of the spectrograms: input validation, processing in blocks of bounded memory, output units."""

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
import torch

from eegwf.spectrograms.axes import cell_centers, central_samples, check_axes, count_frames

CPU_BLOCK = 2**19
"""Floats of a block on the CPU: small enough for one core's share of the cache, large enough that the overhead of a
call is negligible."""
GPU_BLOCK = 2**26

TINY = 1e-30
"""Lower limit of the power before a square root is taken, since the derivative of the root is infinite at 0."""

Output = Literal["db", "power", "magnitude"]


class Spectrogram(torch.nn.Module):
    """Transform of windows (batch, n_chans, n_times) in microvolts to (batch, n_chans, n_freqs, n_frames).

    Every channel of every window is transformed independently. Input in float64 is computed in float64; all other
    floating types are computed in float32, also under autocast and after the module was cast to another type. The
    signals are processed in blocks, so that the memory needed beyond input and output is bounded (while gradients are
    recorded, autograd keeps the intermediate results of all blocks).

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of a window, with its context.
    span
        Seconds in the middle of it that are transformed; None for all.
    n_freqs, n_frames
        Rows and columns of the result; 100 columns if neither `n_frames` nor `hop` is given.
    hop
        Distance between columns in seconds, instead of `n_frames`; the span must be a multiple of it.
    f_min, f_max
        Lowest and highest frequency in Hz; `f_max` None means half of the sampling rate.
    floor
        Power that is added, so that a signal of zeros has a defined value.
    check_finite
        Whether to refuse NaN and infinity.

    Attributes
    ----------
    n_input, n_times : int
        Number of samples of a window, and of its middle, which is transformed.
    freqs : numpy.ndarray
        Frequencies of the rows in Hz, increasing, shape (n_freqs,).
    times : numpy.ndarray
        Centers of the frames in seconds from the first sample, shape (n_frames,).
    hop : float
        Distance between frames in seconds.
    floor : float
        Power that is added.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
        span: float | None,
        n_freqs: int,
        n_frames: int | None,
        hop: float | None,
        f_min: float,
        f_max: float | None,
        floor: float,
        check_finite: bool,
    ):
        super().__init__()
        name = type(self).__name__.lower()
        n_input = n_times
        first, n_times = central_samples(name, sfreq, n_times, span)
        n_frames = count_frames(name, sfreq, n_times, n_frames, hop)
        f_max = sfreq / 2 if f_max is None else f_max
        check_axes(name, sfreq, n_times, n_freqs, n_frames, f_min, f_max)
        if not floor > 0:
            raise ValueError(f"{name}: floor is {floor}; expected a power above 0")
        self.name, self.sfreq, self.floor = name, float(sfreq), float(floor)
        self.n_input, self._first, self.n_times = int(n_input), first, int(n_times)
        self.n_freqs, self.n_frames = int(n_freqs), int(n_frames)
        self.f_min, self.f_max, self.check_finite = float(f_min), float(f_max), bool(check_finite)
        self.times = cell_centers(self.n_times, self.n_frames, self.sfreq) + first / self.sfreq
        self.hop = self.n_times / self.n_frames / self.sfreq
        self.freqs = np.empty(0)

    def _constant(self, name: str, value: np.ndarray) -> None:
        """Register an array as a buffer in double precision, which is not part of the state dictionary."""
        self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value)), persistent=False)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Self:
        """Move the buffers to the device of `fn`, but keep their precision; they are cast when they are used."""
        buffers, self._buffers = self._buffers, {}
        super()._apply(fn, recurse)
        for name, buffer in buffers.items():
            if buffer is not None:
                self._buffers[name] = buffer.to(fn(torch.empty(0, device=buffer.device)).device)
        return self

    def _transform(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        """Result for signals (n, n_times), shape (n, n_freqs, n_frames), computed in blocks of about `block` floats."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Transform windows.

        Parameters
        ----------
        x
            Microvolts, shape (batch, n_chans, n_times), of a floating type.

        Returns
        -------
        torch.Tensor
            Shape (batch, n_chans, n_freqs, n_frames), in the unit of the transform.

        Raises
        ------
        TypeError
            If `x` is not a tensor.
        ValueError
            If `x` has other dimensions or another length, is not of a floating type, or (with `check_finite`)
            contains NaN or infinity.
        """
        self._check(x)
        if x.dtype != torch.float64:
            x = x.to(torch.float32)
        with torch.autocast(x.device.type, enabled=False):
            signals = x[..., self._first : self._first + self.n_times].reshape(-1, self.n_times)
            block = CPU_BLOCK if x.device.type == "cpu" else GPU_BLOCK
            # Some versions of MKL refuse transforms of no signals.
            values = self._transform(signals, block) if len(signals) else x.new_zeros(0, self.n_freqs, self.n_frames)
        return values.reshape(*x.shape[:2], self.n_freqs, self.n_frames)

    def _check(self, x: Any) -> None:
        expected = f"(batch, n_chans, {self.n_input})"
        if not isinstance(x, torch.Tensor):
            raise TypeError(f"{self.name}: input is a {type(x).__name__}; expected a torch.Tensor {expected}")
        if x.ndim != 3 or x.shape[-1] != self.n_input:
            raise ValueError(f"{self.name}: input of shape {tuple(x.shape)}; expected {expected}")
        if not x.dtype.is_floating_point:
            raise ValueError(f"{self.name}: input of type {x.dtype}; expected microvolts as float32, such as x.float()")
        # The sum is faster than a test of every sample. It is finite only if all samples are; it can overflow although
        # they are, so a sum that is not finite is followed by the test of every sample.
        if not self.check_finite or x.sum(dtype=torch.promote_types(x.dtype, torch.float32)).isfinite():
            return
        invalid = (~x.isfinite()).nonzero()
        if len(invalid):
            window, channel, sample = invalid[0].tolist()
            raise ValueError(
                f"{self.name}: window {window}, channel {channel} contains NaN or infinity, first at sample {sample}; "
                "expected microvolts; correct the window or remove it"
            )


class PowerSpectrogram(Spectrogram):
    """Spectrogram of power, returned in dB, as power or as magnitude.

    Parameters
    ----------
    output
        "db": 10 log10(power + floor); "power"; "magnitude": the square root of the power.
    **parameters
        As in `Spectrogram`; `floor` is in the unit of the power.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    def __init__(self, *, output: Output, **parameters: Any):
        super().__init__(**parameters)
        if output not in ("db", "power", "magnitude"):
            raise ValueError(f"{self.name}: output is {output!r}; expected 'db', 'power' or 'magnitude'")
        self.output = output

    def _power(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        """Power of signals (n, n_times), shape (n, n_freqs, n_frames), computed in blocks of about `block` floats."""
        raise NotImplementedError

    def _transform(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        power = self._power(signals, block)
        if self.output == "power":
            return power
        if self.output == "magnitude":
            return power.clamp_min(TINY).sqrt()
        if power.requires_grad:
            return 10 * torch.log10(power + self.floor)
        return power.add_(self.floor).log10_().mul_(10)
