"""Scalp model of the synthetic recordings: positions of the 19 electrodes and spatial spread of the signals."""

import numpy as np

# Inclination from the vertex and azimuth from the nose to the right, in degrees, of the international
# 10-20 system on a sphere (Jasper, 1958): steps of 10 % and 20 % of the arc from nasion to inion.
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
"""Names of the 19 electrodes, with T3, T4, T5 and T6 in place of T7, T8, P7 and P8."""

N_ELECTRODES = len(ELECTRODES)


def _on_sphere(inclination: float, azimuth: float) -> np.ndarray:
    polar, azimuth = np.deg2rad(inclination), np.deg2rad(azimuth)
    return np.array([np.sin(polar) * np.sin(azimuth), np.sin(polar) * np.cos(azimuth), np.cos(polar)])


POSITIONS = np.array([_on_sphere(*angles) for angles in _ANGLES.values()])
"""Unit vectors to the electrodes, shape (19, 3); the axes point to the right, to the front and up."""


def distances(point: np.ndarray) -> np.ndarray:
    """Arc length in radians from a point on the unit sphere, shape (3,), to each electrode, shape (19,)."""
    return np.arccos(np.clip((POSITIONS * point).sum(axis=1), -1.0, 1.0))


def mirrored(point: np.ndarray) -> np.ndarray:
    """Mirror a point on the unit sphere, shape (3,), to the other hemisphere of the head."""
    return point * np.array([-1.0, 1.0, 1.0])


def patch(point: np.ndarray, width: float) -> np.ndarray:
    """Gaussian weights of the electrodes around a point.

    Parameters
    ----------
    point
        Point on the unit sphere, shape (3,).
    width
        Standard deviation of the Gaussian in radians.

    Returns
    -------
    np.ndarray
        Weights, shape (19,); the weight at distance 0 is 1.
    """
    return np.exp(-0.5 * (distances(point) / width) ** 2)


def region(*names: str, width: float = 0.35) -> np.ndarray:
    """Weights of the electrodes around one or more electrodes.

    Parameters
    ----------
    *names
        Names of the central electrodes.
    width
        Standard deviation in radians of the Gaussian around each of them.

    Returns
    -------
    np.ndarray
        Maximum of the Gaussian weights of the central electrodes, shape (19,).
    """
    return np.max([patch(POSITIONS[ELECTRODES.index(name)], width) for name in names], axis=0)


def spatial_root(length: float) -> np.ndarray:
    """Mixing matrix, shape (19, 19), that correlates independent noise as exp(-distance / length).

    Distances and `length` are in radians. The rows have unit norm, so that mixing preserves the power at each
    electrode.
    """
    arcs = np.array([distances(position) for position in POSITIONS])
    values, vectors = np.linalg.eigh(np.exp(-arcs / length))
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    return root / np.linalg.norm(root, axis=1, keepdims=True)


def mix(weights: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Multiply weights and sources, adding the terms in a fixed order.

    Parameters
    ----------
    weights
        Mixing matrix, shape (n_rows, n_sources).
    sources
        Source signals, shape (n_sources, n_times).

    Returns
    -------
    np.ndarray
        Mixed signals, shape (n_rows, n_times).

    Notes
    -----
    The order in which BLAS adds terms depends on the number of threads, and the generated files must be identical bit
    by bit. Therefore `np.einsum` computes the product without optimization.
    """
    return np.einsum("ij,jt->it", weights, sources, optimize=False)
