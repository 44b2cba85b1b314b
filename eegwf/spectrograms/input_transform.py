"""Input of a model, computed from windows with the bytes that the arrays of a study have."""

from collections.abc import Iterator, Mapping

import torch
from torch.nn import functional

from eegwf.config.spectrograms import Grid
from eegwf.errors import InputError
from eegwf.spectrograms.base import Spectrogram
from eegwf.spectrograms.batches import BATCH, single_thread_pool
from eegwf.spectrograms.transforms import make_transform


class InputTransform:
    """Spectrograms of windows, in batches of the same size as those of the workflow.

    Parameters
    ----------
    grids
        Configuration entries of the spectrograms that are stacked on the channel axis, by their names; none for the
        windows themselves.
    sfreq
        Sampling rate in Hz.
    n_times
        Samples of a window.

    Attributes
    ----------
    transforms
        Transform of each spectrogram, on the CPU.

    Raises
    ------
    InputError
        If the parameters do not fit the windows, or differ in the number of frequencies or frames.

    Notes
    -----
    On the CPU, the bytes of a window depend neither on the other windows nor on the number of threads. On a GPU, the
    last digits can depend on both; such results are no part of a comparison with stored arrays.
    """

    def __init__(self, grids: Mapping[str, Grid], sfreq: float, n_times: int):
        self._grids, self._sfreq, self._n_times = dict(grids), sfreq, n_times
        self._by_device: dict[torch.device, dict[str, Spectrogram]] = {}
        self.transforms = self._on(torch.device("cpu"))
        shapes = {name: (one.n_freqs, one.n_frames) for name, one in self.transforms.items()}
        if len(set(shapes.values())) > 1:
            listing = ", ".join(f"{name} {n_freqs} x {n_frames}" for name, (n_freqs, n_frames) in shapes.items())
            raise InputError(f"spectrograms: {listing} can't be stacked; give them the same n_freqs and n_frames")

    def _on(self, device: torch.device) -> dict[str, Spectrogram]:
        if device not in self._by_device:
            self._by_device[device] = {
                name: make_transform(name, grid, self._sfreq, self._n_times, check_finite=False).to(device)
                for name, grid in self._grids.items()
            }
        return self._by_device[device]

    def __call__(self, windows: torch.Tensor) -> torch.Tensor:
        """Transform windows.

        Parameters
        ----------
        windows
            `(n_windows, n_chans, n_times)` in microvolts, float16 or float32.

        Returns
        -------
        torch.Tensor
            float32 `(n_windows, n_chans, n_freqs, n_frames)` on the device of the windows, rounded to half precision
            as in the arrays.
        """
        transforms = list(self._on(windows.device).values())
        if not transforms:
            return windows[:, :, None, :].float()

        @torch.no_grad()
        def levels(part: torch.Tensor) -> torch.Tensor:
            x = part.float()
            return torch.cat([transform(x).half() for transform in transforms], dim=1)

        if windows.device.type != "cpu":
            return torch.cat([levels(part) for part in windows.split(BATCH["cuda"])]).float()
        parts = list(_padded(windows, BATCH["cpu"]))
        n_threads = torch.get_num_threads()
        if n_threads == 1:
            found = [levels(part) for part in parts]
        else:
            with single_thread_pool(min(n_threads, len(parts))) as pool:
                found = list(pool.map(levels, parts))
        return torch.cat(found)[: len(windows)].float()


def _padded(windows: torch.Tensor, size: int) -> Iterator[torch.Tensor]:
    """Batches of one size, the last one padded with zeros."""
    for part in windows.split(size):
        yield functional.pad(part, (0, 0, 0, 0, 0, size - len(part)))
