"""Mean maps of each class, apart for correctly and wrongly answered windows, and collapsed over time."""

import numpy as np
import torch

from eegwf.attribution.fold import FoldTask

OUTCOMES = ("correct", "wrong")


class MeanMaps:
    """Sums of the maps over windows and time.

    Windows are not aligned to the onset of a seizure, so that a mean over windows has no meaning as a function of time.

    Parameters
    ----------
    task
        Attribution of a fold.
    n_kinds
        Number of different maps of a window, such as the number of methods.
    """

    def __init__(self, task: FoldTask, n_kinds: int):
        self.label = task.windows.label
        self.outcome = (self.label != task.target).astype(int)
        n_classes = len(task.windows.classes)
        size = (task.dataset.n_chans, int(task.dataset.n_freqs))
        self.sums = np.zeros((n_kinds, n_classes, len(OUTCOMES), *size))
        self.counts = np.zeros((n_classes, len(OUTCOMES)))
        np.add.at(self.counts, (self.label, self.outcome), 1)

    def add(self, kind: int, index: np.ndarray, maps: torch.Tensor) -> None:
        """Add maps.

        Parameters
        ----------
        kind
            Number of the kind of map.
        index
            Numbers of the windows among the explained ones, `(n,)`.
        maps
            Their maps, `(n, n_chans, n_freqs, n_frames)`.
        """
        profiles = maps.double().mean(dim=3).cpu().numpy()
        np.add.at(self.sums[kind], (self.label[index], self.outcome[index]), profiles)

    def means(self) -> np.ndarray:
        """Means `(n_kinds, n_classes, n_outcomes, n_chans, n_freqs)`, float32; NaN without windows."""
        counts = np.where(self.counts > 0, self.counts, np.nan)
        return (self.sums / counts[None, :, :, None, None]).astype(np.float32)
