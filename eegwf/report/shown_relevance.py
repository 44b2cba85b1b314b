"""Relevance of the samples of explained windows, as a shade behind stretches of EEG."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eegwf.report.examples import seconds_of_context
from eegwf.report.formats import capitalized, seconds
from eegwf.report.map_files import Maps

INCREASES, DECREASES = (217, 119, 6), (37, 99, 235)
"""Colors of relevance for and against the explained class: orange and blue, as in the figures of examples."""
LARGEST_OPACITY = 190


@dataclass(frozen=True)
class WindowRelevance:
    """Relevance over time of an explained window.

    Attributes
    ----------
    onset, end
        Seconds in the recording.
    predicted
        The class that is explained.
    ch_names
        Channels.
    values
        From -1 to 1 in columns of equal length, `(n_chans, n_columns)`.
    """

    onset: float
    end: float
    predicted: str
    ch_names: tuple[str, ...]
    values: np.ndarray

    def between(self, start: float, end: float) -> "WindowRelevance | None":
        """Select the columns whose centers are within a stretch.

        Parameters
        ----------
        start, end
            Seconds in the recording.

        Returns
        -------
        WindowRelevance or None
            The columns; None if there are none.
        """
        n_columns = self.values.shape[1]
        edges = np.linspace(self.onset, self.end, n_columns + 1)
        inside = np.flatnonzero((edges[:-1] + edges[1:] > 2 * start) & (edges[:-1] + edges[1:] < 2 * end))
        if not len(inside):
            return None
        first, last = inside[0], inside[-1] + 1
        onset, until = float(edges[first]), float(edges[last])
        return WindowRelevance(onset, until, self.predicted, self.ch_names, self.values[:, first:last])

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
    """Relevance of the explained windows of each recording, without their context.

    Parameters
    ----------
    folds
        Maps of the folds.
    length
        Length of a window in seconds.

    Returns
    -------
    dict of str to list of WindowRelevance
        Windows that vary, in the order of time.
    """
    found: dict[str, list[WindowRelevance]] = {}
    for maps in folds:
        context, names = seconds_of_context(maps.about), tuple(maps.about["signal_ch_names"])
        onsets = maps.windows["onset"].to_numpy(float)
        # Without time series there is no row of relevance.
        for row, values in enumerate(maps.window_relevance.astype(float)):
            onset = float(onsets[row])
            if not np.isfinite(onset) or not values.any():
                continue
            predicted, recording = (str(maps.windows[name].iloc[row]) for name in ("predicted", "recording"))
            whole = WindowRelevance(onset - context, onset + length + context, predicted, names, values)
            inner = whole.between(onset, onset + length)
            if inner is not None:
                found.setdefault(recording, []).append(inner)
    return {name: sorted(windows, key=lambda one: one.onset) for name, windows in found.items()}


def shown_in(
    windows: Sequence[WindowRelevance], start: float, end: float, ch_names: Sequence[str]
) -> list[WindowRelevance]:
    """Parts of windows within a stretch that do not overlap each other, the earlier one first.

    Parameters
    ----------
    windows
        Windows of the recording, in the order of time.
    start, end
        Seconds.
    ch_names
        Channels of the stretch; windows of other channels are left out.

    Returns
    -------
    list of WindowRelevance
    """
    shown: list[WindowRelevance] = []
    for one in windows:
        part = one.between(start, end) if one.ch_names == tuple(ch_names) else None
        if part is not None and (not shown or part.onset >= shown[-1].end - 1e-9):
            shown.append(part)
    return shown


def relevance_note(windows: Sequence[WindowRelevance]) -> str:
    """Sentences on the explained windows of a stretch; empty without one."""
    return " ".join(f"{capitalized(one.description())}." for one in windows)
