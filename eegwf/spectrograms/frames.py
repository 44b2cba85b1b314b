"""Overlapping frames of signals, for the transforms with a sliding window."""

import math

import numpy as np
import torch

from eegwf.spectrograms.axes import frame_starts, mirror


def hann_window(length: int) -> np.ndarray:
    """Periodic Hann window of `length` samples, as `scipy.signal.get_window("hann", length)`.

    scipy.signal takes about a second to import.
    """
    if length == 1:
        return np.ones(1)
    return 0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, length + 1)[:-1])


class Frames(torch.nn.Module):
    """Cut signals (n, n_times) into frames (n, n_frames, length) centered on equal cells, mirrored at the edges.

    Parameters
    ----------
    n_times
        Number of samples of a signal.
    n_frames
        Number of frames.
    length
        Samples of a frame.
    """

    mirrored: torch.Tensor

    def __init__(self, n_times: int, n_frames: int, length: int):
        super().__init__()
        starts = frame_starts(n_times, n_frames, length)
        positions = np.arange(starts[0], starts[-1] + length)
        self.n_frames, self.length = n_frames, length
        # The starts are periodic: n_frames / turns frames later they are exactly n_times / turns samples later. Each
        # start of the first period, repeated at that step, is a strided view (`unfold`), which copies nothing.
        turns = math.gcd(n_times, n_frames)
        self.step, self.first = n_times // turns, (starts[: n_frames // turns] - starts[0]).tolist()
        self.register_buffer("mirrored", torch.from_numpy(mirror(positions, n_times)), persistent=False)

    def numel(self) -> int:
        """Number of floats in the frames of one signal."""
        return self.n_frames * self.length

    def forward(self, signals: torch.Tensor, window: torch.Tensor | None = None) -> torch.Tensor:
        """Cut signals into frames.

        Parameters
        ----------
        signals
            Shape (n, n_times).
        window
            Factors of the samples of every frame, shape (length,); None means 1.

        Returns
        -------
        torch.Tensor
            Shape (n, n_frames, length).
        """
        extended = signals.index_select(1, self.mirrored)
        turns = self.n_frames // len(self.first)
        regular = [extended[:, first:].unfold(-1, self.length, self.step)[:, :turns] for first in self.first]
        if window is None:
            return torch.stack(regular, dim=2).flatten(1, 2)
        if signals.requires_grad:  # autograd can't differentiate products with `out`
            return torch.stack([frames * window for frames in regular], dim=2).flatten(1, 2)
        cut = signals.new_empty(len(signals), turns, len(regular), self.length)
        for number, frames in enumerate(regular):
            torch.mul(frames, window, out=cut[:, :, number])
        return cut.flatten(1, 2)
