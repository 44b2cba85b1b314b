"""The job that reads every recording and cuts it into labelled windows."""

from pathlib import Path
from typing import Any

from eegwf.config.data import Bids, Signals, Synthetic, Windows
from eegwf.data.dataset import Reading


def parse_reading(config: dict[str, Any], root: Path) -> Reading:
    """The reading that a slice of the configuration asks for."""
    kind = Synthetic if config["dataset"]["kind"] == "synthetic" else Bids
    return Reading(
        Path(root),
        kind.model_validate(config["dataset"]),
        Signals.model_validate(config["signals"]),
        Windows.model_validate(config["windows"]),
        config["patients"],
    )
