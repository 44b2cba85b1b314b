"""The derivations of a study, and those of each of its recordings."""

from collections.abc import Sequence

import numpy as np

from eegwf.config.data import Signals
from eegwf.data.signals.header import Header
from eegwf.data.signals.montage import MontageProjection, derive, recorded_names
from eegwf.data.signals.recorded import check_channels
from eegwf.errors import InputError, format_names

# Names of channels that a message lists.
SHOWN = 8


def project(head: Header, signals: Signals, derivations: Sequence[str] | None = None) -> MontageProjection:
    """Project the channels of a recording to its derivations, and check those that are used.

    Parameters
    ----------
    head
        Header of the recording.
    signals
        Montage, and the treatment of missing channels.
    derivations
        As in `open_signal`.

    Returns
    -------
    MontageProjection

    Raises
    ------
    InputError
        If a derivation is missing, or a used channel can't be scaled, is duplicated or has no unit of voltage.
    """
    interpolate = signals.missing == "interpolate"
    derived = derive(head.channels, signals.montage, derivations, interpolate)
    if interpolate and any(head.faults[column] for column in used_channels(derived)):
        # A channel that can't be read is not used to interpolate others; if it is a derivation itself, it is refused.
        needed = used_channels(derive(head.channels, signals.montage, derivations))
        excluded = {column for column in head.eeg if head.faults[column]}.difference(needed)
        derived = derive(head.channels, signals.montage, derivations, True, excluded)
    may_lack = signals.missing == "exclude" and derivations is None
    if not derived.derivations or (derived.missing and not may_lack):
        raise InputError(_missing(head, signals, derived))
    check_channels(head, used_channels(derived))
    return derived


def common_derivations(headers: Sequence[Header], signals: Signals) -> list[str]:
    """Determine the derivations of a study, which are the same for all recordings.

    Parameters
    ----------
    headers
        Headers of all recordings of the study.
    signals
        Settings of the signals. With `missing: exclude`, the derivations are those that all recordings have, otherwise
        all of the montage. `as recorded` uses the channels of the first recording in their order.

    Returns
    -------
    list of str
        Names of the derivations.

    Raises
    ------
    InputError
        If a recording lacks a derivation, no derivation is common to all recordings, or the sets of channels differ
        with `as recorded`.
    """
    if not headers:
        raise InputError("no recordings, so no derivations; at least one recording is needed")
    if signals.missing == "exclude" and signals.on_bad_recording == "exclude":
        # A recording without EEG is excluded; it does not make the common derivations empty.
        headers = [head for head in headers if head.eeg] or headers
    first = headers[0]
    requested = None
    if signals.montage == "as recorded":
        requested = recorded_names(first.channels)
        for other in headers:
            if signals.missing != "exclude" and set(recorded_names(other.channels)) != set(requested):
                raise InputError(differing_channels(first, other))
    common: list[str] = []
    for head in headers:
        derived = derive(head.channels, signals.montage, requested, signals.missing == "interpolate")
        if derived.missing and signals.missing != "exclude":
            raise InputError(_missing(head, signals, derived))
        common = [name for name in (common or derived.derivations) if name in derived.derivations]
        if not common:
            raise InputError(_missing(head, signals, derived, "no derivation is common to all recordings"))
    return common


def study_derivations(headers: Sequence[Header], signals: Signals) -> list[str]:
    """Determine the derivations of a study from those recordings that have them.

    Parameters
    ----------
    headers
        Headers of the recordings that can be read.
    signals
        Settings of the signals.

    Returns
    -------
    list of str
        Names of the derivations; empty if no recording has those of the montage.

    Raises
    ------
    InputError
        If no derivation is common to all recordings and `missing` is `exclude`.
    """
    if signals.missing == "exclude":
        return common_derivations(headers, signals) if headers else []
    for head in headers:
        try:
            return common_derivations([head], signals)
        except InputError:
            continue
    return []


def used_channels(derived: MontageProjection) -> list[int]:
    """Determine the channels that at least one derivation contains.

    Parameters
    ----------
    derived
        Projection of the channels of a recording.

    Returns
    -------
    list of int
        Their indices in the header.
    """
    return [int(column) for column in np.flatnonzero(np.any(derived.matrix != 0, axis=0))]


def unused_channels(head: Header, derived: MontageProjection) -> list[str]:
    """Determine the channels that no derivation contains.

    Parameters
    ----------
    head
        Header of the recording.
    derived
        Projection of its channels.

    Returns
    -------
    list of str
        Their names in the file.
    """
    used = set(used_channels(derived))
    return [name for column, name in enumerate(head.names) if column not in used]


def differing_channels(first: Header, other: Header) -> str:
    """Describe how the channels of two recordings differ, for users.

    Parameters
    ----------
    first, other
        Headers of the recordings; `other` is the one that can't be used.

    Returns
    -------
    str
        One line.
    """
    first_names, other_names = set(recorded_names(first.channels)), set(recorded_names(other.channels))
    parts = [
        f"{format_names(sorted(names), SHOWN)} only in {head.path}"
        for names, head in ((first_names - other_names, first), (other_names - first_names, other))
        if names
    ]
    return (
        f"{other.path}: channels differ from {first.path}: {'; '.join(parts)}. With signals.montage 'as recorded', all "
        "recordings must have the same channels; set signals.missing: exclude to use the common ones, or choose a "
        "montage"
    )


def _missing(head: Header, signals: Signals, derived: MontageProjection, fault: str = "") -> str:
    eeg = [head.names[column] for column in head.eeg]
    others = [
        f"{name} (status bad)" if column in head.bad else name
        for column, name in enumerate(head.names)
        if column not in head.eeg
    ]
    missing = format_names(list(derived.missing), SHOWN) or "every channel"
    fault = fault or f"missing for montage {signals.montage}: {missing}"
    if not eeg:
        return (
            f"{head.path}: {fault}; no EEG channel among {format_names(others, SHOWN)}. Name its channels as in the "
            "10-20 system (Fp1, EEG Fp1-REF, Fp1-F7), or write them to channels.aliases, as in `C3: [name in the "
            "file]` (any name with signals.montage 'as recorded'); channels.net reads the electrodes of a net"
        )
    found = f"EEG channels found: {format_names(eeg, 3 * SHOWN)}" + (
        f"; others: {format_names(others, SHOWN)}" if others else ""
    )
    return (
        f"{head.path}: {fault}; {found}. Choose another signals.montage or signals.missing, or write other names of "
        "the electrodes to channels.aliases"
    )
