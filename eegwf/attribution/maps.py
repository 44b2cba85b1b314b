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
    """

    def __init__(self, task: FoldTask):
        self.label = task.windows.label
        self.outcome = (self.label != task.target).astype(int)
        n_classes = len(task.windows.classes)
        size = (task.dataset.n_chans, int(task.dataset.n_freqs))
        self.sums = np.zeros((len(task.methods), n_classes, len(OUTCOMES), *size))
        self.counts = np.zeros((n_classes, len(OUTCOMES)))
        np.add.at(self.counts, (self.label, self.outcome), 1)

    def add(self, method: int, index: np.ndarray, maps: torch.Tensor) -> None:
        """Add maps of a method.

        Parameters
        ----------
        method
            Number of the method.
        index
            Numbers of the windows among the explained ones, `(n,)`.
        maps
            Their maps, `(n, n_chans, n_freqs, n_frames)`.
        """
        profiles = maps.double().mean(dim=3).cpu().numpy()
        np.add.at(self.sums[method], (self.label[index], self.outcome[index]), profiles)

    def means(self) -> np.ndarray:
        """Means `(n_methods, n_classes, n_outcomes, n_chans, n_freqs)`, float32; NaN without windows."""
        counts = np.where(self.counts > 0, self.counts, np.nan)
        return (self.sums / counts[None, :, :, None, None]).astype(np.float32)


def mean_inputs(task: FoldTask) -> np.ndarray:
    """Mean input of each class and outcome, collapsed over time.

    Parameters
    ----------
    task
        Attribution of a fold.

    Returns
    -------
    np.ndarray
        Means `(n_classes, n_outcomes, n_chans, n_freqs)` in dB, float32; for the time series the root mean square in
        microvolts. NaN without windows.
    """
    raw = task.dataset.n_freqs == 1
    collected = MeanMaps(task)
    for block in task.blocks():
        collected.add(0, block.index, block.inputs.square() if raw else block.inputs)
    means = collected.means()[0]
    return np.sqrt(means) if raw else means
