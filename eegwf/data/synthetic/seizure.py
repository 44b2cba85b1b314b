"""Seizures of the synthetic recordings, each with its truth: where it is, and how fast it beats.

A focal seizure starts at a few neighbouring electrodes as a faint fast rhythm that slows down, grows and
spreads, in some patients to the other side. A generalized one is spike-and-wave near 3 Hz over the whole
head, strongest in front, that slows down a little. Both patterns are the textbook ones.
"""

from dataclasses import dataclass

import numpy as np

from eegwf.data.synthetic.scalp import ELECTRODES, N_ELECTRODES, POSITIONS, distances, mirrored, region
from eegwf.data.synthetic.signal import SFREQ

FOCAL, GENERALIZED = "sz_foc", "sz_gen"

# Most focal epilepsies start in a temporal lobe: these electrodes stand twice.
_TEMPORAL = ("F7", "F8", "T3", "T4", "T5", "T6")
_FOCI = (*_TEMPORAL, *_TEMPORAL, "F3", "F4", "C3", "C4", "P3", "P4")
# Logarithm of the typical ratio of a grown seizure to the patient's background. Tuned so that band powers
# and logistic regression, split by patient, tell the three classes with a balanced accuracy near 0.7.
_FOCAL_RATIO, _GENERALIZED_RATIO = 1.8, 1.4
_CHEWING = region("T3", "T4", width=0.5)
_FRONTAL = region("Fz", "F3", "F4", width=0.55)


@dataclass(frozen=True)
class Habit:
    """How the seizures of one kind look in one patient.

    `first` and `last` are the frequencies in Hz at their start and end, `level` the amplitude in
    microvolts once grown, `growth` the share of the seizure this takes, `sharpness` how spiky the
    waves are (0 to 1), `reach` how far a focal seizure travels, in radians on the head.
    """

    event_type: str
    first: float
    last: float
    level: float
    growth: float
    sharpness: float
    focus: np.ndarray
    reach: float
    crosses: bool
    muscle: float

    @classmethod
    def draw(cls, rng: np.random.Generator, event_type: str, background_level: float) -> "Habit":
        """Draw a patient's habit, against the level of their background in microvolts."""
        if event_type == FOCAL:
            focus = POSITIONS[ELECTRODES.index(rng.choice(_FOCI))] + rng.normal(0, 0.08, 3)
            first, last = rng.uniform(6.5, 11.0), rng.uniform(2.2, 4.5)
            ratio = np.exp(rng.normal(_FOCAL_RATIO, 0.45))
        else:
            focus = POSITIONS[ELECTRODES.index("Fz")] + rng.normal(0, 0.08, 3)
            first, last = rng.uniform(3.2, 4.2), rng.uniform(2.4, 3.0)
            ratio = np.exp(rng.normal(_GENERALIZED_RATIO, 0.45))
        return cls(
            event_type=event_type,
            first=first,
            last=last,
            level=background_level * ratio,
            growth=rng.uniform(0.12, 0.4),
            sharpness=rng.uniform(0.15, 0.8),
            focus=focus / np.linalg.norm(focus),
            reach=rng.uniform(0.7, 1.5),
            crosses=bool(rng.random() < 0.4),
            muscle=background_level * (rng.random() < 0.35) * rng.uniform(0.05, 0.25),
        )


