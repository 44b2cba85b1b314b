"""Channels of a recording by the names in its file and by those that the configuration gives."""

from collections.abc import Sequence
from dataclasses import replace

from eegwf.config.channels import Channels, spelling
from eegwf.data.signals.channels import Channel, parse_channel, parse_channels, reference_of
from eegwf.data.signals.nets import NETS


def name_channels(names: Sequence[str], settings: Channels) -> tuple[Channel | None, ...]:
    """Determine the channels of a recording.

    Parameters
    ----------
    names
        Names of all channels in the file.
    settings
        Aliases, net and references.

    Returns
    -------
    tuple of Channel or None
        As of `parse_channels`, with the aliases. A channel to which an alias gives a name has this name only, and no
        other channel has it. The reference of such a channel is that of the alias, otherwise that in the file.
    """
    net = NETS[settings.net] if settings.net is not None else {}
    parsed = parse_channels(names, settings.references, net)
    spelled = [spelling(name) for name in names]
    taken: dict[str, Channel] = {}
    for alias, candidates in settings.aliases.items():
        present = [key for key in map(spelling, candidates) if key in spelled and key not in taken]
        if present:
            taken[present[0]] = parse_channel(alias, settings.references) or Channel(alias)
    given = set(taken.values())
    result: list[Channel | None] = []
    for name, key, channel in zip(names, spelled, parsed, strict=True):
        if key in taken:
            named = taken[key]
            reference = "" if named.cathode else named.reference or reference_of(name, settings.references)
            result.append(replace(named, reference=reference))
        else:
            result.append(None if channel in given else channel)
    return tuple(result)
