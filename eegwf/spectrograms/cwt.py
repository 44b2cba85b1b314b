"""Continuous wavelet transform with complex Morlet wavelets, pooled to a grid."""

import math
from typing import Literal

import numpy as np
import torch

from eegwf.spectrograms.base import Spectrogram

FLOOR = 1e-4
"""uV^2: a sinusoid of 10 nV; below it there is no EEG."""

REACH = 5.0
"""Standard deviations of a wavelet's spectrum beyond which its power is below -100 dB."""

OVERSAMPLING = 2
"""Points per period of the highest frequency that a row passes: cell means are then right to some 0.01 dB."""


class CWT(Spectrogram):
    """Power of complex Morlet wavelets, in uV^2: a sinusoid of amplitude A has A^2 in its own row.

    In the frequency domain the wavelet of row f is exp(-(w0 * nu / f - w0)^2 / 2) for nu > 0 and nothing for
    nu <= 0 (analytic; the mean of a window counts nowhere), doubled so that the peak passes a sinusoid with
    its amplitude. This is L1 normalisation, the same for every row: W(t) = 2/s * integral x(u)
    conj(psi((u - t)/s)) du, psi(t) = exp(i w0 t - t^2/2) / sqrt(2 pi), s = w0 / (2 pi f). In PyWavelets'
    terms it is 2 * |cwt| / sqrt(scale) for the wavelet "cmor2.0-C", C = w0 / (2 pi), at scale C * sfreq / f
    (Torrence & Compo 1998 normalise by energy, sqrt(scale) larger). `freqs` are spaced evenly in log.

    The power is averaged over `n_frames` equal cells of the window. Beyond its edges the window goes on as its
    mirror image (the sample on the edge repeated, `numpy.pad` calls it "symmetric"); a cell nearer to an edge
    than sqrt(2) s, the cone of influence, owes much to that image.

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    n_times
        Samples of a window.
    n_freqs, n_frames
        Rows and columns of the result.
    f_min, f_max
        Frequencies of the lowest and the highest row in Hz.
    cycles
        w0, the centre frequency of the wavelet in radians: its number of cycles within +-pi standard
        deviations of its envelope.
    output
        "db": 10 log10(power + floor); "power": uV^2.
    floor
        Power added before the logarithm, uV^2; silence becomes 10 log10(floor) = -40 dB.

    Raises
    ------
    ValueError
        If the frequencies don't fit the sampling rate, or if the window is shorter than the wavelet of `f_min`
        needs: the cones of influence of both edges must not meet; the message says what `f_min` would do.

    Notes
    -----
    A window with its mirror image is a sum of cosines (its DCT-II), so W at the points of an even grid is one
    real FFT of the cosines' coefficients times the wavelet's spectrum. Low rows change slowly: their grid is
    coarser, the same for rows of similar frequency, but always finer than the bandwidth asks for. The mean over
    a cell is that of this band-limited curve, by Simpson's rule, and no cell needs a whole number of samples.
    """

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
        n_freqs: int,
        n_frames: int,
        f_min: float,
        f_max: float,
        cycles: float,
        output: Literal["db", "power"] = "db",
        floor: float = FLOOR,
    ):
        super().__init__(
            sfreq=sfreq,
            n_times=n_times,
            n_freqs=n_freqs,
            n_frames=n_frames,
            f_min=f_min,
            f_max=f_max,
            floor=floor,
            output=output,
        )
        if not cycles > 0:
            raise ValueError(f"cwt: cycles {cycles} is not above 0")
        if not f_min > 0:
            raise ValueError("cwt: f_min is 0 Hz, and rows spaced in log start above 0; choose f_min above 0")
        self._check_support(f_min, f_max, cycles)
        self.cycles = float(cycles)
        self.freqs = np.geomspace(f_min, f_max, n_freqs)
        self.points = cell_points(self.freqs, cycles, sfreq, n_times, n_frames)
        bins = np.arange(n_times) * sfreq / (2 * n_times)
        gains = np.exp(-((cycles * bins / self.freqs[:, None] - cycles) ** 2) / 2) * (bins > 0)
        shift = np.exp(-0.5j * np.pi * np.arange(n_times) / n_times) * 2 / n_times
        self._constant("gains", gains)
        self._constant("cosine", shift.real)
        self._constant("sine", shift.imag)

    def _check_support(self, f_min: float, f_max: float, cycles: float) -> None:
        seconds = self.n_times / self.sfreq
        needed = 2 * math.sqrt(2) * cycles / (2 * math.pi * f_min)
        if needed <= seconds:
            return
        lowest = f_min * needed / seconds
        digits = 2 - math.floor(math.log10(lowest))
        lowest = math.ceil(lowest * 10**digits) / 10**digits
        way = f"choose f_min: {lowest:g} or higher" if lowest < f_max else "no f_min below f_max works"
        raise ValueError(
            f"cwt: a Morlet wavelet with cycles: {cycles:g} at f_min: {f_min:g} Hz needs {needed:.3g} s, "
            f"a window has {seconds:g} s; {way}, or longer windows"
        )

    def _power(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        if not len(signals):
            return signals.new_zeros(0, self.n_freqs, self.n_frames)
        gains = self.gains.to(signals.dtype)
        cosine, sine = self.cosine.to(signals.dtype), self.sine.to(signals.dtype)
        blocks = []
        for part in signals.split(max(1, block // (8 * self.n_times))):
            spectrum = torch.fft.rfft(torch.cat([part, part.flip(-1)], dim=-1))[:, : self.n_times]
            cosines = (spectrum.real * cosine - spectrum.imag * sine) / 2
            rows = []
            for points in np.unique(self.points):
                among = np.flatnonzero(self.points == points)
                size = 2 * self.n_frames * int(points)
                each = max(1, block // (2 * size * len(part)))
                for start in range(among[0], among[-1] + 1, each):
                    stop = min(start + each, among[-1] + 1)
                    rows.append(self._cells(cosines, gains[start:stop], int(points)))
            blocks.append(torch.cat(rows, dim=1))
        return torch.cat(blocks)

    def _cells(self, cosines: torch.Tensor, gains: torch.Tensor, points: int) -> torch.Tensor:
        """Mean power in every cell by Simpson's rule, from `points` steps a cell; (n, rows, n_frames)."""
        size = 2 * self.n_frames * points
        used = min(size, self.n_times)
        wavelets = torch.fft.rfft(cosines[:, None, :used] * gains[:, :used], n=size)
        power = wavelets.real.square() + wavelets.imag.square()
        simpson = power.new_tensor([2.0, 4.0] * (points // 2)) / (3 * points)
        simpson[0] = 1 / (3 * points)
        inner = power[..., :-1].unflatten(-1, (self.n_frames, points)) @ simpson
        return inner + power[..., points::points] / (3 * points)


def cell_points(freqs: np.ndarray, cycles: float, sfreq: float, n_times: int, n_frames: int) -> np.ndarray:
    """Steps per cell at which each row is evaluated, shape (n_freqs,), even, rising with the frequency.

    The rate is at least `OVERSAMPLING` times the highest frequency that a row passes, or the sampling rate if
    that is less, rounded up to 2^n or 3 * 2^n steps so that rows can be worked off together.
    """
    rate = np.minimum(OVERSAMPLING * freqs * (1 + REACH / cycles), sfreq)
    needed = np.ceil(rate * n_times / (sfreq * n_frames) - 1e-9)
    most = 2 * math.ceil(n_times / n_frames / 2)
    steps = sorted(factor * 2**power for factor in (2, 6) for power in range(most.bit_length() + 1))
    return np.array([min(most, next(step for step in steps if step >= need)) for need in needed])
