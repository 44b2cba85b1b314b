"""Amplitude of the windows of a recording: whether half precision suffices, and whether the unit is plausible."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eegwf.errors import InputError

# Largest step of half precision, as a fraction of a channel's standard deviation.
MAX_STEP = 0.1
# Standard deviations in microvolts between which EEG lies, and largest ratio to the median of the data set.
PLAUSIBLE = (0.1, 5000.0)
MAX_RATIO = 100.0


class Amplitude:
    """Mean and standard deviation of each derivation, over the blocks that are added.

    Parameters
    ----------
    n_chans
        Number of derivations.
    """

    def __init__(self, n_chans: int) -> None:
        self._count = 0
        self._sum, self._squares = np.zeros(n_chans), np.zeros(n_chans)

    def add(self, block: np.ndarray) -> None:
        """Add a block `(n_chans, n_times)` in microvolts."""
        values = block.astype(np.float64)
        self._count += values.shape[1]
        self._sum += values.sum(axis=1)
        self._squares += np.square(values).sum(axis=1)

    @property
    def mean(self) -> np.ndarray:
        """Mean of each derivation in microvolts."""
        return self._sum / max(self._count, 1)

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation of each derivation in microvolts."""
        return np.sqrt(np.maximum(self._squares / max(self._count, 1) - self.mean**2, 0))

    def check_precision(self, path: Path | str, names: list[str]) -> None:
        """Refuse an offset at which the steps of half precision are no longer small against the signal.

        Parameters
        ----------
        path
            The recording, for errors.
        names
            Names of the derivations.

        Raises
        ------
        InputError
            If a step exceeds a tenth of the standard deviation of a derivation.
        """
        size = np.sqrt(self._squares / max(self._count, 1))
        step = np.spacing(size.astype(np.float16)).astype(np.float64)
        # The rounding of a constant channel is no deviation.
        coarse = (step > MAX_STEP * self.deviation) & (self.deviation > 1e-3 * step)
        if coarse.any():
            worst = int(np.argmax(np.where(coarse, step, 0)))
            raise InputError(
                f"{path}: {names[worst]} has an offset of {self.mean[worst]:.4g} microvolts under a signal with a "
                f"standard deviation of {self.deviation[worst]:.3g}; windows are stored in half precision, whose steps "
                f"are {step[worst]:g} there. Set signals.l_freq, such as 0.5, which removes the offset"
            )


def implausible_amplitudes(deviations: Mapping[str, float]) -> dict[str, str]:
    """Find recordings whose amplitude is not that of EEG, or not that of the other recordings.

    Parameters
    ----------
    deviations
        Standard deviation of each recording in microvolts, the median of its derivations.

    Returns
    -------
    dict
        A sentence for each such recording.
    """
    values = [value for value in deviations.values() if value > 0]
    if not values:
        return {}
    median = float(np.median(values))
    found = {}
    for name, value in deviations.items():
        if value == 0:  # flat, which has its own note
            continue
        unusual = not PLAUSIBLE[0] <= value <= PLAUSIBLE[1]
        different = len(values) > 2 and not 1 / MAX_RATIO <= value / median <= MAX_RATIO
        if unusual or different:
            found[name] = (
                f"its standard deviation is {value:.3g} microvolts, that of the data set {median:.3g} (medians); check "
                "the unit in its header"
            )
    return found
