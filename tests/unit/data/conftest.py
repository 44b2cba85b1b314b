"""A data set of short recordings, and its windows."""

import pytest

from eegwf.data.dataset import write_dataset_windows
from tests.helpers.short_recordings import CONFIG, EVENTS, reading_settings, record


@pytest.fixture
def bids(tmp_path):
    for patient, rows in EVENTS.items():
        record(tmp_path / "bids", patient, rows)
    return tmp_path / "bids"


@pytest.fixture
def run(bids, tmp_path):
    """Write the windows of the data set to a folder; keyword arguments change sections of the configuration."""

    def run(output="out", state="state", workers=1, **changes):
        config = {key: {**value, **changes.get(key, {})} for key, value in CONFIG.items()}
        write_dataset_windows(reading_settings(config, bids), tmp_path / output, tmp_path / state, workers, "code")
        return tmp_path / output

    return run
