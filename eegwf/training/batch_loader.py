"""Transfer of windows to the device: kept there if they fit into memory, else read ahead of the steps."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from eegwf.training.spectrogram_dataset import SpectrogramDataset

# Number of threads that read batches ahead of the steps, and number of batches that may be ready.
N_READERS, N_PREFETCH = 3, 6
# Fraction of a GPU's free memory that windows may take; weights, gradients and activations need the rest.
GPU_MEMORY_FRACTION = 0.5
BLOCK_BYTES = 1 << 27


def shared_batch_loader(dataset: SpectrogramDataset, rows: np.ndarray, device: str) -> "BatchLoader":
    """Return the loader of the previous training if it has the same input, rows and device, else a new one.

    All trials of an Optuna study train on the same windows, so that they are transferred once.

    Parameters
    ----------
    dataset
        Spectrograms of the study. The loader is stored with them.
    rows
        Rows of the training and validation windows.
    device
        Device of the batches.

    Returns
    -------
    BatchLoader
        Loader of these rows.
    """
    rows = np.unique(rows)
    loader = dataset.shared_loader
    reusable = (
        isinstance(loader, BatchLoader)
        and loader.dataset is dataset
        and loader.device == torch.device(device)
        and np.array_equal(loader.rows, rows)
    )
    if not reusable:
        # Both references to the previous loader are removed first, so that the device has the memory of one only.
        loader = dataset.shared_loader = None
        dataset.shared_loader = BatchLoader(dataset, rows, device)
    return dataset.shared_loader


class BatchLoader:
    """The windows of a training, as batches on its device.

    Parameters
    ----------
    dataset
        Spectrograms of the study.
    rows
        Rows that batches may contain; no others are read.
    device
        Device of the batches.
    resident
        Whether all rows are kept on the device, in half precision as they are stored. None: on a GPU, if they take at
        most half of its free memory; not on a CPU, where the memory map is as fast.
    """

    def __init__(self, dataset: SpectrogramDataset, rows: np.ndarray, device: str, resident: bool | None = None):
        self.dataset, self.device = dataset, torch.device(device)
        self.rows = np.unique(rows)
        self.resident = self._load() if self._fits(resident) else None
        # Statistics of sets of rows, see eegwf.training.normalization.channel_statistics.
        self.statistics: dict[bytes, tuple[torch.Tensor, torch.Tensor]] = {}

    def _fits(self, resident: bool | None) -> bool:
        if resident is not None or self.device.type != "cuda":
            return bool(resident)
        n_bytes = 2 * self.dataset.n_values * len(self.rows)
        return n_bytes <= GPU_MEMORY_FRACTION * torch.cuda.mem_get_info(self.device)[0]

    def _load(self) -> torch.Tensor:
        shape = (len(self.rows), self.dataset.n_chans, self.dataset.n_freqs, self.dataset.n_frames)
        windows = torch.empty(shape, dtype=torch.float16, device=self.device)
        size = max(1, BLOCK_BYTES // (2 * self.dataset.n_values))
        for start in range(0, len(self.rows), size):
            windows[start : start + size] = self.dataset.half(self.rows[start : start + size]).to(self.device)
        self.wait()
        return windows

    def wait(self) -> None:
        """Wait until the device has computed what trainings on other streams share."""
        if self.device.type == "cuda":
            torch.cuda.current_stream().synchronize()

    def positions(self, rows: np.ndarray) -> torch.Tensor:
        """Positions of rows in `resident`, on the device.

        Raises
        ------
        ValueError
            If a row is not among those of the loader.
        """
        outside = ~np.isin(rows, self.rows)
        if outside.any():
            raise ValueError(f"row {rows[outside][0]} is not among the rows of this loader")
        found = torch.from_numpy(np.searchsorted(self.rows, rows))
        # Of memory that is not pinned, the transfer would wait for all steps that were sent to the device before it.
        return found.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else found

    def read(self, rows: np.ndarray) -> torch.Tensor:
        """Float32 windows `(len(rows), n_chans, n_freqs, n_frames)` on the device."""
        return next(self.stream([rows]))

    def stream(self, parts: Sequence[np.ndarray]) -> Iterator[torch.Tensor]:
        """Yield the float32 windows of each array of rows, on the device.

        Raises
        ------
        ValueError
            If the windows are kept on the device and a row is not among them.
        """
        if self.resident is not None:
            # All positions of an epoch are transferred at once, so that no step waits for its transfer.
            for position in self.positions(np.concatenate(parts)).split([len(part) for part in parts]):
                yield self.resident[position].float()
        elif self.device.type != "cuda":
            for part in parts:
                yield self.dataset.read(part)
        else:
            yield from self._prefetch(parts)

    def _prefetch(self, parts: Sequence[np.ndarray]) -> Iterator[torch.Tensor]:
        """Read batches into pinned memory in threads while the device computes with earlier ones."""
        with ThreadPoolExecutor(N_READERS) as pool:
            pending = [pool.submit(self._pinned, part) for part in parts[:N_PREFETCH]]
            for number in range(len(parts)):
                x = pending.pop(0).result().to(self.device, non_blocking=True)
                if number + N_PREFETCH < len(parts):
                    pending.append(pool.submit(self._pinned, parts[number + N_PREFETCH]))
                yield x.float()

    def _pinned(self, rows: np.ndarray) -> torch.Tensor:
        return self.dataset.half(rows).pin_memory()
