"""Channels of a window in which the left and the right side of the head are exchanged."""

import re
from collections.abc import Sequence

import numpy as np

from eegwf.data.signals.channels import Channel, parse_channel
from eegwf.errors import InputError, format_names

SHOWN = 8


def mirror_channels(ch_names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Determine which channel is the mirror image of each.

    Parameters
    ----------
    ch_names
        Names of electrodes or derivations, as in `windows.json`.

    Returns
    -------
    source
        For each channel, the index of the channel whose signal it has after the exchange, `(n_chans,)`.
    sign
        1, or -1 for a derivation whose mirror image is recorded in the opposite direction, as `C4-Cz` in a montage that
        has `Cz-C4`, `(n_chans,)`.

    Raises
    ------
    InputError
        If a name is no electrode of the 10-10 system, or its mirror image is not among the channels.

    Notes
    -----
    The electrodes of the left side have odd numbers, those of the right side the next even ones, and those of the
    midline end with z.
    """
    place = {parse_channel(name): index for index, name in enumerate(ch_names)}
    source, sign, without = np.zeros(len(ch_names), dtype=int), np.ones(len(ch_names)), []
    for index, name in enumerate(ch_names):
        channel = parse_channel(name)
        image = None if channel is None else _image(channel)
        if image is None:
            without.append(name)
        elif image in place:
            source[index] = place[image]
        elif image.cathode is not None and (reverse := Channel(image.cathode, image.anode)) in place:
            source[index], sign[index] = place[reverse], -1
        else:
            without.append(name)
    if without:
        raise InputError(
            f"training.mirror: no channel is the mirror image of {format_names(without, SHOWN)}; choose a "
            "signals.montage with the same electrodes on both sides, or set training.mirror: 0"
        )
    return source, sign


def check_referential(ch_names: Sequence[str]) -> None:
    """Refuse derivations, which do not depend on the reference.

    Parameters
    ----------
    ch_names
        Names of electrodes or derivations, as in `windows.json`.

    Raises
    ------
    InputError
        If a channel is the difference of two electrodes, or there is only one channel.
    """
    pairs = [name for name in ch_names if (channel := parse_channel(name)) is not None and channel.cathode is not None]
    if pairs:
        raise InputError(
            f"training.rereference: {format_names(pairs, SHOWN)} do not depend on the reference, as differences of two "
            "electrodes; use signals.montage: average, or set training.rereference: 0"
        )
    if len(ch_names) < 2:
        raise InputError("training.rereference: one channel can't be the reference of another; set it to 0")


def _image(channel: Channel) -> Channel | None:
    """The channel of the opposite electrodes."""
    anode = _opposite(channel.anode)
    cathode = None if channel.cathode is None else _opposite(channel.cathode)
    if anode is None or (channel.cathode is not None and cathode is None):
        return None
    return Channel(anode, cathode)


def _opposite(electrode: str) -> str | None:
    """The electrode at the same place of the other side."""
    if electrode.lower().endswith("z"):
        return electrode
    named = re.fullmatch(r"([A-Za-z]+)(\d+)", electrode)
    if named is None:
        return None
    number = int(named[2])
    return f"{named[1]}{number + 1 if number % 2 else number - 1}"
