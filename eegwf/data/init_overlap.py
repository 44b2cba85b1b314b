"""Checks that no patient of a study was a training patient of the source of its initial weights."""

from typing import Any, Literal

import numpy as np

from eegwf.config.sample_settings import sample_settings
from eegwf.data.init_source import InitSource
from eegwf.data.overlap import WindowedSignals, in_fingerprints, shared_patients, window_fingerprints
from eegwf.errors import InputError

CHECK_OF_SAMPLES = "samples of the source of the initial weights"
EXCLUDE = "leave the patient out (dataset.exclude), or choose another source"


def check_inputs(ch_names: list[str], sfreq: float, source: InitSource) -> None:
    """Refuse a source whose input has other derivations, or a time series of another sampling rate.

    Parameters
    ----------
    ch_names
        Derivations of the study, in their order.
    sfreq
        Sampling rate of the study in Hz.
    source
        The source.

    Raises
    ------
    InputError
        Naming what differs.
    """
    if source.description["spectrogram"] == "raw" and sfreq != source.reading["sfreq"]:
        raise InputError(
            f"training.init: {source.name} has a sampling rate of {source.reading['sfreq']:g} Hz, this study has "
            f"{sfreq:g} Hz; set signals.sfreq to that of the source"
        )
    theirs = list(source.reading["ch_names"])
    if ch_names == theirs:
        return
    places = [place for place, pair in enumerate(zip(ch_names, theirs, strict=False)) if pair[0] != pair[1]]
    place = places[0] if places else min(len(ch_names), len(theirs))
    ours, other = (names[place] if place < len(names) else "none" for names in (ch_names, theirs))
    raise InputError(
        f"training.init: {source.name} has {len(theirs)} derivations, number {place + 1} of them {other}; this study "
        f"has {len(ch_names)}, number {place + 1} of them {ours}; set signals.montage to that of the source"
    )


def check_patients(
    ours: WindowedSignals,
    ids: dict[str, str],
    source: InitSource,
    same_ids: Literal["one_person", "different_persons"],
    samples: dict[str, Any],
    max_similarity: float | None = None,
) -> list[dict[str, Any]]:
    """Refuse a source that was trained on a patient of the study.

    All patients of a study are test patients, each in one outer fold.

    Parameters
    ----------
    ours
        Windows of the study.
    ids
        Patient of each id of the study, as `ids_of_patients` returns them.
    source
        The source.
    same_ids
        Whether an id that both studies have is the same person.
    samples
        Settings of the study that decide the samples of a window, as `sample_settings` returns them.
    max_similarity
        Similarity above which two recordings are taken for copies; None for the default.

    Returns
    -------
    list of dict
        For each check its name, what it examined and the number of leaks, as those of `leakage.check_leakage`.

    Raises
    ------
    InputError
        Naming the patient and the evidence, or if the source's patients can't be compared.
    """
    checks = [_check_ids(ids, source, same_ids)]
    theirs = source.signals
    fingerprints = None if theirs is None else _fingerprints(theirs)
    if fingerprints is not None and not in_fingerprints(_known(source.fingerprints), fingerprints).all():
        raise InputError(
            f"training.init: {source.name}: its data are no longer those on which its final models were trained; "
            "finalize the run again"
        )
    difference = _first_difference(ours, source, samples)
    if difference is None:
        checks.append(_check_fingerprints(ours, source))
    elif theirs is None:
        raise InputError(
            f"training.init: {source.name} has the fingerprints of its patients' windows alone, and they can't be "
            f"compared with those of this study: {difference}; give the folder of the run, beside which its data are"
        )
    if theirs is not None:
        overlap = shared_patients(ours, theirs, max_similarity)
        if overlap.shared:
            found = overlap.shared[0]
            raise InputError(
                f"training.init: patient {found.patient} of this study is {found.other} of the training patients of "
                f"{source.name}: {found.describe()}{_more({one.patient for one in overlap.shared})}; {EXCLUDE}"
            )
        checks += overlap.checks
    return checks


def _check_ids(ids: dict[str, str], source: InitSource, same_ids: str) -> dict[str, Any]:
    common = sorted(set(ids) & set(source.ids))
    if common and same_ids == "one_person":
        patient, other = ids[common[0]], source.ids[common[0]]
        raise InputError(
            f"training.init: patient {patient} of this study has the id of {other} of the training patients of "
            f"{source.name}{_more({ids[name] for name in common})}; {EXCLUDE}, or, if equal ids are different persons, "
            "set training.init_same_ids: different_persons"
        )
    examined = f"{len(ids)} ids against {len(source.ids)}" if source.ids else "nothing: the source has no ids"
    if common:
        examined += f"; {len(common)} ids of both, by training.init_same_ids of different persons"
    return {"check": "patient id in the source of the initial weights", "examined": examined, "leaks": 0}


def _more(patients: set[str]) -> str:
    return f", and {len(patients) - 1} more patients" if len(patients) > 1 else ""


def _check_fingerprints(ours: WindowedSignals, source: InitSource) -> dict[str, Any]:
    found = in_fingerprints(window_fingerprints(ours.arrays, ours.windows["window"].to_numpy()), source.fingerprints)
    if found.any():
        equal = ours.windows[found]
        first, patients = equal.iloc[0], set(equal["patient"])
        n_windows = int((equal["patient"] == first["patient"]).sum())
        raise InputError(
            f"training.init: patient {first['patient']} of this study is one of the training patients of "
            f"{source.name}: {n_windows} of the patient's windows have samples of the source, the first in "
            f"{first['recording']} at {first['onset']:g} s{_more(patients)}; {EXCLUDE}"
        )
    return {
        "check": CHECK_OF_SAMPLES,
        "examined": f"{len(ours.windows)} windows by hash against {len(source.fingerprints)}",
        "leaks": 0,
    }


def _fingerprints(data: WindowedSignals) -> np.ndarray:
    return np.sort(window_fingerprints(data.arrays, data.windows["window"].to_numpy()))


def _known(fingerprints: np.ndarray) -> np.ndarray:
    return fingerprints[fingerprints != 0]


def _first_difference(ours: WindowedSignals, source: InitSource, samples: dict[str, Any]) -> str | None:
    """First setting by which windows of one recording have other samples in the two studies; None if there is none."""
    theirs = sample_settings(source.reading) | {"sfreq": source.reading["sfreq"]}
    here = samples | {"sfreq": ours.sfreq}
    names = [name for name in here if here[name] != theirs[name]]
    return f"{names[0]} is {theirs[names[0]]!r} there and {here[names[0]]!r} here" if names else None
