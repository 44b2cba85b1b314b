"""The recording system of the synthetic data set: reference, names of the channels, gain, noise and sampling rate."""

import math

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import resample_poly

from eegwf.config.synthetic import Amplifier
from eegwf.data.synthetic.scalp import ELECTRODES
from eegwf.data.synthetic.signal import SFREQ

MODERN = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
LIMITS = -32768, 32767
MIN_TILTED, CENTER = 0.5, 8.0  # Hz: the response is constant below the first, and 0 dB at the second


def channel_names(amplifier: Amplifier) -> list[str]:
    """Names of the channels in the files."""
    if amplifier.reference == "common":
        return [f"EEG {electrode}-REF" for electrode in ELECTRODES]
    return [f"{MODERN.get(electrode, electrode)}-AVG" for electrode in ELECTRODES]


def record(digital: np.ndarray, amplifier: Amplifier, seed: tuple[int, int]) -> np.ndarray:
    """Record the signals of a patient by an amplifier.

    Parameters
    ----------
    digital
        Digital samples against the common reference at 256 Hz, `(19, n_times)`.
    amplifier
        The recording system. Its default leaves the samples as they are.
    seed
        Seed of the recording.

    Returns
    -------
    ndarray
        Digital samples of 16 bits, `(19, n_times * sfreq / 256)`.
    """
    if amplifier == Amplifier():
        return digital
    rng = np.random.default_rng((*seed, 1))
    gains, slope = _response_of_patient(amplifier, len(digital), seed)
    mean = digital.mean(axis=0, dtype=np.float32) if amplifier.reference == "average" else np.float32(0)
    factor = math.gcd(amplifier.sfreq, SFREQ)
    up, down = amplifier.sfreq // factor, SFREQ // factor
    recorded = []
    # One channel after another, since a long recording needs much memory in floating point.
    for channel, gain in zip(digital, gains, strict=True):
        samples = (channel - mean) * np.float32(amplifier.gain * gain)
        if slope:
            samples = _tilted(samples, slope)
        if up != down:
            samples = resample_poly(samples, up, down)
        noise = rng.standard_normal(len(samples), dtype=np.float32) * np.float32(amplifier.noise_steps)
        recorded.append(np.clip(np.round(samples + noise), *LIMITS).astype(np.int16))
    return np.stack(recorded)


def _response_of_patient(amplifier: Amplifier, n_chans: int, seed: tuple[int, int]) -> tuple[np.ndarray, float]:
    """Gain of each channel, and slope of the frequency response in dB per octave, of a patient's recording."""
    rng = np.random.default_rng((*seed, 2))
    common, slope, single = rng.standard_normal(), rng.standard_normal(), rng.standard_normal(n_chans)
    decibels = common * amplifier.gain_spread + single * amplifier.electrode_spread
    return 10 ** (decibels / 20), slope * amplifier.tilt_spread


def _tilted(samples: np.ndarray, slope: float) -> np.ndarray:
    """Filter samples at 256 Hz by a zero-phase filter whose response has a slope in dB per octave."""
    n_fft = next_fast_len(len(samples), real=True)
    octaves = np.log2(np.maximum(rfftfreq(n_fft, 1 / SFREQ), MIN_TILTED) / CENTER)
    response = (10 ** (slope * octaves / 20)).astype(np.float32)
    return irfft(rfft(samples, n_fft) * response, n_fft)[: len(samples)]
