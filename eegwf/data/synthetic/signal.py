"""Signal model of the synthetic recordings: properties of a patient's EEG and the background activity.

The background consists of noise with a 1/f spectrum, correlated between neighboring electrodes, posterior alpha with a
varying amplitude, slow waves of drowsiness, muscle artifacts, line noise and amplifier noise. The levels vary more
between patients than within a patient. Therefore scores are higher if the windows of a patient are in both the training
set and the test set, as in real data.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import fft

from eegwf.data.synthetic.scalp import N_ELECTRODES, mix, region, spatial_root

SFREQ = 256
LINE_FREQUENCY = 50.0
# Together with the cross-fade of one second a block has 2**14 samples, a fast length for the Fourier transform.
BLOCK = 63 * SFREQ
_FADE = SFREQ

_WIDE, _NARROW = spatial_root(1.5), spatial_root(0.35)
_POSTERIOR = region("O1", "O2", "Pz", width=0.55)
_FRONTOCENTRAL = region("Fz", "Cz", "F3", "F4", width=0.7)
_MUSCLE = region("T3", "T4", "F7", "F8", "Fp1", "Fp2", width=0.4)


@dataclass(frozen=True)
class SlowFluctuation:
    """Slow change over the recording with about zero mean and unit variance: a sum of three sines.

    Attributes
    ----------
    periods, phases
        Periods in seconds and phases in radians of the sines, each of shape (3,).
    """

    periods: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, shortest: float, longest: float) -> "SlowFluctuation":
        """Draw periods and phases.

        Parameters
        ----------
        rng
            Random number generator.
        shortest, longest
            Bounds of the periods in seconds.

        Returns
        -------
        SlowFluctuation
            The fluctuation.
        """
        periods = np.exp(rng.uniform(np.log(shortest), np.log(longest), 3))
        return cls(periods, rng.uniform(0, 2 * np.pi, 3))

    def values(self, start: int, n_times: int) -> np.ndarray:
        """Evaluate the fluctuation at consecutive samples.

        Parameters
        ----------
        start
            First sample.
        n_times
            Number of samples.

        Returns
        -------
        np.ndarray
            Values, shape (n_times,).
        """
        seconds = np.arange(start, start + n_times) / SFREQ
        waves = np.sin(2 * np.pi * seconds / self.periods[:, None] + self.phases[:, None])
        return waves.sum(axis=0) * np.sqrt(2 / 3)


@dataclass(frozen=True)
class PatientProfile:
    """Properties that distinguish the EEG of a patient from that of other patients.

    Attributes
    ----------
    level, exponent, knee
        Level in microvolts, exponent of the power and corner frequency in Hz of the noise with a 1/f spectrum.
    alpha_frequency, alpha_level
        Frequency in Hz and level in microvolts of alpha.
    drowsy_level, drowsy_frequency
        Level in microvolts and frequency in Hz of the slow waves of drowsiness.
    beta_level, amplifier_level, muscle_level, line_level
        Levels in microvolts of beta, amplifier noise, muscle artifacts and line noise.
    blinks_per_minute
        Mean number of blinks.
    line_weights, gains
        Factors of the line noise and of all activity at each electrode, shape (19,).
    vigilance, alpha_course, level_course
        Fluctuations of drowsiness, of the alpha level, and of the levels of 1/f noise and muscle artifacts.
    seed
        Seed of the random numbers of the background.
    """

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
    vigilance: SlowFluctuation
    alpha_course: SlowFluctuation
    level_course: SlowFluctuation
    seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "PatientProfile":
        """Draw the profile of a patient."""
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
            vigilance=SlowFluctuation.draw(rng, 25, 150),
            alpha_course=SlowFluctuation.draw(rng, 6, 40),
            level_course=SlowFluctuation.draw(rng, 15, 120),
            seed=int(rng.integers(2**63)),
        )


def colored_noise(rng: np.random.Generator, shape: np.ndarray, n_rows: int, n_times: int) -> np.ndarray:
    """Draw noise of unit variance with a given amplitude spectrum.

    Parameters
    ----------
    rng
        Random number generator.
    shape
        Relative amplitude at each frequency of `scipy.fft.rfftfreq(n_times)`; the zero frequency is ignored.
    n_rows, n_times
        Numbers of independent signals and of samples.

    Returns
    -------
    np.ndarray
        Noise, shape (n_rows, n_times).
    """
    shape = np.where(np.arange(shape.size) == 0, 0.0, shape)
    shape = shape * (n_times / 2) / np.sqrt((shape**2).sum())
    draws = rng.standard_normal((2, n_rows, shape.size))
    return fft.irfft((draws[0] + 1j * draws[1]) * shape, n_times, axis=1)


def band(freqs: np.ndarray, center: float, width: float) -> np.ndarray:
    """Gaussian amplitude spectrum.

    Parameters
    ----------
    freqs
        Frequencies in Hz, shape (n_freqs,).
    center, width
        Center and standard deviation in Hz.

    Returns
    -------
    np.ndarray
        Amplitudes, shape (n_freqs,); the amplitude at the center is 1.
    """
    return np.exp(-0.5 * ((freqs - center) / width) ** 2)


def background(patient: PatientProfile, n_times: int) -> Iterator[np.ndarray]:
    """Generate the background activity of a recording block by block.

    Parameters
    ----------
    patient
        Properties of the patient's EEG.
    n_times
        Number of samples of the recording.

    Yields
    ------
    np.ndarray
        Block of at most 63 s in microvolts, shape (19, n_block_times).

    Notes
    -----
    Consecutive blocks are cross-faded over one second. The signal is continuous, and a recording of any length needs
    the memory of one block.
    """
    rng = np.random.default_rng(patient.seed)
    fade_in = np.sin(np.linspace(0, np.pi / 2, _FADE))
    tail = None
    for start in range(0, n_times, BLOCK):
        block = _draw_block(patient, rng, start, BLOCK + _FADE)
        if tail is not None:
            # The squares of sine and cosine add up to 1, which preserves the variance of independent noises.
            block[:, :_FADE] = block[:, :_FADE] * fade_in + tail * fade_in[::-1]
        tail = block[:, BLOCK:]
        length = min(BLOCK, n_times - start)
        yield (block[:, :length] + _line_noise(patient, start, length)) * patient.gains[:, None]


def _draw_block(patient: PatientProfile, rng: np.random.Generator, start: int, n_times: int) -> np.ndarray:
    """Background without line noise from sample `start`, in microvolts, shape (19, n_times)."""
    freqs = fft.rfftfreq(n_times, 1 / SFREQ)
    high_pass = freqs**2 / (freqs**2 + 0.3**2)

    def noise(shape: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return mix(weights, colored_noise(rng, shape * high_pass, N_ELECTRODES, n_times))

    one_over_f = (freqs + patient.knee) ** (-patient.exponent / 2)
    level_factor = np.exp(0.16 * patient.level_course.values(start, n_times))
    drowsiness = 1 / (1 + np.exp(-3 * (patient.vigilance.values(start, n_times) - 0.3)))
    relaxation = 1 / (1 + np.exp(-4 * patient.alpha_course.values(start, n_times)))

    signal = patient.level * level_factor * noise(one_over_f, 0.8 * _WIDE + 0.45 * _NARROW)
    alpha = noise(band(freqs, patient.alpha_frequency, 0.5), _WIDE)
    signal += 1.8 * patient.alpha_level * relaxation * (1 - 0.7 * drowsiness) * _POSTERIOR[:, None] * alpha
    slow = noise(band(freqs, patient.drowsy_frequency, 0.9) + band(freqs, 1.8, 0.6), _WIDE)
    signal += 1.4 * patient.drowsy_level * drowsiness * (0.4 + _FRONTOCENTRAL)[:, None] * slow
    signal += patient.beta_level * noise(band(freqs, 18.0, 4.0), _WIDE)
    # The offset of 77 s makes the muscle level differ in time from that of the 1/f noise.
    muscle_level = patient.muscle_level * np.exp(0.4 * patient.level_course.values(start + 77 * SFREQ, n_times))
    muscle = rng.standard_normal((N_ELECTRODES, n_times))
    # The difference of consecutive samples emphasizes high frequencies, as in the spectrum of scalp muscles.
    muscle[:, 1:] -= 0.7 * muscle[:, :-1]
    signal += muscle_level * (0.15 + _MUSCLE)[:, None] * muscle
    signal += patient.amplifier_level * rng.standard_normal((N_ELECTRODES, n_times))
    return signal


def _line_noise(patient: PatientProfile, start: int, n_times: int) -> np.ndarray:
    """Line noise from sample `start`, in microvolts, shape (19, n_times)."""
    seconds = np.arange(start, start + n_times) / SFREQ
    wave = np.sin(2 * np.pi * LINE_FREQUENCY * seconds)
    return patient.line_level * patient.line_weights[:, None] * wave
