"""Electrodes and pairs that were not recorded, from those that were."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import numpy as np

from eegwf.data.signals.channels import EARS, ELECTRODES, Channel

# Beyond this share of absent among absent and recorded electrodes too much would be made up.
MOST_INTERPOLATED = 0.25
NO_POSITION = (*EARS, "T1", "T2", "I1", "I2", "Nz")
SCALP = frozenset(ELECTRODES) - frozenset(NO_POSITION)


def electrode_rows(
    channels: Sequence[Channel | None], usable: Mapping[Channel, int], wanted: Collection[str] = ()
) -> dict[str, tuple[np.ndarray, str]]:
    """Electrodes of a referential recording as weights of its channels.

    Parameters
    ----------
    channels
        The recording's channels.
    usable
        Index of each channel that may be used.
    wanted
        Electrodes to interpolate by spherical splines (Perrin et al. 1989) if they are absent: never the ears,
        only if all electrodes have one reference, and at most one for every three that were recorded.

    Returns
    -------
    dict
        For each electrode its weights (n_channels,) and the name of its reference.
    """
    rows = {}
    references = set()
    for channel, index in usable.items():
        if channel.cathode is None:
            weights = np.zeros(len(channels))
            weights[index] = 1.0
            rows[channel.anode] = (weights, channels[index].reference)
            references.add(channels[index].reference)
    absent = tuple(sorted(name for name in wanted if name not in rows and name in SCALP))
    sources = tuple(name for name in rows if name in SCALP)
    if len(references) == 1 and absent and len(absent) <= MOST_INTERPOLATED * len(absent + sources):
        for name, shares in zip(absent, spline_weights(sources, absent), strict=True):
            weights = sum(share * rows[source][0] for share, source in zip(shares, sources, strict=True))
            rows[name] = (weights, next(iter(references)))
    return rows


@lru_cache(maxsize=64)
def spline_weights(sources: tuple[str, ...], targets: tuple[str, ...]) -> np.ndarray:
    """Weights of spherical spline interpolation at the 10-20 positions of MNE's template head.

    Parameters
    ----------
    sources, targets
        Electrodes recorded, and electrodes to interpolate.

    Returns
    -------
    array (n_targets, n_sources)
        Each row sums to one, so the reference does not matter.
    """
    import mne

    names = [*sources, *targets]
    # Interpolating the unit vectors gives the weights through MNE's public interface alone.
    info = mne.create_info(names, 1.0, "eeg", verbose="ERROR")
    raw = mne.io.RawArray(np.eye(len(names)), info, verbose="ERROR")
    raw.set_montage(mne.channels.make_standard_montage("colin27_1020"), verbose="ERROR")
    raw.info["bads"] = list(targets)
    raw.interpolate_bads(method={"eeg": "spline"}, verbose="ERROR")
    return raw.get_data(picks=list(range(len(sources), len(names))))[:, : len(sources)]


def solve_pairs(
    channels: Sequence[Channel | None], usable: Mapping[Channel, int], potentials: Mapping[str, float]
) -> np.ndarray | None:
    """Weights of recorded pairs that sum up to a combination of electrode potentials.

    Pairs are the edges of a graph of electrodes. Where paths lead from one electrode to the other, the sum along
    them is their voltage, exactly; of several paths the least-squares mean is taken.

    Parameters
    ----------
    channels, usable
        As in `electrode_rows`.
    potentials
        Weight of each electrode in what is wanted; they sum to zero.

    Returns
    -------
    array (n_channels,) or None
        None if the pairs recorded do not determine it.
    """
    nodes: dict[str, int] = {}
    for name in potentials:
        nodes.setdefault(name, len(nodes))
    edges = []
    for channel, index in usable.items():
        end = channel.cathode or f"reference {channels[index].reference}"
        edges.append((nodes.setdefault(channel.anode, len(nodes)), nodes.setdefault(end, len(nodes)), index))
    incidence = np.zeros((len(nodes), len(edges)))
    for column, (anode, cathode, _) in enumerate(edges):
        incidence[anode, column], incidence[cathode, column] = 1.0, -1.0
    wanted = np.zeros(len(nodes))
    for name, weight in potentials.items():
        wanted[nodes[name]] = weight
    if not edges:
        return None
    solution = np.linalg.lstsq(incidence, wanted, rcond=None)[0]
    if np.abs(incidence @ solution - wanted).max() > 1e-9:
        return None
    weights = np.zeros(len(channels))
    for (_, _, index), weight in zip(edges, solution, strict=True):
        weights[index] = weight if abs(weight) > 1e-12 else 0.0
    return weights
