"""What the three spectrograms share: the check of the input, blocks of bounded memory, decibels."""

from typing import Literal

import numpy as np
import torch

from eegwf.spectrograms.axes import cell_centres, check_axes, count_frames

CPU_BLOCK = 2**19
"""Floats of a block: what a core's share of the cache holds, and enough for a call to be worth its overhead."""
GPU_BLOCK = 2**26

TINY = 1e-30
"""Power that roots are taken of, at least: at 0 a root has no slope."""

Output = Literal["db", "power", "magnitude"]


class Spectrogram(torch.nn.Module):
    """Windows (batch, n_chans, n_times) in microvolts to (batch, n_chans, n_freqs, n_frames).

    Every channel of every window is transformed by itself. Floating types other than float64 are computed in float32,
    under autocast too, and whatever the module was cast to. The signals are worked off in blocks, so that memory
    beyond input and output stays bounded (while gradients are recorded, autograd keeps the blocks).

    Attributes
    ----------
    freqs : numpy.ndarray
        Frequencies of the rows in Hz, rising, shape (n_freqs,).
    times : numpy.ndarray
        Centres of the frames in seconds from the first sample, shape (n_frames,).
    hop : float
        Distance of the frames in seconds.
    floor : float
        Power added before the logarithm, in the unit of the power.
    """

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
        n_freqs: int,
        n_frames: int | None,
        hop: float | None,
        f_min: float,
        f_max: float | None,
        floor: float,
        output: Output,
        check_finite: bool,
    ):
        super().__init__()
        name = type(self).__name__.lower()
        n_frames = count_frames(name, sfreq, n_times, n_frames, hop)
        f_max = sfreq / 2 if f_max is None else f_max
        check_axes(name, sfreq, n_times, n_freqs, n_frames, f_min, f_max)
        if output not in ("db", "power", "magnitude"):
            raise ValueError(f"{name}: output {output!r} is none of 'db', 'power' and 'magnitude'")
        if not floor > 0:
            raise ValueError(f"{name}: floor {floor} is not above 0")
        self.name, self.sfreq, self.output, self.floor = name, float(sfreq), output, float(floor)
        self.n_times, self.n_freqs, self.n_frames = int(n_times), int(n_freqs), int(n_frames)
        self.f_min, self.f_max, self.check_finite = float(f_min), float(f_max), bool(check_finite)
        self.times = cell_centres(self.n_times, self.n_frames, self.sfreq)
        self.hop = self.n_times / self.n_frames / self.sfreq
        self.freqs = np.empty(0)

    def _constant(self, name: str, value: np.ndarray) -> None:
        """Keep an array in double precision; it moves with the module and is no part of its state."""
        self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value)), persistent=False)

    def _apply(self, fn, recurse: bool = True):
        """Follow a model to another device, but not to another precision: constants are cast when they are used."""
        buffers, self._buffers = self._buffers, {}
        super()._apply(fn, recurse)
        for name, buffer in buffers.items():
            self._buffers[name] = buffer.to(fn(torch.empty(0, device=buffer.device)).device)
        return self

    def _power(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        """Power of signals (n, n_times), shape (n, n_freqs, n_frames), with about `block` floats at once."""
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
            Shape (batch, n_chans, n_freqs, n_frames): 10 log10(power + floor) in dB, power, or its square root.

        Raises
        ------
        ValueError
            If `x` has other dimensions, another length, is not of a floating type, or (with `check_finite`) holds
            NaN or infinity.
        """
        self._check(x)
        if x.dtype != torch.float64:
            x = x.to(torch.float32)
        with torch.autocast(x.device.type, enabled=False):
            power = self._power(x.reshape(-1, self.n_times), CPU_BLOCK if x.device.type == "cpu" else GPU_BLOCK)
        power = power.reshape(*x.shape[:2], self.n_freqs, self.n_frames)
        if self.output == "power":
            return power
        if self.output == "magnitude":
            return power.clamp_min(TINY).sqrt()
        if power.requires_grad:
            return 10 * torch.log10(power + self.floor)
        return power.add_(self.floor).log10_().mul_(10)

    def _check(self, x: torch.Tensor) -> None:
        expected = f"(batch, n_chans, {self.n_times})"
        if not isinstance(x, torch.Tensor):
            raise TypeError(f"{self.name}: input is a {type(x).__name__}; expected a torch.Tensor {expected}")
        if x.ndim != 3 or x.shape[-1] != self.n_times:
            raise ValueError(f"{self.name}: input of shape {tuple(x.shape)}; expected {expected}")
        if not x.dtype.is_floating_point:
            raise ValueError(f"{self.name}: input of type {x.dtype}; expected microvolts as float32, such as x.float()")
        # A sum is quicker than a look at every sample, and is finite if they are (or, where it overflows, not).
        if not self.check_finite or x.sum(dtype=torch.promote_types(x.dtype, torch.float32)).isfinite():
            return
        bad = (~x.isfinite()).nonzero()
        if len(bad):
            window, channel, sample = bad[0].tolist()
            raise ValueError(
                f"{self.name}: window {window}, channel {channel} holds NaN or infinity, first at sample {sample}; "
                "expected microvolts; mend the window or leave it out"
            )
