"""Figures of mean maps by channel on the scalp."""

from functools import cache

import numpy as np
from matplotlib.collections import LineCollection

from eegwf.data.signals.channels import Channel, parse_channels
from eegwf.report.drawing import FAINT, INK, Figure, drawing, short
from eegwf.report.formats import listing
from eegwf.report.map_drawing import RELATIVE, Scale, color_bar
from eegwf.report.map_files import OUTCOMES
from eegwf.report.pooled_maps import Part, PooledMaps, varies

MIN_POSITIONS = 4
HEAD_RADIUS = 0.095  # m; of the head of MNE


def electrode_positions() -> dict[str, np.ndarray]:
    """Positions of electrodes in the plane in m, seen from above: of `colin27_1020`, the `standard_1020` of old MNE."""
    return _positions("colin27_1020")


@cache
def _positions(montage: str) -> dict[str, np.ndarray]:
    import mne

    names = mne.channels.make_standard_montage(montage).ch_names
    info = mne.create_info(names, 1.0, "eeg", verbose="ERROR")
    # In the coordinates of the head, whose origin is between the ears.
    info.set_montage(montage, verbose="ERROR")
    return {channel["ch_name"]: _projected(channel["loc"][:3]) for channel in info["chs"]}


def _projected(place: np.ndarray) -> np.ndarray:
    """Azimuthal equidistant projection: the distance from the vertex is kept, and the equator is the drawn head."""
    polar = np.arccos(place[2] / np.linalg.norm(place))
    return place[:2] / np.hypot(*place[:2]) * polar / (np.pi / 2) * HEAD_RADIUS


def channel_positions(names: list[str]) -> dict[int, np.ndarray]:
    """Determine the positions of channels.

    Parameters
    ----------
    names
        Names of the channels.

    Returns
    -------
    dict
        For the index of each channel whose electrodes are known, their positions: `(1, 2)`, or `(2, 2)` for a bipolar
        derivation, which is shown at the midpoint.
    """
    known = electrode_positions()
    result = {}
    for index, channel in enumerate(parse_channels(names)):
        electrodes = _electrodes(channel)
        if electrodes and all(name in known for name in electrodes):
            result[index] = np.stack([known[name] for name in electrodes])
    return result


def _electrodes(channel: Channel | None) -> list[str]:
    if channel is None:
        return []
    return [channel.anode] if channel.cathode is None else [channel.anode, channel.cathode]


def scalp_figure(
    pooled: PooledMaps, part: Part, values: np.ndarray, scale: Scale, name: str, key: str
) -> Figure | None:
    """Draw the mean of each channel on the scalp.

    Parameters
    ----------
    pooled, part, values, scale, name, key
        As in `figures_profiles.mean_figure`; the color scale has the limits of the means over frequency.

    Returns
    -------
    Figure or None
        A head for the correctly answered windows of each class, on one color scale; None with less than four
        positions, or if the maps do not vary over the channels.
    """
    panels = [panel for panel in pooled.panels() if OUTCOMES[panel[1]] == "correct"]
    if not panels:
        return None
    chosen = np.stack([values[panel].mean(axis=1) for panel in panels])
    places = channel_positions(part.ch_names)
    centers, index = _distinct(places)
    if len(centers) < MIN_POSITIONS or not varies(chosen, 1):
        return None
    texts = []
    with drawing(1.3 + 1.45 * len(panels), 2.1, columns=len(panels)) as figure:
        for axes, panel, means in zip(figure.rows, panels, chosen, strict=True):
            dots = np.array([means[channels].mean() for channels in index])
            image = _draw_head(axes, dots, centers, scale)
            pairs = [ends for ends in places.values() if len(ends) == 2]
            axes.add_collection(LineCollection(pairs, colors="#555555", linewidths=0.5))
            # On the colors of the map, which are the same on a light and a dark page.
            axes.plot(*centers.T, "o", color="black", markeredgecolor="white", markeredgewidth=0.4, markersize=3)
            axes.set_title(short(pooled.label(panel), 22), fontsize=8.5)
            order = sorted(places, key=lambda row: -abs(means[row]) if scale.signed else -means[row])[:3]
            highest = listing([f"{part.ch_names[row]} ({means[row]:.3g})" for row in order])
            texts.append(f"{pooled.label(panel)}: largest at {highest}")
        color_bar(figure, image, RELATIVE.replace(" (", "\n("))
        return figure.finish(key, f"{name} by channel on the scalp, {RELATIVE}. {'; '.join(texts)}.")


def _distinct(places: dict[int, np.ndarray]) -> tuple[np.ndarray, list[list[int]]]:
    """Distinct midpoints, and the channels at each: an interpolation needs one value at a place."""
    groups: dict[tuple[float, ...], list[int]] = {}
    for index, ends in places.items():
        groups.setdefault(tuple(ends.mean(axis=0).round(6)), []).append(index)
    return np.array(list(groups)).reshape(-1, 2), list(groups.values())


def _draw_head(axes, dots: np.ndarray, centers: np.ndarray, scale: Scale):
    """Interpolated values inside the outline of a head."""
    import mne

    image, _ = mne.viz.plot_topomap(
        dots,
        centers,
        axes=axes,
        cmap=scale.colors,
        vlim=(scale.low, scale.high),
        sphere=HEAD_RADIUS,
        extrapolate="local",
        sensors=False,
        contours=0,
        res=48,
        show=False,
    )
    image.set_alpha(scale.opacity)
    for line in axes.lines:
        line.set(color=FAINT if scale.grayed else INK, linewidth=1)
    return image
