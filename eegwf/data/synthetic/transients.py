"""Short events of the synthetic background: artifacts, and rhythms that resemble seizures.

The rhythms are those that are commonly mistaken for seizures: rhythmic temporal theta of drowsiness, rhythmic frontal
delta, focal slowing, electrode artifacts by rocking, and interictal spike-and-wave.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from eegwf.data.synthetic.scalp import ELECTRODES, N_ELECTRODES, POSITIONS, patch, region
from eegwf.data.synthetic.seizure import (
    FOCAL,
    GENERALIZED,
    SeizureProfile,
    jittered_phase,
    rhythmic,
    slow_noise,
    smooth_step,
    spike_wave,
)
from eegwf.data.synthetic.signal import SFREQ, PatientProfile

_EYES = region("Fp1", "Fp2", width=0.4)
_FRONTAL = region("Fz", "F3", "F4", width=0.6)
_TEMPORAL = ("T3", "T4", "F7", "F8", "T5", "T6")


@dataclass(frozen=True)
class Transient:
    """A short event of the background.

    Attributes
    ----------
    start, n_times
        First sample and number of samples.
    render
        Function that returns the signal in microvolts, shape (19, n_times).
    """

    start: int
    n_times: int
    render: Callable[[], np.ndarray]


def transients(
    rng: np.random.Generator, patient: PatientProfile, seizure_profiles: list[SeizureProfile], n_times: int
) -> list[Transient]:
    """Draw the short background events of a recording.

    Parameters
    ----------
    rng
        Random number generator.
    patient
        Properties of the patient's EEG.
    seizure_profiles
        Profiles of the patient's seizures; empty for a patient without seizures.
    n_times
        Number of samples of the recording.

    Returns
    -------
    list of Transient
        The events in order of their first samples.
    """
    level = patient.level
    by_type = {profile.event_type: profile for profile in seizure_profiles}
    # Patients without focal seizures may have focal slowing too; otherwise slowing alone would identify the group.
    slow_focus = by_type[FOCAL].focus if FOCAL in by_type else _scalp_point(rng)
    slow_rate = rng.uniform(0.3, 1.2) if FOCAL in by_type or rng.random() < 0.4 else 0.0
    spike_rate = rng.uniform(1.0, 4.0) if GENERALIZED in by_type else 0.4 * (rng.random() < 0.3)
    theta_electrode, rocking_electrode = rng.choice(_TEMPORAL), rng.choice(ELECTRODES)
    kinds: list[tuple[float, float, float, Callable[[int, int], np.ndarray]]] = [
        # events per minute, minimum and maximum duration in seconds, function of seed and number of samples
        (patient.blinks_per_minute, 0.3, 0.5, partial(_blink, rng.uniform(50, 130))),
        (rng.uniform(0.3, 3.0), 0.5, 4.0, partial(_muscle_burst, 4 * patient.muscle_level)),
        (rng.uniform(0.0, 0.8), 0.6, 2.0, partial(_pop, rng.uniform(60, 250))),
        (rng.uniform(0.0, 0.7), 3.0, 9.0, partial(_rocking, level * rng.uniform(1.0, 3.5), rocking_electrode)),
        (rng.uniform(0.2, 1.0), 3.0, 9.0, partial(_theta_run, level * rng.uniform(0.8, 2.8), theta_electrode)),
        (rng.uniform(0.0, 0.9), 2.5, 7.0, partial(_frontal_delta, level * rng.uniform(0.8, 2.6))),
        (slow_rate, 3.0, 9.0, partial(_focal_slowing, level * rng.uniform(0.8, 2.2), slow_focus)),
        (spike_rate, 0.6, 1.9, partial(_interictal, level * rng.uniform(1.5, 3.5))),
    ]
    drawn = []
    for rate, shortest, longest, render in kinds:
        for _ in range(rng.poisson(rate * n_times / SFREQ / 60)):
            length = int(rng.uniform(shortest, longest) * SFREQ)
            start = int(rng.integers(0, max(1, n_times - length)))
            drawn.append(Transient(start, length, partial(render, int(rng.integers(2**63)), length)))
    return sorted(drawn, key=lambda event: event.start)


def _scalp_point(rng: np.random.Generator) -> np.ndarray:
    """Position of a random electrode, shape (3,)."""
    return POSITIONS[rng.integers(N_ELECTRODES)]


def _envelope(n_times: int, ramp: float = 0.25) -> np.ndarray:
    """Envelope from 0 to 1 and back, shape (n_times,); each ramp takes this fraction of the duration."""
    position = np.linspace(0, 1, n_times)
    return smooth_step(position / ramp) * smooth_step((1 - position) / ramp)


def _blink(level: float, seed: int, n_times: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return level * np.exp(rng.normal(0, 0.25)) * _EYES[:, None] * np.hanning(n_times)


def _muscle_burst(level: float, seed: int, n_times: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    weights = patch(POSITIONS[ELECTRODES.index(rng.choice(_TEMPORAL))], 0.5)
    noise = np.diff(rng.standard_normal((N_ELECTRODES, n_times + 1)), axis=1)
    return level * np.exp(rng.normal(0, 0.3)) * weights[:, None] * _envelope(n_times) * noise


def _pop(level: float, seed: int, n_times: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    signal = np.zeros((N_ELECTRODES, n_times))
    step = np.exp(-np.arange(n_times) / (0.25 * n_times))
    signal[rng.integers(N_ELECTRODES)] = rng.choice([-1, 1]) * level * step
    return signal


def _rocking(level: float, electrode: str, seed: int, n_times: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    phase = jittered_phase(rng, np.full(n_times, rng.uniform(1.0, 4.5)), 0.12)
    wave = level * _envelope(n_times) * rhythmic(phase, 0.8)
    return patch(POSITIONS[ELECTRODES.index(electrode)], 0.25)[:, None] * wave


def _theta_run(level: float, electrode: str, seed: int, n_times: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    phase = jittered_phase(rng, np.full(n_times, rng.uniform(4.5, 7.5)), 0.06)
    wave = level * _envelope(n_times) * rhythmic(phase, 0.6)
    return patch(POSITIONS[ELECTRODES.index(electrode)], 0.55)[:, None] * wave


def _frontal_delta(level: float, seed: int, n_times: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    phase = jittered_phase(rng, np.full(n_times, rng.uniform(2.0, 3.6)), 0.1)
    return (0.25 + _FRONTAL)[:, None] * level * _envelope(n_times) * rhythmic(phase, 0.35)


def _focal_slowing(level: float, focus: np.ndarray, seed: int, n_times: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    # Unlike in a seizure, frequency and amplitude change from wave to wave.
    phase = jittered_phase(rng, np.full(n_times, rng.uniform(1.5, 4.0)), 0.45)
    wave = level * _envelope(n_times) * np.exp(0.5 * slow_noise(rng, n_times, 0.5)) * rhythmic(phase, 0.4)
    return patch(focus, 0.6)[:, None] * wave


def _interictal(level: float, seed: int, n_times: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    phase = jittered_phase(rng, np.full(n_times, rng.uniform(3.0, 4.5)), 0.05)
    return (0.4 + 0.6 * _FRONTAL)[:, None] * level * _envelope(n_times, 0.15) * spike_wave(phase, 0.6)
