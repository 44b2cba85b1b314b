"""Interpolation of electrodes and pairs that were not recorded."""

from collections.abc import Collection, Mapping
from functools import lru_cache

import numpy as np

from eegwf.data.signals.channels import EARS, ELECTRODES, Channel

# Maximum fraction of interpolated electrodes among the interpolated and recorded electrodes.
MAX_INTERPOLATED = 0.25
# Electrodes that are not interpolated: the ears, and those without a position in MNE's template montage.
NO_POSITION = (*EARS, "T1", "T2", "I1", "I2", "Nz")
SCALP = frozenset(ELECTRODES) - frozenset(NO_POSITION)


def electrode_rows(
    n_channels: int, usable: Mapping[Channel, int], needed: Collection[str] = ()
) -> dict[str, tuple[np.ndarray, str]]:
    """Express the electrodes of a referential recording as weights of its channels.

    Parameters
    ----------
    n_channels
        Number of channels of the recording.
    usable
        Index of each channel that may be used.
    needed
        Electrodes to interpolate by spherical splines (Perrin et al. 1989) if they were not recorded. Ears are never
        interpolated, other electrodes only if all recorded electrodes have the same reference, and at most one for
        every three that were recorded.

    Returns
    -------
    dict
        For each electrode its weights `(n_channels,)` and the name of its reference.
    """
    rows: dict[str, tuple[np.ndarray, str]] = {}
    references: set[str] = set()
    for channel, index in usable.items():
        if channel.cathode is None:
            weights = np.zeros(n_channels)
            weights[index] = 1.0
            rows[channel.anode] = (weights, channel.reference)
            references.add(channel.reference)
    absent = tuple(sorted(name for name in needed if name not in rows and name in SCALP))
    sources = tuple(name for name in rows if name in SCALP)
    if len(references) == 1 and absent and len(absent) <= MAX_INTERPOLATED * len(absent + sources):
        for name, shares in zip(absent, spline_weights(sources, absent), strict=True):
            weights = sum(share * rows[source][0] for share, source in zip(shares, sources, strict=True))
            rows[name] = (weights, next(iter(references)))
    return rows


@lru_cache(maxsize=64)
def spline_weights(sources: tuple[str, ...], targets: tuple[str, ...]) -> np.ndarray:
    """Compute the weights of spherical spline interpolation at the positions of MNE's template montage.

    Parameters
    ----------
    sources, targets
        Recorded electrodes, and electrodes to interpolate.

    Returns
    -------
    array (n_targets, n_sources)
        Each row sums to one, so that the interpolated electrodes have the reference of the recorded ones.
    """
    import mne

    names = [*sources, *targets]
    # Interpolating unit vectors yields the weights with MNE's public interface only.
    info = mne.create_info(names, 1.0, "eeg", verbose="ERROR")
    raw = mne.io.RawArray(np.eye(len(names)), info, verbose="ERROR")
    raw.set_montage(mne.channels.make_standard_montage("colin27_1020"), verbose="ERROR")
    raw.info["bads"] = list(targets)
    raw.interpolate_bads(method={"eeg": "spline"}, verbose="ERROR")
    return raw.get_data(picks=list(range(len(sources), len(names))))[:, : len(sources)]


def solve_pairs(n_channels: int, usable: Mapping[Channel, int], potentials: Mapping[str, float]) -> np.ndarray | None:
    """Express a combination of electrode potentials as a weighted sum of recorded pairs.

    Pairs are edges of a graph whose nodes are the electrodes. The voltage between two electrodes is the sum of the
    pairs along a path between them; if there are several paths, the least-squares solution is their mean.

    Parameters
    ----------
    n_channels
        Number of channels of the recording.
    usable
        Index of each channel that may be used.
    potentials
        Weight of each electrode in the combination; the weights sum to zero.

    Returns
    -------
    array (n_channels,) or None
        Weights of the channels; None if the recorded pairs do not determine the combination.
    """
    nodes: dict[str, int] = {}
    for name in potentials:
        nodes.setdefault(name, len(nodes))
    edges = []
    for channel, index in usable.items():
        cathode_name = channel.cathode or f"reference {channel.reference}"
        edges.append((nodes.setdefault(channel.anode, len(nodes)), nodes.setdefault(cathode_name, len(nodes)), index))
    incidence = np.zeros((len(nodes), len(edges)))
    for column, (anode, cathode, _) in enumerate(edges):
        incidence[anode, column], incidence[cathode, column] = 1.0, -1.0
    target = np.zeros(len(nodes))
    for name, weight in potentials.items():
        target[nodes[name]] = weight
    if not edges:
        return None
    solution = np.linalg.lstsq(incidence, target, rcond=None)[0]
    if np.abs(incidence @ solution - target).max() > 1e-9:
        return None
    weights = np.zeros(n_channels)
    for (_, _, index), weight in zip(edges, solution, strict=True):
        weights[index] = weight if abs(weight) > 1e-12 else 0.0
    return weights
