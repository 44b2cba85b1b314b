"""Montages: the derivations of a study as linear combinations of the channels of a recording."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eegwf.data.signals.channels import Channel, parse_channel, without_copy_number
from eegwf.data.signals.interpolation import electrode_rows, solve_pairs

TCP22 = (
    "Fp1-F7 F7-T7 T7-P7 P7-O1 Fp2-F8 F8-T8 T8-P8 P8-O2 A1-T7 T7-C3 C3-Cz Cz-C4 C4-T8 T8-A2 "
    "Fp1-F3 F3-C3 C3-P3 P3-O1 Fp2-F4 F4-C4 C4-P4 P4-O2"
)
BANANA18 = (
    "Fp1-F7 F7-T7 T7-P7 P7-O1 Fp1-F3 F3-C3 C3-P3 P3-O1 Fz-Cz Cz-Pz Fp2-F4 F4-C4 C4-P4 P4-O2 Fp2-F8 F8-T8 T8-P8 P8-O2"
)
ELECTRODES19 = "Fp1 F3 C3 P3 O1 F7 T7 P7 Fz Cz Pz Fp2 F4 C4 P4 O2 F8 T8 P8"
MONTAGES = {
    "tcp22": tuple(TCP22.split()),
    "tcp20": tuple(name for name in TCP22.split() if name not in ("A1-T7", "T8-A2")),
    "banana18": tuple(BANANA18.split()),
    "average": tuple(f"{name}-Avg" for name in ELECTRODES19.split()),
}
# Weights of the channels in each electrode, and the name of its reference.
Electrodes = Mapping[str, tuple[np.ndarray, str]]


@dataclass(frozen=True)
class MontageProjection:
    """Linear map from the channels of a recording to the derivations of a montage.

    Attributes
    ----------
    matrix
        Array `(n_derivations, n_channels)`; the derivations are `matrix @ recorded`.
    derivations
        Names of the rows.
    missing
        Requested derivations that can't be computed from the recorded channels.
    """

    matrix: np.ndarray
    derivations: tuple[str, ...]
    missing: tuple[str, ...]


def recorded_names(channels: Iterable[Channel | None]) -> list[str]:
    """Canonical names of the EEG channels in recorded order, without duplicates."""
    return list(dict.fromkeys(str(channel) for channel in channels if channel is not None))


def duplicate_channels(channels: Sequence[Channel | None]) -> list[tuple[int, int]]:
    """Indices (first, duplicate) of the channels with the same canonical name."""
    first: dict[Channel, int] = {}
    pairs = []
    for index, channel in enumerate(channels):
        if channel is None:
            continue
        if channel in first:
            pairs.append((first[channel], index))
        else:
            first[channel] = index
    return pairs


def is_copy(name: str, other: str) -> bool:
    """Whether two names differ only in case and in the number of a copy.

    Parameters
    ----------
    name, other
        Names of channels, such as `T8-P8-0` and `T8-P8-1`.

    Returns
    -------
    bool
    """
    return without_copy_number(name).upper() == without_copy_number(other).upper()


def derive(
    channels: Sequence[Channel | None],
    montage: str,
    derivations: Sequence[str] | None = None,
    interpolate: bool = False,
    excluded: Collection[int] = (),
) -> MontageProjection:
    """Compute the matrix from the recorded channels to the derivations of a montage.

    A pair is the channel with its name; otherwise the channel of the reversed pair with its sign changed; otherwise the
    difference of two electrodes recorded against the same reference (a named reference or an electrode). All three
    are exact.

    Parameters
    ----------
    channels
        Parsed channels of the recording; None for a channel that is not EEG. Of channels with the same name, the
        first is used.
    montage
        A key of `MONTAGES`, or `as recorded`.
    derivations
        Requested derivations of the montage; None for all. The average is computed over the requested electrodes.
    interpolate
        Whether to interpolate missing electrodes of a referential recording by spherical splines, and to compute
        missing pairs of a bipolar recording as sums of other pairs. A pair that no sum determines is missing.
    excluded
        Indices of channels to treat as not recorded.

    Returns
    -------
    MontageProjection
        The requested derivations in their order, without those that are missing.
    """
    usable: dict[Channel, int] = {}
    for index, channel in enumerate(channels):
        if channel is not None and index not in excluded:
            usable.setdefault(channel, index)
    if derivations is None:
        derivations = recorded_names(channels) if montage == "as recorded" else MONTAGES[montage]
    recorded = {str(channel): channel for channel in usable}
    targets = {name: recorded.get(name) or parse_channel(name) or Channel(name) for name in derivations}
    needed = {name for target in targets.values() for name in (target.anode, target.cathode) if name}
    n_channels = len(channels)
    electrodes = electrode_rows(n_channels, usable, needed if interpolate else ())
    if montage == "average":
        rows = _average_rows(targets, electrodes, usable, n_channels, interpolate)
    else:
        rows = {name: _row(target, electrodes, usable, n_channels, interpolate) for name, target in targets.items()}
    available = [name for name in derivations if rows[name] is not None]
    matrix = np.array([rows[name] for name in available]).reshape(len(available), n_channels)
    return MontageProjection(matrix, tuple(available), tuple(name for name in derivations if rows[name] is None))


def _row(
    target: Channel, electrodes: Electrodes, usable: Mapping[Channel, int], n_channels: int, interpolate: bool
) -> np.ndarray | None:
    """Weights of the recorded channels in an electrode or a pair; None if it can't be computed."""
    if target.cathode is None:
        row = electrodes.get(target.anode)
        return None if row is None else row[0]
    for channel, sign in ((target, 1.0), (Channel(target.cathode, target.anode), -1.0)):
        if channel in usable:
            return sign * _unit(n_channels, usable[channel])
    anode, cathode = electrodes.get(target.anode), electrodes.get(target.cathode)
    if anode is not None and cathode is not None and anode[1] == cathode[1]:
        return anode[0] - cathode[0]
    shared = _references(target.anode, usable) & _references(target.cathode, usable)
    if shared:
        reference = min(shared)
        plus, minus = usable[Channel(target.anode, reference)], usable[Channel(target.cathode, reference)]
        return _unit(n_channels, plus) - _unit(n_channels, minus)
    if interpolate:
        return solve_pairs(n_channels, usable, {target.anode: 1.0, target.cathode: -1.0})
    return None


def _references(electrode: str, usable: Mapping[Channel, int]) -> set[str]:
    """Electrodes against which an electrode was recorded."""
    return {channel.cathode for channel in usable if channel.anode == electrode and channel.cathode is not None}


def _average_rows(
    targets: Mapping[str, Channel],
    electrodes: Electrodes,
    usable: Mapping[Channel, int],
    n_channels: int,
    interpolate: bool,
) -> dict[str, np.ndarray | None]:
    """Weights of the recorded channels in each electrode minus the mean of the requested electrodes."""
    names = {name: target.anode for name, target in targets.items()}
    recorded = {name: electrodes[anode] for name, anode in names.items() if anode in electrodes}
    if len({reference for _, reference in recorded.values()}) > 1:
        recorded = {}
    if recorded or not interpolate:
        mean = np.mean([row for row, _ in recorded.values()], axis=0) if recorded else 0.0
        return {name: recorded[name][0] - mean if name in recorded else None for name in names}
    weight = 1.0 / len(names)
    return {
        name: solve_pairs(n_channels, usable, {other: float(other == anode) - weight for other in names.values()})
        for name, anode in names.items()
    }


def _unit(length: int, index: int) -> np.ndarray:
    row = np.zeros(length)
    row[index] = 1.0
    return row
