"""The scalp of the synthetic recordings: where the 19 electrodes lie and how waves spread over them."""

import numpy as np

# Inclination from the vertex and azimuth from the nose to the right, in degrees, of the international
# 10-20 system on a sphere (Jasper 1958): steps of 10 % and 20 % of the arc from nasion to inion.
_ANGLES = {
    "Fp1": (72, -18),
    "Fp2": (72, 18),
    "F7": (72, -54),
    "F3": (49, -39),
    "Fz": (36, 0),
    "F4": (49, 39),
    "F8": (72, 54),
    "T3": (72, -90),
    "C3": (36, -90),
    "Cz": (0, 0),
    "C4": (36, 90),
    "T4": (72, 90),
    "T5": (72, -126),
    "P3": (49, -141),
    "Pz": (36, 180),
    "P4": (49, 141),
    "T6": (72, 126),
    "O1": (72, -162),
    "O2": (72, 162),
}

ELECTRODES = tuple(_ANGLES)
"""The 19 electrodes, with the old names T3, T4, T5 and T6."""

N_ELECTRODES = len(ELECTRODES)


def _on_sphere(inclination: float, azimuth: float) -> np.ndarray:
    polar, around = np.deg2rad(inclination), np.deg2rad(azimuth)
    return np.array([np.sin(polar) * np.sin(around), np.sin(polar) * np.cos(around), np.cos(polar)])


POSITIONS = np.array([_on_sphere(*angles) for angles in _ANGLES.values()])
"""Unit vectors (19, 3): to the right, to the front, up."""


def distances(point: np.ndarray) -> np.ndarray:
    """Arc in radians from a point of the unit sphere to every electrode, shape (19,)."""
    return np.arccos(np.clip((POSITIONS * point).sum(axis=1), -1.0, 1.0))


def mirrored(point: np.ndarray) -> np.ndarray:
    """The same place on the other side of the head."""
    return point * np.array([-1.0, 1.0, 1.0])


def patch(point: np.ndarray, width: float) -> np.ndarray:
    """Weights (19,) that fall off as a Gaussian of `width` radians around a point, 1 at the point."""
    return np.exp(-0.5 * (distances(point) / width) ** 2)


def region(*names: str, width: float = 0.35) -> np.ndarray:
    """Weights (19,) around some electrodes: the largest of their patches."""
    return np.max([patch(POSITIONS[ELECTRODES.index(name)], width) for name in names], axis=0)


def spatial_root(length: float) -> np.ndarray:
    """Matrix (19, 19) that turns independent noise into noise correlated as exp(-distance / length).

    The rows have unit norm, so that the power at every electrode stays as it was.
    """
    arcs = np.array([distances(position) for position in POSITIONS])
    values, vectors = np.linalg.eigh(np.exp(-arcs / length))
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    return root / np.linalg.norm(root, axis=1, keepdims=True)


def mix(weights: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Product (n, n_times) of weights (n, m) and sources (m, n_times), summed in one fixed order.

    A BLAS product may add up in another order with another number of threads, and the files must be
    the same to the last bit.
    """
    return np.einsum("ij,jt->it", weights, sources, optimize=False)
