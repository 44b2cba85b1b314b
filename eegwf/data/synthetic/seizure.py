"""Seizures of the synthetic recordings, with their true location and frequency.

A focal seizure starts at a few neighboring electrodes as a rhythm of 6.5 to 11 Hz with low amplitude. It slows down,
grows and spreads, in some patients to the other hemisphere. A generalized seizure is spike-and-wave activity near 3 Hz
over the whole head with a frontal maximum, which slows down slightly. Both follow the patterns in EEG textbooks.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from eegwf.data.synthetic.scalp import ELECTRODES, N_ELECTRODES, POSITIONS, distances, mirrored, region
from eegwf.data.synthetic.signal import SFREQ

FOCAL, GENERALIZED = "sz_foc", "sz_gen"

# Most focal epilepsies are temporal; the temporal electrodes are listed twice, which doubles their probability.
_TEMPORAL = ("F7", "F8", "T3", "T4", "T5", "T6")
_FOCI = (*_TEMPORAL, *_TEMPORAL, "F3", "F4", "C3", "C4", "P3", "P4")
# Mean logarithm of the ratio of a seizure's full amplitude to the patient's background amplitude. It was chosen such
# that logistic regression on band powers, split by patient, has a balanced accuracy near 0.7 on the three classes.
_FOCAL_RATIO, _GENERALIZED_RATIO = 1.8, 1.4
_CHEWING = region("T3", "T4", width=0.5)
_FRONTAL = region("Fz", "F3", "F4", width=0.55)


@dataclass(frozen=True)
class SeizureProfile:
    """Properties that the seizures of one type share in one patient.

    Attributes
    ----------
    event_type
        `sz_foc` or `sz_gen`.
    start_frequency, end_frequency
        Frequencies in Hz at the start and at the end of a seizure.
    level
        Full amplitude in microvolts.
    growth
        Fraction of the duration until the full amplitude is reached.
    sharpness
        Amount of harmonics or spikes in the waves, from 0 to 1.
    focus
        Unit vector to the point where the amplitude is highest, shape (3,).
    reach
        Distance in radians over which a focal seizure spreads.
    bilateral
        Whether a focal seizure spreads to the other hemisphere.
    muscle
        Amplitude in microvolts of the muscle artifact of a seizure; 0 for none.
    """

    event_type: str
    start_frequency: float
    end_frequency: float
    level: float
    growth: float
    sharpness: float
    focus: np.ndarray
    reach: float
    bilateral: bool
    muscle: float

    @classmethod
    def draw(cls, rng: np.random.Generator, event_type: str, background_level: float) -> "SeizureProfile":
        """Draw the profile of a patient.

        Parameters
        ----------
        rng
            Random number generator.
        event_type
            `sz_foc` or `sz_gen`.
        background_level
            Level of the patient's background in microvolts; the amplitudes are relative to it.

        Returns
        -------
        SeizureProfile
            The profile.
        """
        if event_type == FOCAL:
            focus = POSITIONS[ELECTRODES.index(rng.choice(_FOCI))] + rng.normal(0, 0.08, 3)
            start, end = rng.uniform(6.5, 11.0), rng.uniform(2.2, 4.5)
            ratio = np.exp(rng.normal(_FOCAL_RATIO, 0.45))
        else:
            focus = POSITIONS[ELECTRODES.index("Fz")] + rng.normal(0, 0.08, 3)
            start, end = rng.uniform(3.2, 4.2), rng.uniform(2.4, 3.0)
            ratio = np.exp(rng.normal(_GENERALIZED_RATIO, 0.45))
        return cls(
            event_type=event_type,
            start_frequency=start,
            end_frequency=end,
            level=background_level * ratio,
            growth=rng.uniform(0.12, 0.4),
            sharpness=rng.uniform(0.15, 0.8),
            focus=focus / np.linalg.norm(focus),
            reach=rng.uniform(0.7, 1.5),
            bilateral=bool(rng.random() < 0.4),
            muscle=background_level * (rng.random() < 0.35) * rng.uniform(0.05, 0.25),
        )


@dataclass(frozen=True)
class Seizure:
    """A seizure of a recording.

    Attributes
    ----------
    profile
        Properties that it shares with the patient's other seizures of its type.
    onset, duration
        Onset in seconds from the start of the recording, and duration in seconds.
    bend
        Exponent of the elapsed fraction of the duration; with 1, the frequency changes exponentially.
    strength
        Factor of the amplitude, relative to the level of the profile.
    delays
        Seconds from the onset until the seizure reaches each electrode, shape (19,); infinite if it does not.
    weights
        Full amplitudes at the electrodes relative to the largest one, shape (19,).
    seed
        Seed of the random numbers of `render`.
    """

    profile: SeizureProfile
    onset: float
    duration: float
    bend: float
    strength: float
    delays: np.ndarray
    weights: np.ndarray
    seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator, profile: SeizureProfile, onset: float, duration: float) -> "Seizure":
        """Draw a seizure.

        Parameters
        ----------
        rng
            Random number generator.
        profile
            Properties of the patient's seizures of this type.
        onset, duration
            Onset in seconds from the start of the recording, and duration in seconds.

        Returns
        -------
        Seizure
            The seizure.
        """
        spread = _focal_spread if profile.event_type == FOCAL else _generalized_spread
        delays, weights = spread(rng, profile, duration)
        return cls(
            profile=profile,
            onset=onset,
            duration=duration,
            bend=rng.uniform(0.7, 1.3),
            strength=np.exp(rng.normal(0, 0.25)),
            delays=delays,
            weights=weights,
            seed=int(rng.integers(2**63)),
        )

    def frequency(self, seconds: np.ndarray) -> np.ndarray:
        """Frequency in Hz at times in seconds from the onset, in the shape of `seconds`."""
        progress = np.clip(seconds / self.duration, 0.0, 1.0) ** self.bend
        return self.profile.start_frequency * (self.profile.end_frequency / self.profile.start_frequency) ** progress

    def truth(self) -> dict[str, Any]:
        """Ground truth for the attribution: location, and frequency over time (seconds of the recording, Hz).

        `delays` are seconds from the onset until the seizure reaches an electrode.
        """
        seconds = np.append(np.arange(0.0, self.duration, 0.5), self.duration)
        track = np.stack([self.onset + seconds, self.frequency(seconds)], axis=1)
        reached = np.flatnonzero(np.isfinite(self.delays))
        return {
            "event_type": self.profile.event_type,
            "onset": self.onset,
            "duration": self.duration,
            "onset_electrodes": [ELECTRODES[i] for i in np.flatnonzero(self.delays == 0.0)],
            "reached_electrodes": [ELECTRODES[i] for i in reached],
            "delays": {ELECTRODES[i]: round(float(self.delays[i]), 3) for i in reached},
            "track": np.round(track, 3).tolist(),
        }

    def render(self) -> np.ndarray:
        """Signal of the seizure without background in microvolts, shape (19, n_times)."""
        rng = np.random.default_rng(self.seed)
        seconds = np.arange(round(self.duration * SFREQ)) / SFREQ
        phase = jittered_phase(rng, self.frequency(seconds), 0.05)
        rise = 0.25 + 0.75 * smooth_step(seconds / (self.profile.growth * self.duration))
        fall = smooth_step((self.duration - seconds) / 1.5)
        envelope = self.profile.level * self.strength * rise * fall
        envelope = envelope * np.exp(0.15 * slow_noise(rng, seconds.size, 1.0))
        wave = spike_wave if self.profile.event_type == GENERALIZED else rhythmic
        signal = np.zeros((N_ELECTRODES, seconds.size))
        for row in np.flatnonzero(np.isfinite(self.delays)):
            arrival = smooth_step((seconds - self.delays[row]) / 3.0 + (self.delays[row] == 0.0))
            # A phase lag between neighboring electrodes: in phase, they would cancel in a bipolar derivation.
            lag = 0.9 * distances(self.profile.focus)[row]
            signal[row] = self.weights[row] * arrival * wave(phase - lag, self.profile.sharpness)
        signal *= envelope
        muscle = np.diff(rng.standard_normal((N_ELECTRODES, seconds.size + 1)), axis=1)
        return signal + self.profile.muscle * _CHEWING[:, None] * rise * fall * muscle


def _focal_spread(rng: np.random.Generator, profile: SeizureProfile, duration: float) -> tuple[np.ndarray, np.ndarray]:
    """Delays in seconds and weights of the electrodes, each of shape (19,), of a focal seizure."""
    arcs = distances(profile.focus)
    speed = profile.reach / (0.75 * duration) * rng.uniform(0.85, 1.15)
    onset_zone = np.argsort(arcs)[: rng.integers(2, 4)]
    delays = (arcs - arcs[onset_zone].max()) / speed
    delays[onset_zone] = 0.0
    weights = np.exp(-0.5 * (arcs / 0.9) ** 2)
    if profile.bilateral:
        mirror_arcs = distances(mirrored(profile.focus))
        mirror_delays = 0.4 * duration + mirror_arcs / speed
        mirror_weights = 0.6 * np.exp(-0.5 * (mirror_arcs / 0.7) ** 2)
        weights = np.where(mirror_delays < delays, np.maximum(weights, mirror_weights), weights)
        delays = np.minimum(delays, mirror_delays)
    delays = np.where((delays < 0.9 * duration) & (weights > 0.15), delays, np.inf)
    return delays, weights / weights[onset_zone].max()


def _generalized_spread(
    rng: np.random.Generator, profile: SeizureProfile, duration: float
) -> tuple[np.ndarray, np.ndarray]:
    """Delays in seconds and weights of the electrodes, each of shape (19,), of a generalized seizure."""
    weights = (0.4 + 0.6 * _FRONTAL) * np.exp(rng.normal(0, 0.08, N_ELECTRODES))
    return np.zeros(N_ELECTRODES), weights / weights.max()


def smooth_step(x: np.ndarray) -> np.ndarray:
    """Cubic step from 0 at x <= 0 to 1 at x >= 1 with a continuous first derivative."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def slow_noise(rng: np.random.Generator, n_times: int, seconds: float) -> np.ndarray:
    """Draw slow noise: independent normal values, interpolated linearly.

    Parameters
    ----------
    rng
        Random number generator.
    n_times
        Number of samples.
    seconds
        Seconds between two independent values.

    Returns
    -------
    np.ndarray
        Noise with a standard deviation of 1 at the independent values, shape (n_times,).
    """
    knots = np.arange(-1, n_times / SFREQ / seconds + 2)
    return np.interp(np.arange(n_times) / SFREQ / seconds, knots, rng.standard_normal(knots.size))


