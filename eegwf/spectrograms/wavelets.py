"""Analytic wavelets, defined by their spectra as functions of the frequency divided by the center frequency."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Morlet:
    """Complex Morlet wavelet: exp(-cycles^2 (r - 1)^2 / 2) at r times the center frequency, 0 for r <= 0.

    In time it is exp(i cycles u - u^2 / 2) / sqrt(2 pi), with u in units of its scale cycles / (2 pi f).

    Parameters
    ----------
    cycles
        Center frequency in radians per unit of scale, w0.
    """

    cycles: float

    def gain(self, ratio: np.ndarray | float) -> np.ndarray:
        """Spectrum at `ratio` times the center frequency; 1 at its peak."""
        ratio = np.asarray(ratio, dtype=np.float64)
        return np.exp(-((self.cycles * (ratio - 1)) ** 2) / 2) * (ratio > 0)


@dataclass(frozen=True)
class Morse:
    """Generalized Morse wavelet: r^beta exp(-(beta / gamma) (r^gamma - 1)) at r times the peak frequency.

    Parameters
    ----------
    cycles
        P = sqrt(beta gamma), the square root of the time-bandwidth product: the center of the wavelet contains P / pi
        oscillations, as for a Morlet wavelet with the same `cycles`.
    gamma
        Symmetry; at 3 the wavelet is the most symmetric and the closest to a Gaussian (Airy wavelet).

    Notes
    -----
    Olhede & Walden 2002, IEEE Trans. Signal Processing 50:2661; Lilly & Olhede 2009, ibid. 57:146. The Morse wavelet is
    exactly analytic for all parameters. The spectrum of a Morlet wavelet of few cycles has to be cut off at 0 Hz.
    """

    cycles: float
    gamma: float

    def gain(self, ratio: np.ndarray | float) -> np.ndarray:
        """Spectrum at `ratio` times the peak frequency; 1 at its peak."""
        ratio = np.asarray(ratio, dtype=np.float64)
        beta = self.cycles**2 / self.gamma
        positive = np.where(ratio > 0, ratio, 1.0)
        with np.errstate(over="ignore"):
            exponent = beta * np.log(positive) - beta / self.gamma * (positive**self.gamma - 1)
        return np.exp(exponent) * (ratio > 0)


def make_wavelet(name: str, cycles: float, gamma: float) -> Morlet | Morse:
    """Make a wavelet from its name.

    Parameters
    ----------
    name
        "morlet" or "morse".
    cycles
        Center frequency in radians (Morlet), or square root of the time-bandwidth product (Morse).
    gamma
        Symmetry of the Morse wavelet; the Morlet wavelet does not use it.

    Returns
    -------
    Morlet or Morse
        The wavelet.

    Raises
    ------
    ValueError
        If there is no such wavelet, or if its parameters are not above 0.
    """
    if not (cycles > 0 and math.isfinite(cycles)):
        raise ValueError(f"cwt: cycles is {cycles}; expected a number above 0")
    if name == "morlet":
        return Morlet(float(cycles))
    if name != "morse":
        raise ValueError(f"cwt: wavelet is {name!r}; expected 'morlet' or 'morse'")
    if not (gamma > 0 and math.isfinite(gamma)):
        raise ValueError(f"cwt: gamma is {gamma}; expected a number above 0")
    return Morse(float(cycles), float(gamma))


def band(wavelet: Morlet | Morse, level: float) -> tuple[float, float]:
    """Range of frequencies in which the gain of a wavelet is above a level.

    Parameters
    ----------
    wavelet
        The wavelet.
    level
        Gain, between 0 and 1.

    Returns
    -------
    low, high : float
        Ends of the range, divided by the center frequency.
    """
    ends = []
    for sign in (-1, 1):
        # Bisection of the logarithm of the frequency between a point inside the range and a point outside.
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
    """Refuse a window in which the wavelet of `f_min` is affected by an edge at every moment.

    Parameters
    ----------
    wavelet
        The wavelet.
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of a window.
    f_min, f_max
        Lowest and highest frequency in Hz.

    Raises
    ------
    ValueError
        If `f_min` is 0, or if the cones of influence of both edges overlap at `f_min`; the message names the lowest
        possible `f_min`. The cone extends sqrt(2) cycles / (2 pi f) seconds from an edge (Torrence & Compo 1998).
    """
    if not f_min > 0:
        raise ValueError("cwt: f_min is 0 Hz, but the rows are evenly spaced in the logarithm; choose f_min above 0")
    seconds = n_times / sfreq
    needed = 2 * math.sqrt(2) * wavelet.cycles / (2 * math.pi * f_min)
    if needed <= seconds:
        return
    lowest = f_min * needed / seconds
    digits = 2 - math.floor(math.log10(lowest))
    lowest = math.ceil(lowest * 10**digits) / 10**digits
    choice = f"choose f_min: {lowest:g} or higher" if lowest < f_max else "no f_min below f_max is possible"
    raise ValueError(
        f"cwt: a {type(wavelet).__name__} wavelet with cycles: {wavelet.cycles:g} at f_min: {f_min:g} Hz needs "
        f"{needed:.3g} s, a window has {seconds:g} s; {choice}, or use longer windows"
    )
