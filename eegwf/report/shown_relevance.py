"""Relevance of the samples of explained windows, as a shade behind stretches of EEG."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eegwf.report.formats import capitalized, seconds
from eegwf.report.map_files import Maps

INCREASES, DECREASES = (217, 119, 6), (37, 99, 235)
"""Colors of relevance for and against the explained class: orange and blue, as in the figures of examples."""
LARGEST_OPACITY = 190
ROUNDING = 1e-6
"""Seconds by which equal times may differ."""


@dataclass(frozen=True)
class WindowRelevance:
    """Relevance over time of an explained window, or of a part of it.

    Attributes
    ----------
    onset, end
        Seconds in the recording of the part.
    window
        Onset and end of the window.
    predicted
        The class that is explained.
    ch_names
        Channels.
    values
        From -1 to 1 in columns of equal length, `(n_chans, n_columns)`.
    """

    onset: float
    end: float
    window: tuple[float, float]
    predicted: str
    ch_names: tuple[str, ...]
    values: np.ndarray

    def between(self, start: float, end: float) -> "WindowRelevance | None":
        """Select the columns that are within a stretch.

        Parameters
        ----------
        start, end
            Seconds in the recording.

        Returns
        -------
        WindowRelevance or None
            The columns; None if there are none.
        """
        edges = np.linspace(self.onset, self.end, self.values.shape[1] + 1)
        inside = np.flatnonzero((edges[:-1] >= start - ROUNDING) & (edges[1:] <= end + ROUNDING))
        if not len(inside):
            return None
        first, last = inside[0], inside[-1] + 1
        return replace(self, onset=float(edges[first]), end=float(edges[last]), values=self.values[:, first:last])

    def description(self) -> str:
        """The class, the time, and the channel and the time of the largest magnitude."""
        channel, column = np.unravel_index(np.abs(self.values).argmax(), self.values.shape)
        time = self.onset + (column + 0.5) * (self.end - self.onset) / self.values.shape[1]
        return (
            f"relevance for {self.predicted} from {seconds(self.onset)} s to {seconds(self.end)} s, largest in "
            f"{self.ch_names[channel]} at {time:.1f} s"
        )

    def percent(self) -> list[list[int]]:
        """Values in percent, rounded, for each channel."""
        return np.rint(100 * self.values).astype(int).tolist()

    def pixels(self) -> np.ndarray:
        """Colors, `(n_chans, n_columns, 4)`; the opacity grows with the magnitude."""
        colors = np.where(self.values[..., None] > 0, INCREASES, DECREASES)
        return np.concatenate([colors, LARGEST_OPACITY * np.abs(self.values)[..., None]], axis=-1)


def relevance_by_recording(folds: Iterable[Maps], length: float) -> dict[str, list[WindowRelevance]]:
    """Relevance of the explained windows of each recording.

    Parameters
    ----------
    folds
        Maps of the folds.
    length
        Length of a window in seconds.

    Returns
    -------
    dict of str to list of WindowRelevance
        Windows that have any, in the order of time.
    """
    found: dict[str, list[WindowRelevance]] = {}
    for maps in folds:
        names, onsets = tuple(maps.about["signal_ch_names"]), maps.windows["onset"].to_numpy(float)
        # Without time series there is no row of relevance.
        for row, values in enumerate(maps.window_relevance.astype(float)):
            if not np.isfinite(onsets[row]) or not values.any():
                continue
            window = float(onsets[row]), float(onsets[row]) + length
            predicted, recording = (str(maps.windows[name].iloc[row]) for name in ("predicted", "recording"))
            found.setdefault(recording, []).append(WindowRelevance(*window, window, predicted, names, values))
    return {name: sorted(windows, key=lambda one: one.onset) for name, windows in found.items()}


def shown_in(
    windows: Sequence[WindowRelevance],
    start: float,
    end: float,
    ch_names: Sequence[str],
    preferred: tuple[float, float] | None = None,
) -> list[WindowRelevance]:
    """Parts of windows within a stretch; of windows that overlap each other, the preferred or else the earlier one.

    Parameters
    ----------
    windows
        Windows of the recording, in the order of time.
    start, end
        Seconds.
    ch_names
        Channels of the stretch; windows of other channels are left out.
    preferred
        Onset and end in seconds of the window that the stretch is about.

    Returns
    -------
    list of WindowRelevance
        In the order of time.
    """
    shown: list[WindowRelevance] = []
    for one in sorted(windows, key=lambda one: not (preferred and np.allclose(one.window, preferred))):
        part = one.between(start, end) if one.ch_names == tuple(ch_names) else None
        if part is not None and not any(_overlap(one.window, other.window) for other in shown):
            shown.append(part)
    return sorted(shown, key=lambda one: one.onset)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1]) - ROUNDING


def relevance_note(windows: Sequence[WindowRelevance]) -> str:
    """Sentences on the explained windows of a stretch; empty without one."""
    return " ".join(f"{capitalized(one.description())}." for one in windows)
