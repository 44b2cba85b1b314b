"""Patients of the synthetic data set, and the samples of their recordings: background, short events and seizures."""

import math
from dataclasses import dataclass

import numpy as np

from eegwf.config.data import Synthetic
from eegwf.config.synthetic import MICROVOLTS_PER_STEP
from eegwf.data.synthetic.scalp import N_ELECTRODES
from eegwf.data.synthetic.seizure import FOCAL, GENERALIZED, Seizure, SeizureProfile
from eegwf.data.synthetic.signal import SFREQ, PatientProfile, background
from eegwf.data.synthetic.transients import transients
from eegwf.errors import InputError

# Minimum mean duration of the seizures of a recording, in seconds; seizures cover 30 % of the recording or more.
_MIN_MEAN_DURATION = 3.0
# Seconds between seizures; SzCORE joins those that are less than 90 s apart.
MIN_SEPARATION = 95.0


@dataclass(frozen=True)
class Case:
    """A patient with the settings of their recording.

    Attributes
    ----------
    patient
        Name, such as `sub-01`.
    group
        `focal`, `generalized`, `both` or `none`.
    seed
        Seed of the recording: that of the data set and the number of the patient.
    n_seconds
        Length of the recording in seconds.
    n_seizures
        Number of seizures in it.
    first_kind
        Event type of the first seizure.
    """

    patient: str
    group: str
    seed: tuple[int, int]
    n_seconds: int
    n_seizures: int
    first_kind: str


def draw_cases(config: Synthetic) -> list[Case]:
    """Draw the patients of a data set, with their groups in random order.

    Raises
    ------
    InputError
        If there is no patient, the seizures do not fit into the recordings, or patients with both kinds of seizure
        have fewer than two seizures.
    """
    n_seconds = round(config.minutes * 60)
    counts = {
        "focal": config.n_focal,
        "generalized": config.n_generalized,
        "both": config.n_both,
        "none": config.n_none,
    }
    groups = [group for group, count in counts.items() for _ in range(count)]
    if not groups:
        raise InputError("dataset: n_focal, n_generalized, n_both and n_none are all 0; set one to at least 1 patient")
    if config.n_both and config.seizures < 2:
        raise InputError(
            f"dataset: seizures is {config.seizures}, but the n_both ({config.n_both}) patients with both kinds need "
            "at least 2; set seizures to 2 or more, or n_both to 0"
        )
    most = int(0.3 * n_seconds / _MIN_MEAN_DURATION)
    if config.seizures > most:
        raise InputError(
            f"dataset: {config.seizures} seizures do not fit into {config.minutes:g} minutes; "
            f"set seizures to {most} or fewer, or minutes to "
            f"{math.ceil(config.seizures * _MIN_MEAN_DURATION / 0.3 / 6) / 10:g} or more"
        )
    rng = np.random.default_rng(config.seed)
    digits = max(2, len(str(len(groups))))
    cases: list[Case] = []
    for number, group in enumerate(rng.permutation(groups).tolist(), start=1):
        # Patients with both kinds of seizure start with a focal and a generalized one in turn.
        n_both_before = sum(case.group == "both" for case in cases)
        first = {"focal": FOCAL, "generalized": GENERALIZED}.get(group, (FOCAL, GENERALIZED)[n_both_before % 2])
        n_seizures = 0 if group == "none" else config.seizures
        patient = f"sub-{number:0{digits}d}"
        cases.append(Case(patient, group, (config.seed, number), n_seconds, n_seizures, first))
    return cases


def draw_recording(case: Case) -> tuple[np.ndarray, list[Seizure]]:
    """Draw the recording of a patient.

    Returns
    -------
    samples, seizures
        Digital samples of 16 bits in steps of 0.1 microvolt, shape (19, n_times), and the seizures in them.
    """
    draws = [np.random.default_rng(seed) for seed in np.random.SeedSequence(case.seed).spawn(3)]
    patient = PatientProfile.draw(draws[0])
    kinds = [case.first_kind]
    if case.group == "both":
        kinds.append(GENERALIZED if case.first_kind == FOCAL else FOCAL)
    profiles = [SeizureProfile.draw(draws[1], kind, patient.level) for kind in kinds] if case.n_seizures else []
    spans = _seizure_spans(draws[1], case.n_seconds, case.n_seizures)
    seizures = [
        Seizure.draw(draws[1], profiles[number % len(profiles)], onset, duration)
        for number, (onset, duration) in enumerate(spans)
    ]
    n_times = case.n_seconds * SFREQ
    added = [(event.start, event.n_times, event.render) for event in transients(draws[2], patient, profiles, n_times)]
    added += [(round(s.onset * SFREQ), round(s.duration * SFREQ), s.render) for s in seizures]
    digital = np.empty((N_ELECTRODES, n_times), dtype=np.int16)
    start = 0
    for block in background(patient, n_times):
        stop = start + block.shape[1]
        for first, length, render in added:
            low, high = max(first, start), min(first + length, stop)
            if low < high:
                block[:, low - start : high - start] += render()[:, low - first : high - first]
        digital[:, start:stop] = np.clip(np.round(block / MICROVOLTS_PER_STEP), -32768, 32767)
        start = stop
    return digital, seizures


def _seizure_spans(rng: np.random.Generator, n_seconds: int, n_seizures: int) -> list[tuple[float, float]]:
    """Onsets and durations in seconds; seizures cover 30 to 40 % of the recording and last at most 60 s each.

    Where the recording is long enough, they are so far apart that event scoring does not join them.
    """
    if n_seizures == 0:
        return []
    lengths = rng.uniform(0.6, 1.4, n_seizures)
    lengths = np.clip(lengths / lengths.sum() * rng.uniform(0.3, 0.4) * n_seconds, None, 60.0)
    free = n_seconds - lengths.sum()
    mean = free / (n_seizures + 1)
    least = MIN_SEPARATION if 0.9 * mean >= MIN_SEPARATION else 0.4 * mean
    gaps = rng.dirichlet(np.full(n_seizures + 1, 3.0)) * (1 - least / mean) * free + least
    onsets = np.cumsum(gaps[:-1]) + np.append(0.0, np.cumsum(lengths)[:-1])
    return [(round(float(onset), 1), round(float(length), 1)) for onset, length in zip(onsets, lengths, strict=True)]
