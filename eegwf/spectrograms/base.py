"""What the three spectrograms share: the check of the input, blocks of bounded memory, decibels."""

from typing import Literal

import numpy as np
import torch

from eegwf.spectrograms.axes import cell_centres, check_axes

CPU_BLOCK = 2**18
"""Floats of a block: about what a core's cache holds."""
GPU_BLOCK = 2**26


class Spectrogram(torch.nn.Module):
    """Windows (batch, n_chans, n_times) in microvolts to (batch, n_chans, n_freqs, n_frames).

    Every channel of every window is transformed by itself. Floating types other than float64 are computed
    in float32. The signals are worked off in blocks, so that memory beyond input and output stays bounded
    (while gradients are recorded, autograd keeps the blocks).

    Attributes
    ----------
    freqs : numpy.ndarray
        Frequencies of the rows in Hz, rising, shape (n_freqs,).
    times : numpy.ndarray
        Centres of the frames in seconds from the first sample, shape (n_frames,).
    floor : float
        Power added before the logarithm, in the unit of the power.
    """

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
        n_freqs: int,
        n_frames: int,
        f_min: float,
        f_max: float,
        floor: float,
        output: Literal["db", "power"],
    ):
        super().__init__()
        name = type(self).__name__.lower()
        check_axes(name, sfreq, n_times, n_freqs, n_frames, f_min, f_max)
        if output not in ("db", "power"):
            raise ValueError(f"{name}: output {output!r} is neither 'db' nor 'power'")
        if not floor > 0:
            raise ValueError(f"{name}: floor {floor} is not above 0")
        self.name, self.sfreq, self.output, self.floor = name, float(sfreq), output, float(floor)
        self.n_times, self.n_freqs, self.n_frames = int(n_times), int(n_freqs), int(n_frames)
        self.times = cell_centres(self.n_times, self.n_frames, self.sfreq)
        self.freqs = np.empty(0)

    def _constant(self, name: str, value: np.ndarray) -> None:
        """Keep an array in its own precision; it moves with the module and is no part of its state."""
        self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value)), persistent=False)

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
            Shape (batch, n_chans, n_freqs, n_frames): power, or 10 log10(power + floor) in dB.

        Raises
        ------
        ValueError
            If `x` has other dimensions, another length, or is not of a floating type.
        """
        if x.ndim != 3 or x.shape[-1] != self.n_times:
            raise ValueError(f"{self.name}: input of shape {tuple(x.shape)}; expected (batch, n_chans, {self.n_times})")
        if not x.dtype.is_floating_point:
            raise ValueError(f"{self.name}: input of type {x.dtype}; expected microvolts as float32")
        if x.dtype != torch.float64:
            x = x.to(torch.float32)
        signals = x.reshape(-1, self.n_times)
        power = self._power(signals, CPU_BLOCK if x.device.type == "cpu" else GPU_BLOCK)
        power = power.reshape(*x.shape[:2], self.n_freqs, self.n_frames)
        return power if self.output == "power" else 10 * torch.log10(power + self.floor)
