"""Quality of the channels of a recording, as the models see them; it describes the data and excludes nothing."""

from dataclasses import dataclass

import numpy as np

# Standard deviation in microvolts below which a second of a channel is flat.
FLAT = 0.1
# Power-line frequencies in Hz, and the half width of the band around them.
LINE_FREQS, HALF_WIDTH = (50.0, 60.0), 1.0
# Lower edge in Hz of the band to which the power around these frequencies is compared.
LOWEST = 1.0


@dataclass(frozen=True)
class ChannelQuality:
    """Quality of a recording.

    Attributes
    ----------
    flat
        Fraction of the seconds in which a derivation is flat.
    line_noise
        Power around 50 or 60 Hz as a fraction of the power above 1 Hz, of the worst derivation; NaN if the sampling
        rate does not reach them.
    correlation
        Median over the seconds of a derivation's largest absolute correlation with another one, of the worst
        derivation; NaN for one derivation.
    """

    flat: float
    line_noise: float
    correlation: float


class QualityMeter:
    """Quality over the blocks that are added, in whole seconds of each.

    Parameters
    ----------
    n_chans
        Number of derivations.
    sfreq
        Sampling rate in Hz.
    """

    def __init__(self, n_chans: int, sfreq: float) -> None:
        self._length = max(round(sfreq), 1)
        self._taper = np.hanning(self._length + 1)[:-1]
        freqs = np.fft.rfftfreq(self._length, 1 / sfreq)
        self._band = freqs >= LOWEST
        self._lines = [np.abs(freqs - line) <= HALF_WIDTH for line in LINE_FREQS if line + HALF_WIDTH < sfreq / 2]
        self._n_seconds = self._n_flat = 0
        self._total, self._line = np.zeros(n_chans), np.zeros((len(self._lines), n_chans))
        self._correlations: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        """Add a block `(n_chans, n_times)` in microvolts."""
        n_seconds = block.shape[1] // self._length
        if not n_seconds:
            return
        # (n_seconds, n_chans, length)
        seconds = block[:, : n_seconds * self._length].reshape(len(block), n_seconds, -1).transpose(1, 0, 2)
        seconds = seconds - seconds.mean(axis=2, keepdims=True)
        deviation = seconds.std(axis=2)
        self._n_seconds += n_seconds
        self._n_flat += int((deviation < FLAT).any(axis=1).sum())
        power = np.square(np.abs(np.fft.rfft(seconds * self._taper))).sum(axis=0)
        self._total += power[:, self._band].sum(axis=1)
        for line, band in zip(self._line, self._lines, strict=True):
            line += power[:, band].sum(axis=1)
        if len(block) > 1:
            scaled = seconds / np.maximum(deviation, 1e-9)[:, :, None]
            correlation = np.abs(scaled @ scaled.transpose(0, 2, 1)) / self._length
            correlation[:, np.arange(len(block)), np.arange(len(block))] = 0
            self._correlations.append(correlation.max(axis=2))

    def result(self) -> ChannelQuality:
        """Quality of all that was added; NaN where it is undefined."""
        nan = float("nan")
        if not self._n_seconds:
            return ChannelQuality(nan, nan, nan)
        share = self._line / np.maximum(self._total, 1e-30)
        correlation = np.concatenate(self._correlations) if self._correlations else np.full((1, 1), nan)
        return ChannelQuality(
            self._n_flat / self._n_seconds,
            float(share.max()) if len(share) else nan,
            float(np.median(correlation, axis=0).min()),
        )
