"""Patients whom two data sets share: found by equal samples and by similar recordings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from eegwf.config.data_paths import axes_of
from eegwf.data.context import n_context, without_context
from eegwf.data.leakage import sample_digest, similarity_limit
from eegwf.data.similarity import RATE, RecordingFacts, SlowSignal, compare_pairs, slow_signal
from eegwf.storage.files import read_array, read_json

# Fingerprint of a window without evidence: all its channels are constant.
NO_FINGERPRINT = np.uint64(0)


@dataclass(frozen=True)
class WindowedSignals:
    """Windows of a data set and their samples.

    Attributes
    ----------
    windows
        `windows.tsv`, or rows of it.
    arrays
        Samples `(n_windows, n_chans, n_times)`, without context; the column `window` has the rows.
    ch_names
        Names of the derivations.
    sfreq
        Sampling rate in Hz.
    """

    windows: pd.DataFrame
    arrays: np.ndarray
    ch_names: list[str]
    sfreq: float

    @classmethod
    def read(cls, windows: pd.DataFrame, arrays: Path) -> "WindowedSignals":
        """Read the samples of windows.

        Parameters
        ----------
        windows
            `windows.tsv`, or rows of it.
        arrays
            Array of the windows, with its description beside it.

        Returns
        -------
        WindowedSignals
            The samples are a view of the file.
        """
        axes = read_json(axes_of(arrays))
        return cls(windows, without_context(read_array(arrays), n_context(axes)), axes["ch_names"], axes["sfreq"])


@dataclass(frozen=True)
class SharedPatient:
    """A patient of one data set whom another one has, and the evidence of it.

    Attributes
    ----------
    patient, other
        Names of the patient in the two data sets.
    evidence
        Equal samples, or similar recordings.
    value
        Number of windows with equal samples, or the similarity.
    recording, other_recording
        Recordings with the evidence.
    """

    patient: str
    other: str
    evidence: Literal["samples", "similarity"]
    value: float
    recording: str
    other_recording: str

    def describe(self) -> str:
        """The evidence in words."""
        if self.evidence == "samples":
            return f"{self.value:g} windows of {self.recording} have the samples of {self.other_recording}"
        return f"{self.recording} looks like a copy of {self.other_recording} (similarity {self.value:.2f})"


@dataclass(frozen=True)
class Overlap:
    """Patients whom two data sets share, one row for each pair and kind of evidence, and what was examined."""

    shared: list[SharedPatient]
    checks: list[dict[str, Any]]


def window_fingerprints(arrays: np.ndarray, rows: np.ndarray, channels: list[int] | None = None) -> np.ndarray:
    """Compute a fingerprint of the samples of each window.

    Parameters
    ----------
    arrays
        Samples `(n_windows, n_chans, n_times)`, without context; rows are read one after another.
    rows
        Rows of the windows.
    channels
        Channels that count, as positions in `arrays`; None for all.

    Returns
    -------
    ndarray
        Fingerprints `(len(rows),)`, uint64: digest of the samples as float16; 0 where all channels are constant.
    """
    fingerprints = np.zeros(len(rows), dtype=np.uint64)
    for number, row in enumerate(rows):
        values = arrays[int(row)] if channels is None else arrays[int(row)][channels]
        digest = sample_digest(values.astype("<f2", copy=False), 8)
        if digest is not None:
            # A digest that happens to be 0 must not read as the lack of one.
            fingerprints[number] = max(int.from_bytes(digest, "little"), 1)
    return fingerprints


def in_fingerprints(ours: np.ndarray, sorted_theirs: np.ndarray) -> np.ndarray:
    """Find fingerprints among those of another data set.

    Parameters
    ----------
    ours
        Fingerprints, in any order.
    sorted_theirs
        Fingerprints of the other data set, sorted.

    Returns
    -------
    ndarray
        Whether each of `ours` is in `sorted_theirs`, bool; 0 never is.
    """
    if not len(sorted_theirs):
        return np.zeros(len(ours), dtype=bool)
    places = np.minimum(np.searchsorted(sorted_theirs, ours), len(sorted_theirs) - 1)
    return (sorted_theirs[places] == ours) & (ours != NO_FINGERPRINT)


def shared_patients(ours: WindowedSignals, theirs: WindowedSignals, max_similarity: float | None = None) -> Overlap:
    """Find the patients of a data set whom another one has, under whatever name.

    Parameters
    ----------
    ours, theirs
        The two data sets.
    max_similarity
        Similarity above which two recordings are taken for copies; None for the default.

    Returns
    -------
    Overlap
        The shared patients, in the order of the names, and a description of each check in the form of
        `leakage.check_leakage`.

    Notes
    -----
    Derivations of the same name are compared. Samples can only be equal if rate and length of the windows are;
    similar recordings are found at any rate, gain, polarity and filter (`similarity.compare_recordings`).
    """
    common = [name for name in ours.ch_names if name in theirs.ch_names]
    samples, check_of_samples = _equal_samples(ours, theirs, common)
    similar, check_of_similarity = _similar_recordings(ours, theirs, common, max_similarity)
    shared = sorted([*samples, *similar], key=lambda one: (one.patient, one.other, one.evidence))
    return Overlap(shared, [check_of_samples, check_of_similarity])


def _positions(data: WindowedSignals, common: list[str]) -> list[int]:
    return [data.ch_names.index(name) for name in common]


def _equal_samples(
    ours: WindowedSignals, theirs: WindowedSignals, common: list[str]
) -> tuple[list[SharedPatient], dict[str, Any]]:
    check: dict[str, Any] = {"check": "same samples in the other data set", "leaks": 0}
    formats = [(data.sfreq, data.arrays.shape[2]) for data in (ours, theirs)]
    if not common or formats[0] != formats[1]:
        reason = "no derivation in common" if not common else "rates or lengths of windows differ"
        return [], check | {"examined": f"nothing: {reason}"}
    tables = [_with_fingerprints(data, _positions(data, common)) for data in (ours, theirs)]
    pairs = tables[0].merge(tables[1].drop_duplicates("fingerprint"), on="fingerprint", suffixes=("", "_other"))
    shared = [
        SharedPatient(
            first["patient"], first["patient_other"], "samples", n, first["recording"], first["recording_other"]
        )
        for _, part in pairs.groupby(["patient", "patient_other"], sort=True)
        for n, first in [(len(part), part.iloc[0])]
    ]
    examined = f"{len(ours.windows)} windows by hash against {len(theirs.windows)}, {len(common)} derivations"
    return shared, check | {"examined": examined, "leaks": len(shared)}


def _with_fingerprints(data: WindowedSignals, channels: list[int]) -> pd.DataFrame:
    """Recording, patient and fingerprint of the windows that have a fingerprint."""
    fingerprints = window_fingerprints(data.arrays, data.windows["window"].to_numpy(), channels)
    table = data.windows[["recording", "patient"]].assign(fingerprint=fingerprints)
    return table[fingerprints != NO_FINGERPRINT]


def _similar_recordings(
    ours: WindowedSignals, theirs: WindowedSignals, common: list[str], max_similarity: float | None
) -> tuple[list[SharedPatient], dict[str, Any]]:
    check: dict[str, Any] = {"check": "similar recordings in the other data set", "leaks": 0}
    if not common:
        return [], check | {"examined": "nothing: no derivation in common"}
    limit = similarity_limit(len(common), max_similarity)
    data_sets = (ours, theirs)
    rate = min(RATE, ours.sfreq, theirs.sfreq)
    parts = {
        (number, str(name)): part
        for number, data in enumerate(data_sets)
        for name, part in data.windows.groupby("recording", sort=True)
    }
    facts = {key: RecordingFacts((key[0], part["patient"].iloc[0]), key[0], _end(part)) for key, part in parts.items()}

    def signal_of(key: tuple[int, str]) -> SlowSignal:
        data, part = data_sets[key[0]], parts[key]
        onsets, rows = part["onset"].to_numpy(float), part["window"].to_numpy()
        return slow_signal(onsets, rows, data.arrays, data.sfreq, rate, _positions(data, common))

    pairs, examined = compare_pairs(facts, signal_of)
    best: dict[tuple[str, str], SharedPatient] = {}
    for pair in sorted(pairs, key=lambda pair: pair.value):
        if pair.value > limit:
            first, second = sorted((pair.first, pair.second))
            names = parts[first]["patient"].iloc[0], parts[second]["patient"].iloc[0]
            best[names] = SharedPatient(*names, "similarity", pair.value, first[1], second[1])
    largest = round(max(pair.value for pair in pairs), 3) if pairs else None
    check |= {"examined": examined, "largest_similarity": largest, "limit": limit}
    return list(best.values()), check | {"leaks": len(best)}


def _end(part: pd.DataFrame) -> float:
    return float((part["onset"] + part["duration"]).max())
