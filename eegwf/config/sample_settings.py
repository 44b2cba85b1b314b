"""The settings that decide the samples of a window and where windows begin."""

from collections.abc import Mapping
from typing import Any

OF_SAMPLES = {
    "signals": ("montage", "missing", "flat", "sfreq", "l_freq", "h_freq", "notch"),
    "windows": ("length", "step"),
}


def sample_settings(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without which two studies can't have equal samples of one recording.

    Parameters
    ----------
    sections
        `signals`, `windows` and `channels` of a configuration, as JSON-able values.

    Returns
    -------
    dict
        Value of each key, such as `signals.montage`; None if the configuration does not have it. `windows.context` is
        none of them: windows are compared without their context.
    """
    values = {
        f"{part}.{name}": sections.get(part, {}).get(name) for part, names in OF_SAMPLES.items() for name in names
    }
    return {**values, "channels": sections.get("channels")}
