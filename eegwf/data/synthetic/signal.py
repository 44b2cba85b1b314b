"""The signal model of the synthetic recordings: a patient's fingerprint and the ongoing background.

The background is noise with a 1/f spectrum that neighbouring electrodes share, alpha over the back of
the head that comes and goes, slow waves of drowsiness, muscle, line noise and amplifier noise. All
levels are the patient's own, and they vary more between patients than within one: this is what lets a
split by window look better than a split by patient.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import fft

from eegwf.data.synthetic.scalp import N_ELECTRODES, mix, region, spatial_root

SFREQ = 256
LINE_FREQUENCY = 50.0
# With the second over which blocks are faded, 2**14 samples: a quick length for the Fourier transform.
BLOCK = 63 * SFREQ
_FADE = SFREQ

_WIDE, _NARROW = spatial_root(1.5), spatial_root(0.35)
_POSTERIOR = region("O1", "O2", "Pz", width=0.55)
_FRONTOCENTRAL = region("Fz", "Cz", "F3", "F4", width=0.7)
_MUSCLE = region("T3", "T4", "F7", "F8", "Fp1", "Fp2", width=0.4)


@dataclass(frozen=True)
class Wander:
    """A slow change over the recording, about zero mean and unit variance: a sum of three sines."""

    periods: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, shortest: float, longest: float) -> "Wander":
        """Draw periods in seconds between two bounds, and phases."""
        periods = np.exp(rng.uniform(np.log(shortest), np.log(longest), 3))
        return cls(periods, rng.uniform(0, 2 * np.pi, 3))

    def at(self, start: int, n_times: int) -> np.ndarray:
        """Values (n_times,) from sample `start` on."""
        seconds = np.arange(start, start + n_times) / SFREQ
        waves = np.sin(2 * np.pi * seconds / self.periods[:, None] + self.phases[:, None])
        return waves.sum(axis=0) * np.sqrt(2 / 3)


@dataclass(frozen=True)
class Fingerprint:
    """What makes one patient's EEG look unlike another's; levels in microvolts, frequencies in Hz."""

    level: float
    exponent: float
    knee: float
    alpha_frequency: float
    alpha_level: float
    drowsy_level: float
    drowsy_frequency: float
    beta_level: float
    amplifier_level: float
    muscle_level: float
    line_level: float
    blinks_per_minute: float
    line_weights: np.ndarray
    gains: np.ndarray
    vigilance: Wander
    alpha_course: Wander
    loudness: Wander
    seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Fingerprint":
        """Draw a patient."""
        level = 16.0 * np.exp(rng.normal(0, 0.3))
        return cls(
            level=level,
            exponent=rng.uniform(1.6, 2.3),
            knee=rng.uniform(0.6, 2.0),
            alpha_frequency=rng.normal(9.6, 1.0),
            alpha_level=level * np.exp(rng.normal(-0.9, 0.5)),
            drowsy_level=level * np.exp(rng.normal(-0.7, 0.4)),
            drowsy_frequency=rng.uniform(3.0, 6.0),
            beta_level=level * np.exp(rng.normal(-2.0, 0.5)),
            amplifier_level=np.exp(rng.normal(0.1, 0.5)),
            muscle_level=2.0 * np.exp(rng.normal(0, 0.6)),
            line_level=1.5 * np.exp(rng.normal(0, 0.9)),
            blinks_per_minute=rng.uniform(2, 16),
            line_weights=np.exp(rng.normal(0, 0.8, N_ELECTRODES)),
            gains=np.exp(rng.normal(0, 0.12, N_ELECTRODES)),
            vigilance=Wander.draw(rng, 25, 150),
            alpha_course=Wander.draw(rng, 6, 40),
            loudness=Wander.draw(rng, 15, 120),
            seed=int(rng.integers(2**63)),
        )


def coloured_noise(rng: np.random.Generator, shape: np.ndarray, n_rows: int, n_times: int) -> np.ndarray:
    """Noise (n_rows, n_times) of unit variance with an amplitude spectrum of the given shape.

    Parameters
    ----------
    rng
        Where the draws come from.
    shape
        Amplitude at each frequency of `scipy.fft.rfftfreq(n_times)`; the zero frequency is left out.
    """
    shape = np.where(np.arange(shape.size) == 0, 0.0, shape)
    shape = shape * (n_times / 2) / np.sqrt((shape**2).sum())
    draws = rng.standard_normal((2, n_rows, shape.size))
    return fft.irfft((draws[0] + 1j * draws[1]) * shape, n_times, axis=1)


def band(freqs: np.ndarray, centre: float, width: float) -> np.ndarray:
    """Gaussian amplitude spectrum around `centre`, both in Hz."""
    return np.exp(-0.5 * ((freqs - centre) / width) ** 2)


def background(patient: Fingerprint, n_times: int) -> Iterator[np.ndarray]:
    """Ongoing activity of a recording in blocks (19, up to 63 s), microvolts.

    Blocks are faded into one another over a second, so that a recording of any length needs the
    memory of one block and has no seam.
    """
    rng = np.random.default_rng(patient.seed)
    fade_in = np.sin(np.linspace(0, np.pi / 2, _FADE))
    tail = None
    for start in range(0, n_times, BLOCK):
        block = _stretch(patient, rng, start, BLOCK + _FADE)
        if tail is not None:
            # Sine and cosine keep the variance of a sum of independent noises.
            block[:, :_FADE] = block[:, :_FADE] * fade_in + tail * fade_in[::-1]
        tail = block[:, BLOCK:]
        length = min(BLOCK, n_times - start)
        yield (block[:, :length] + _line(patient, start, length)) * patient.gains[:, None]


def _stretch(patient: Fingerprint, rng: np.random.Generator, start: int, n_times: int) -> np.ndarray:
    freqs = fft.rfftfreq(n_times, 1 / SFREQ)
    high_pass = freqs**2 / (freqs**2 + 0.3**2)

    def noise(shape: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return mix(weights, coloured_noise(rng, shape * high_pass, N_ELECTRODES, n_times))

    one_over_f = (freqs + patient.knee) ** (-patient.exponent / 2)
    loudness = np.exp(0.16 * patient.loudness.at(start, n_times))
    drowsiness = 1 / (1 + np.exp(-3 * (patient.vigilance.at(start, n_times) - 0.3)))
    relaxed = 1 / (1 + np.exp(-4 * patient.alpha_course.at(start, n_times)))

    signal = patient.level * loudness * noise(one_over_f, 0.8 * _WIDE + 0.45 * _NARROW)
    alpha = noise(band(freqs, patient.alpha_frequency, 0.5), _WIDE)
    signal += 1.8 * patient.alpha_level * relaxed * (1 - 0.7 * drowsiness) * _POSTERIOR[:, None] * alpha
    slow = noise(band(freqs, patient.drowsy_frequency, 0.9) + band(freqs, 1.8, 0.6), _WIDE)
    signal += 1.4 * patient.drowsy_level * drowsiness * (0.4 + _FRONTOCENTRAL)[:, None] * slow
    signal += patient.beta_level * noise(band(freqs, 18.0, 4.0), _WIDE)
    tonic = patient.muscle_level * np.exp(0.4 * patient.loudness.at(start + 77 * SFREQ, n_times))
    muscle = rng.standard_normal((N_ELECTRODES, n_times))
    # A first difference lifts the high frequencies, as the spectrum of scalp muscle does.
    muscle[:, 1:] -= 0.7 * muscle[:, :-1]
    signal += tonic * (0.15 + _MUSCLE)[:, None] * muscle
    signal += patient.amplifier_level * rng.standard_normal((N_ELECTRODES, n_times))
    return signal


def _line(patient: Fingerprint, start: int, n_times: int) -> np.ndarray:
    seconds = np.arange(start, start + n_times) / SFREQ
    wave = np.sin(2 * np.pi * LINE_FREQUENCY * seconds)
    return patient.line_level * patient.line_weights[:, None] * wave