@dataclass(frozen=True)
class Seizure:
    """One seizure: `onset` and `duration` in seconds, and per electrode (19,) when and how strongly.

    `delays` are seconds from the onset, infinite where the seizure never comes; `weights` are the
    grown amplitudes relative to the strongest electrode.
    """

    habit: Habit
    onset: float
    duration: float
    bend: float
    strength: float
    delays: np.ndarray
    weights: np.ndarray
    seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator, habit: Habit, onset: float, duration: float) -> "Seizure":
        """Draw one seizure of a patient with the given habit."""
        spread = _focal_spread if habit.event_type == FOCAL else _generalized_spread
        delays, weights = spread(rng, habit, duration)
        return cls(
            habit=habit,
            onset=onset,
            duration=duration,
            bend=rng.uniform(0.7, 1.3),
            strength=np.exp(rng.normal(0, 0.25)),
            delays=delays,
            weights=weights,
            seed=int(rng.integers(2**63)),
        )

    def frequency(self, seconds: np.ndarray) -> np.ndarray:
        """Frequency in Hz at times in seconds from the onset."""
        share = np.clip(seconds / self.duration, 0.0, 1.0) ** self.bend
        return self.habit.first * (self.habit.last / self.habit.first) ** share

    def truth(self) -> dict:
        """What an explanation of this seizure should find; times in seconds of the recording."""
        seconds = np.append(np.arange(0.0, self.duration, 0.5), self.duration)
        track = np.stack([self.onset + seconds, self.frequency(seconds)], axis=1)
        return {
            "event_type": self.habit.event_type,
            "onset": self.onset,
            "duration": self.duration,
            "onset_electrodes": [ELECTRODES[i] for i in np.flatnonzero(self.delays == 0.0)],
            "reached_electrodes": [ELECTRODES[i] for i in np.flatnonzero(np.isfinite(self.delays))],
            "track": np.round(track, 3).tolist(),
        }

    def render(self) -> np.ndarray:
        """The seizure alone, (19, n_times) in microvolts."""
        rng = np.random.default_rng(self.seed)
        seconds = np.arange(round(self.duration * SFREQ)) / SFREQ
        phase = jittered_phase(rng, self.frequency(seconds), 0.05)
        grown = 0.25 + 0.75 * smooth_step(seconds / (self.habit.growth * self.duration))
        ending = smooth_step((self.duration - seconds) / 1.5)
        envelope = self.habit.level * self.strength * grown * ending
        envelope = envelope * np.exp(0.15 * slow_noise(rng, seconds.size, 1.0))
        wave = spike_wave if self.habit.event_type == GENERALIZED else rhythmic
        signal = np.zeros((N_ELECTRODES, seconds.size))
        for row in np.flatnonzero(np.isfinite(self.delays)):
            arrival = smooth_step((seconds - self.delays[row]) / 3.0 + (self.delays[row] == 0.0))
            # Neighbours lag a little: in phase, they would vanish from a bipolar derivation.
            lag = 0.9 * distances(self.habit.focus)[row]
            signal[row] = self.weights[row] * arrival * wave(phase - lag, self.habit.sharpness)
        signal *= envelope
        muscle = np.diff(rng.standard_normal((N_ELECTRODES, seconds.size + 1)), axis=1)
        return signal + self.habit.muscle * _CHEWING[:, None] * grown * ending * muscle


def _focal_spread(rng: np.random.Generator, habit: Habit, duration: float) -> tuple[np.ndarray, np.ndarray]:
    arcs = distances(habit.focus)
    speed = habit.reach / (0.75 * duration) * rng.uniform(0.85, 1.15)
    onset_zone = np.argsort(arcs)[: rng.integers(2, 4)]
    edge = arcs[onset_zone].max()
    delays = (arcs - edge) / speed
    delays[onset_zone] = 0.0
    weights = np.exp(-0.5 * (arcs / 0.9) ** 2)
    if habit.crosses:
        far = distances(mirrored(habit.focus))
        over = 0.4 * duration + far / speed
        weights = np.where(over < delays, np.maximum(weights, 0.6 * np.exp(-0.5 * (far / 0.7) ** 2)), weights)
        delays = np.minimum(delays, over)
    delays = np.where((delays < 0.9 * duration) & (weights > 0.15), delays, np.inf)
    return delays, weights / weights[onset_zone].max()


def _generalized_spread(rng: np.random.Generator, habit: Habit, duration: float) -> tuple[np.ndarray, np.ndarray]:
    weights = (0.4 + 0.6 * _FRONTAL) * np.exp(rng.normal(0, 0.08, N_ELECTRODES))
    return np.zeros(N_ELECTRODES), weights / weights.max()


def smooth_step(x: np.ndarray) -> np.ndarray:
    """From 0 at x <= 0 to 1 at x >= 1 without a corner."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def slow_noise(rng: np.random.Generator, n_times: int, seconds: float) -> np.ndarray:
    """Noise (n_times,) of about unit variance that changes over `seconds`."""
    knots = np.arange(-1, n_times / SFREQ / seconds + 2)
    return np.interp(np.arange(n_times) / SFREQ / seconds, knots, rng.standard_normal(knots.size))


def jittered_phase(rng: np.random.Generator, frequency: np.ndarray, jitter: float) -> np.ndarray:
    """Phase (n_times,) in radians of an oscillation whose frequency in Hz wavers by the share `jitter`."""
    wavering = frequency * (1 + jitter * slow_noise(rng, frequency.size, 0.7))
    return 2 * np.pi * np.cumsum(wavering) / SFREQ + rng.uniform(0, 2 * np.pi)


def rhythmic(phase: np.ndarray, sharpness: float) -> np.ndarray:
    """Rhythmic waves of about unit amplitude, the sharper the more harmonics they hold."""
    return np.sin(phase) + 0.5 * sharpness * np.sin(2 * phase + 0.9) + 0.3 * sharpness * np.sin(3 * phase + 1.7)


def spike_wave(phase: np.ndarray, sharpness: float) -> np.ndarray:
    """Spike-and-wave of about unit amplitude: a negative spike, then a slow positive-negative wave."""
    cycle = np.mod(phase / (2 * np.pi), 1.0)
    spike = np.exp(-0.5 * ((cycle - 0.15) / 0.035) ** 2)
    wave = np.sin(np.pi * np.clip((cycle - 0.3) / 0.7, 0.0, 1.0)) ** 2
    return wave - 0.37 - (0.5 + sharpness) * (spike - 0.088)
