"""Windows on their way to the device: held there if they fit, else read ahead of the steps that need them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from eegwf.training.spectrogram_dataset import Inputs

READ_AHEAD = 2  # batches; more would only hold memory
SHARE = 0.5  # of a GPU's free memory that windows may take: the rest is for weights, gradients and activations
BLOCK_BYTES = 1 << 27


def batches_of(inputs: Inputs, rows: np.ndarray, device: str) -> "Batches":
    """Windows of a training, held over from the one before it if that had the same: a study's trials all do."""
    rows = np.unique(rows)
    kept = inputs.kept
    if not (isinstance(kept, Batches) and kept.device == torch.device(device) and np.array_equal(kept.rows, rows)):
        kept = inputs.kept = None  # or two would be on the device at a time
        inputs.kept = Batches(inputs, rows, device)
    return inputs.kept


class Batches:
    """The windows of a training on its device.

    Parameters
    ----------
    inputs
        Arrays of the whole study.
    rows
        Rows that will be asked for; no others are read.
    device
        Where batches go.
    resident
        Whether all rows are held on the device, in half precision, as they are stored; None: on a GPU if they take no
        more than half of its free memory. On a CPU the memory map does as well.
    """

    def __init__(self, inputs: Inputs, rows: np.ndarray, device: str, resident: bool | None = None):
        self.inputs, self.device = inputs, torch.device(device)
        self.rows = np.unique(rows)
        self.held = self._load() if self._fits(resident) else None

    def _fits(self, resident: bool | None) -> bool:
        if resident is not None or self.device.type != "cuda":
            return bool(resident)
        return 2 * self.inputs.n_values * len(self.rows) <= SHARE * torch.cuda.mem_get_info(self.device)[0]

    def _load(self) -> torch.Tensor:
        shape = (len(self.rows), self.inputs.n_chans, self.inputs.n_freqs, self.inputs.n_times)
        held = torch.empty(shape, dtype=torch.float16, device=self.device)
        size = max(1, BLOCK_BYTES // (2 * self.inputs.n_values))
        for start in range(0, len(self.rows), size):
            held[start : start + size] = self.inputs.half(self.rows[start : start + size]).to(self.device)
        return held

    def read(self, rows: np.ndarray) -> torch.Tensor:
        """Float32 windows `(len(rows), n_chans, n_freqs, n_times)` on the device."""
        return next(self.stream([rows]))

    def stream(self, parts: Sequence[np.ndarray]) -> Iterator[torch.Tensor]:
        """Float32 windows on the device, for one array of rows after the other."""
        if self.held is not None:
            asked = np.concatenate(parts)
            if not np.isin(asked, self.rows).all():
                raise ValueError("windows were asked for that are not held")
            # All places of an epoch go to the device at once: no step waits for its own.
            places = torch.from_numpy(np.searchsorted(self.rows, asked)).to(self.device)
            for place in places.split([len(part) for part in parts]):
                yield self.held[place].float()
        elif self.device.type != "cuda":
            for part in parts:
                yield self.inputs.read(part)
        else:
            yield from self._ahead(parts)

    def _ahead(self, parts: Sequence[np.ndarray]) -> Iterator[torch.Tensor]:
        """Batches that a thread reads into pinned memory while the device is at work on those before."""
        with ThreadPoolExecutor(1) as pool:
            waiting = [pool.submit(self._pinned, part) for part in parts[:READ_AHEAD]]
            for number in range(len(parts)):
                x = waiting.pop(0).result().to(self.device, non_blocking=True)
                if number + READ_AHEAD < len(parts):
                    waiting.append(pool.submit(self._pinned, parts[number + READ_AHEAD]))
                yield x.float()

    def _pinned(self, rows: np.ndarray) -> torch.Tensor:
        return self.inputs.half(rows).pin_memory()
