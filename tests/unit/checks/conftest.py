"""A small BIDS data set, and studies of it."""

from pathlib import Path

import pytest

from eegwf.dag.flow_reading import read_flow
from tests.helpers.bids_folder import EVENTS, write_recording

SMALL = {"windows": {"length": 2, "step": 2}, "folds": 3, "matrix": {"classes": ["2class"]}}


@pytest.fixture
def bids(tmp_path) -> Path:
    for patient, events in EVENTS.items():
        write_recording(tmp_path / "bids", patient, events)
    return tmp_path / "bids"


@pytest.fixture
def flow_of(root, bids, tmp_path):
    """Read a study of the small data set, at 64 Hz so that spectrograms up to 32 Hz are possible."""

    def read(**settings):
        grid = {"f_max": 32, "n_freqs": 8, "n_frames": 8}
        base = {
            "dataset": {"kind": "bids", "root": str(bids)},
            "signals": {"sfreq": 64, "l_freq": None},
            "spectrograms": {name: grid for name in ("mel", "stft", "cwt")},
            "results": str(tmp_path / "results"),
            **SMALL,
        }
        for key, value in settings.items():
            replaced = key in ("dataset", "folds", "patients") or not isinstance(base.get(key), dict)
            base[key] = value if replaced else {**base[key], **value}
        return read_flow(root / "config/config.yaml", [], base)

    return read
