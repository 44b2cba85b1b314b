"""Analytic wavelets by their spectra, as functions of frequency over centre frequency."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Morlet:
    """Complex Morlet wavelet: exp(-cycles^2 (r - 1)^2 / 2) at r times the centre frequency, nothing for r <= 0.

    In time it is exp(i cycles u - u^2 / 2) / sqrt(2 pi), u in units of its scale cycles / (2 pi f).
    """

    cycles: float

    def gain(self, ratio: np.ndarray) -> np.ndarray:
        """Spectrum at `ratio` times the centre frequency, 1 at its peak."""
        ratio = np.asarray(ratio, dtype=np.float64)
        return np.exp(-((self.cycles * (ratio - 1)) ** 2) / 2) * (ratio > 0)


@dataclass(frozen=True)
class Morse:
    """Generalized Morse wavelet: r^beta exp(-(beta / gamma) (r^gamma - 1)) at r times the peak frequency.

    Parameters
    ----------
    cycles
        P = sqrt(beta gamma), the square root of the time-bandwidth product: P / pi oscillations fit into the
        middle of the wavelet, as for a Morlet wavelet of as many cycles.
    gamma
        Symmetry: 3 is the most symmetric and the most Gaussian (Airy).

    Notes
    -----
    Olhede & Walden 2002, IEEE Trans. Signal Processing 50:2661; Lilly & Olhede 2009, ibid. 57:146. It is analytic
    for any parameters, which the Morlet wavelet is only nearly at few cycles.
    """

    cycles: float
    gamma: float

    def gain(self, ratio: np.ndarray) -> np.ndarray:
        """Spectrum at `ratio` times the peak frequency, 1 at its peak."""
        ratio = np.asarray(ratio, dtype=np.float64)
        beta = self.cycles**2 / self.gamma
        positive = np.where(ratio > 0, ratio, 1.0)
        with np.errstate(over="ignore"):
            exponent = beta * np.log(positive) - beta / self.gamma * (positive**self.gamma - 1)
        return np.exp(exponent) * (ratio > 0)


def make_wavelet(name: str, cycles: float, gamma: float) -> Morlet | Morse:
    """Make a wavelet by its name.

    Raises
    ------
    ValueError
        If there is no such wavelet, or if its parameters are not above 0.
    """
    if not (cycles > 0 and math.isfinite(cycles)):
        raise ValueError(f"cwt: cycles {cycles} is not a number above 0")
    if name == "morlet":
        return Morlet(float(cycles))
    if name != "morse":
        raise ValueError(f"cwt: wavelet {name!r} is neither 'morlet' nor 'morse'")
    if not (gamma > 0 and math.isfinite(gamma)):
        raise ValueError(f"cwt: gamma {gamma} is not a number above 0")
    return Morse(float(cycles), float(gamma))


def band(wavelet: Morlet | Morse, level: float) -> tuple[float, float]:
    """Lowest and highest frequency, over the centre frequency, at which the gain is above `level`."""
    ends = []
    for sign in (-1, 1):
        inside, outside = 0.0, 1.0
        while wavelet.gain(math.exp(sign * outside)) > level:
            outside *= 2
        for _ in range(50):
            middle = (inside + outside) / 2
            if wavelet.gain(math.exp(sign * middle)) > level:
                inside = middle
            else:
                outside = middle
        ends.append(math.exp(sign * outside))
    return ends[0], ends[1]


def check_support(wavelet: Morlet | Morse, sfreq: float, n_times: int, f_min: float, f_max: float) -> None:
    """Refuse a window in which the wavelet of `f_min` sees nothing but the window's edges.

    Raises
    ------
    ValueError
        If the cones of influence of both edges meet at `f_min`; the message says what `f_min` would do. The cone
        reaches sqrt(2) cycles / (2 pi f) seconds from an edge (Torrence & Compo 1998).
    """
    if not f_min > 0:
        raise ValueError("cwt: f_min is 0 Hz, and rows spaced in log start above 0; choose f_min above 0")
    seconds = n_times / sfreq
    needed = 2 * math.sqrt(2) * wavelet.cycles / (2 * math.pi * f_min)
    if needed <= seconds:
        return
    lowest = f_min * needed / seconds
    digits = 2 - math.floor(math.log10(lowest))
    lowest = math.ceil(lowest * 10**digits) / 10**digits
    way = f"choose f_min: {lowest:g} or higher" if lowest < f_max else "no f_min below f_max works"
    raise ValueError(
        f"cwt: a {type(wavelet).__name__} wavelet with cycles: {wavelet.cycles:g} at f_min: {f_min:g} Hz needs "
        f"{needed:.3g} s, a window has {seconds:g} s; {way}, or longer windows"
    )
