"""Montages: which derivations a study uses, and how they come from the channels of a recording."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eegwf.data.signals.channels import Channel, parse_channel, without_copy
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


@dataclass(frozen=True)
class Derived:
    """How derivations come from recorded channels.

    Attributes
    ----------
    matrix
        (n_derivations, n_channels): derivations are `matrix @ recorded`.
    derivations
        Names of the rows.
    missing
        Derivations that were wanted and can't be had.
    """

    matrix: np.ndarray
    derivations: tuple[str, ...]
    missing: tuple[str, ...]


def recorded_names(channels: Iterable[Channel | None]) -> list[str]:
    """Canonical names of the EEG channels in the order recorded, each once."""
    return list(dict.fromkeys(str(channel) for channel in channels if channel is not None))


def doubled(channels: Sequence[Channel | None]) -> list[tuple[int, int]]:
    """Pairs (first, other) of channels that bear the same canonical name."""
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
    """Whether two names differ by nothing but the number of a copy: `T8-P8-0` and `T8-P8-1`."""
    return without_copy(name).upper() == without_copy(other).upper()


def derive(
    channels: Sequence[Channel | None],
    montage: str,
    derivations: Sequence[str] | None = None,
    interpolate: bool = False,
    lacking: Collection[int] = (),
) -> Derived:
    """Matrix that turns recorded channels into the derivations of a montage.

    A pair is taken as it was recorded, else with its sign reversed, else as the difference of two electrodes
    recorded against the same reference (named by a word or an electrode). All of these are exact.

    Parameters
    ----------
    channels
        The recording's channels, parsed; None for what is not EEG. Of several with one name the first counts.
    montage
        A name of `MONTAGES`, or `as recorded`.
    derivations
        Derivations wanted, of the montage; None for all. The average is taken over those wanted.
    interpolate
        Whether absent electrodes of a referential recording come from their neighbours (spherical spline), and
        absent pairs of a bipolar one from the sums of other pairs. Pairs that no sum determines stay missing.
    lacking
        Channels (their index) to treat as not recorded.

    Returns
    -------
    Derived
        The derivations wanted, in that order, less the missing.
    """
    usable = {}
    for index, channel in enumerate(channels):
        if channel is not None and index not in lacking:
            usable.setdefault(channel, index)
    if derivations is None:
        derivations = recorded_names(channels) if montage == "as recorded" else MONTAGES[montage]
    targets = {name: parse_channel(name) for name in derivations}
    needed = {name for target in targets.values() for name in (target.anode, target.cathode) if name}
    electrodes = electrode_rows(channels, usable, needed if interpolate else ())
    if montage == "average":
        rows = _average_rows(targets, electrodes, usable, channels, interpolate)
    else:
        rows = {name: _row(target, electrodes, usable, channels, interpolate) for name, target in targets.items()}
    found = [name for name in derivations if rows[name] is not None]
    matrix = np.array([rows[name] for name in found]).reshape(len(found), len(channels))
    return Derived(matrix, tuple(found), tuple(name for name in derivations if rows[name] is None))


def _row(target, electrodes, usable, channels, interpolate) -> np.ndarray | None:
    """Weights of the recorded channels in one electrode or pair."""
    if target.cathode is None:
        row = electrodes.get(target.anode)
        return None if row is None else row[0]
    for channel, sign in ((target, 1.0), (Channel(target.cathode, target.anode), -1.0)):
        if channel in usable:
            return sign * _unit(len(channels), usable[channel])
    anode, cathode = electrodes.get(target.anode), electrodes.get(target.cathode)
    if anode is not None and cathode is not None and anode[1] == cathode[1]:
        return anode[0] - cathode[0]
    shared = {channel.cathode for channel in usable if channel.anode == target.anode} & {
        channel.cathode for channel in usable if channel.anode == target.cathode
    } - {None}
    if shared:
        reference = min(shared)
        plus, minus = usable[Channel(target.anode, reference)], usable[Channel(target.cathode, reference)]
        return _unit(len(channels), plus) - _unit(len(channels), minus)
    if interpolate:
        return solve_pairs(channels, usable, {target.anode: 1.0, target.cathode: -1.0})
    return None


def _average_rows(targets, electrodes, usable, channels, interpolate) -> dict[str, np.ndarray | None]:
    """Weights of the recorded channels in each electrode less the mean of those wanted."""
    names = {name: target.anode for name, target in targets.items()}
    there = {name: electrodes[anode] for name, anode in names.items() if anode in electrodes}
    if len({reference for _, reference in there.values()}) > 1:
        there = {}
    if there or not interpolate:
        mean = np.mean([row for row, _ in there.values()], axis=0) if there else 0.0
        return {name: there[name][0] - mean if name in there else None for name in names}
    share = 1.0 / len(names)
    return {
        name: solve_pairs(channels, usable, {other: float(other == anode) - share for other in names.values()})
        for name, anode in names.items()
    }


def _unit(length: int, place: int) -> np.ndarray:
    row = np.zeros(length)
    row[place] = 1.0
    return row
