"""Overlapping frames of signals, for the transforms that slide a window."""

import math

import numpy as np
import torch

from eegwf.spectrograms.axes import frame_starts, mirror


class Frames(torch.nn.Module):
    """Signals (n, n_times) to frames (n, n_frames, length), centred on equal cells, mirrored at the edges."""

    def __init__(self, n_times: int, n_frames: int, length: int):
        super().__init__()
        starts = frame_starts(n_times, n_frames, length)
        beyond = np.arange(starts[0], starts[-1] + length)
        self.n_frames, self.length = n_frames, length
        # After so many frames, so many samples on, their places within the samples recur.
        turns = math.gcd(n_times, n_frames)
        self.step, self.first = n_times // turns, (starts[: n_frames // turns] - starts[0]).tolist()
        self.register_buffer("mirrored", torch.from_numpy(mirror(beyond, n_times)), persistent=False)

    def numel(self) -> int:
        """Floats in the frames of one signal."""
        return self.n_frames * self.length

    def forward(self, signals: torch.Tensor, window: torch.Tensor | None = None) -> torch.Tensor:
        """Cut the frames out, and weigh them by a window (length,) if one is given."""
        beyond = signals.index_select(1, self.mirrored)
        turns = self.n_frames // len(self.first)
        regular = [beyond[:, first:].unfold(-1, self.length, self.step)[:, :turns] for first in self.first]
        if window is None:
            return torch.stack(regular, dim=2).flatten(1, 2)
        if signals.requires_grad:
            return torch.stack([frames * window for frames in regular], dim=2).flatten(1, 2)
        cut = signals.new_empty(len(signals), turns, len(regular), self.length)
        for number, frames in enumerate(regular):
            torch.mul(frames, window, out=cut[:, :, number])
        return cut.flatten(1, 2)
