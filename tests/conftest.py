"""Where the tests find real recordings."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("eegwf", deadline=None)
settings.load_profile("eegwf")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of real EEG: `EEGWF_TEST_DATA`, else `../shared/data` beside the checkout."""
    folder = Path(os.environ.get("EEGWF_TEST_DATA", ROOT / "../shared/data")).resolve()
    if not (folder / "helsinki" / "participants.tsv").exists():
        pytest.skip(f"no real EEG at {folder}; set EEGWF_TEST_DATA to a folder that holds helsinki/ and mini_edf/")
    return folder
