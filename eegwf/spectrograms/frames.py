"""Overlapping frames of signals, for the transforms that slide a window."""

import numpy as np
import torch

from eegwf.spectrograms.axes import frame_starts, mirror


class Frames(torch.nn.Module):
    """Signals (n, n_times) to frames (n, n_frames, length), centred on equal cells, mirrored at the edges."""

    def __init__(self, n_times: int, n_frames: int, length: int):
        super().__init__()
        starts = frame_starts(n_times, n_frames, length)
        first = starts[0]
        beyond = np.arange(first, starts[-1] + length)
        self.n_frames, self.length = n_frames, length
        self.register_buffer("mirrored", torch.from_numpy(mirror(beyond, n_times)), persistent=False)
        self.register_buffer("starts", torch.from_numpy(starts - first), persistent=False)

    def numel(self) -> int:
        """Floats in the frames of one signal."""
        return self.n_frames * self.length

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Cut the frames out."""
        if signals.requires_grad:
            # the gradient of a sliding view is as large as all its frames, one for each sample
            offsets = torch.arange(self.length, device=signals.device)
            return signals[:, self.mirrored[self.starts[:, None] + offsets]]
        return signals[:, self.mirrored].unfold(-1, self.length, 1)[:, self.starts]