def jittered_phase(rng: np.random.Generator, frequency: np.ndarray, jitter: float) -> np.ndarray:
    """Phase of an oscillation with random fluctuations of its frequency.

    Parameters
    ----------
    rng
        Random number generator.
    frequency
        Frequency in Hz at each sample, shape (n_times,).
    jitter
        Relative standard deviation of the fluctuations.

    Returns
    -------
    np.ndarray
        Phase in radians from a random initial phase, shape (n_times,).
    """
    jittered = frequency * (1 + jitter * slow_noise(rng, frequency.size, 0.7))
    return 2 * np.pi * np.cumsum(jittered) / SFREQ + rng.uniform(0, 2 * np.pi)


def rhythmic(phase: np.ndarray, sharpness: float) -> np.ndarray:
    """Rhythmic waves with a fundamental of unit amplitude.

    Parameters
    ----------
    phase
        Phase in radians, shape (n_times,).
    sharpness
        Amplitude of the harmonics, from 0 to 1.

    Returns
    -------
    np.ndarray
        The waves, shape (n_times,).
    """
    return np.sin(phase) + 0.5 * sharpness * np.sin(2 * phase + 0.9) + 0.3 * sharpness * np.sin(3 * phase + 1.7)


def spike_wave(phase: np.ndarray, sharpness: float) -> np.ndarray:
    """Spike-and-wave complexes of about unit amplitude: in each cycle a negative spike, then a slow wave.

    Parameters
    ----------
    phase
        Phase in radians, shape (n_times,); one complex every 2 pi.
    sharpness
        Amplitude of the spike above 0.5, from 0 to 1.

    Returns
    -------
    np.ndarray
        The complexes, shape (n_times,), with about zero mean.
    """
    cycle = np.mod(phase / (2 * np.pi), 1.0)
    spike = np.exp(-0.5 * ((cycle - 0.15) / 0.035) ** 2)
    wave = np.sin(np.pi * np.clip((cycle - 0.3) / 0.7, 0.0, 1.0)) ** 2
    return wave - 0.37 - (0.5 + sharpness) * (spike - 0.088)
