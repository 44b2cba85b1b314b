"""Recordings of an external data set are read with the derivations and the rate of the study."""

import pytest

from eegwf.data.dataset import write_dataset_windows
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_json, read_table
from tests.helpers.short_recordings import CONFIG, reading_settings, record

OF_STUDY = ["C3", "Fp1"]


@pytest.fixture
def read(tmp_path):
    """Write the windows of the recordings in `other` with the derivations `OF_STUDY` at 64 Hz."""

    def read(**signals):
        config = CONFIG | {"signals": CONFIG["signals"] | {"sfreq": "as recorded"} | signals}
        reading = reading_settings(config, tmp_path / "other").as_study(OF_STUDY, 64.0)
        write_dataset_windows(reading, tmp_path / "out", tmp_path / "state")
        return tmp_path / "out"

    return read


def test_channels_and_rate_are_those_of_the_study(read, tmp_path):
    # Another rate, another order and further channels, different in the two recordings.
    record(tmp_path / "other", "sub-01", ["4\t6\tsz_foc"], sfreq=128, channels=("Fp1", "O1", "C3"))
    record(tmp_path / "other", "sub-02", [], sfreq=100, channels=("C3", "Fp1", "F3", "F4"))
    out = read()
    axes = read_json(out / "windows.json")
    assert axes["ch_names"] == OF_STUDY and axes["sfreq"] == 64 and axes["n_times"] == 128
    assert read_array(out / "windows.npy").shape == (20, 2, 128)
    recordings = read_table(out / "recordings.tsv", text=("notes", "dropped"))
    assert recordings["dropped"].tolist() == ["O1", "F3; F4"]
    assert ["recorded at 128 Hz and resampled" in notes for notes in recordings["notes"]] == [True, False]


@pytest.mark.parametrize("missing", ["error", "exclude"])
def test_a_recording_without_a_derivation_is_a_bad_recording(read, tmp_path, missing):
    record(tmp_path / "other", "sub-01", channels=("Fp1", "C3"))
    record(tmp_path / "other", "sub-02", channels=("Fp1", "F3"))
    with pytest.raises(InputError, match=r"sub-02.*missing for montage as recorded: C3"):
        read(missing=missing)
    out = read(missing=missing, on_bad_recording="exclude")
    recordings = read_table(out / "recordings.tsv", text=("recording", "excluded"))
    assert [bool(text) for text in recordings["excluded"]] == [False, True]


@pytest.mark.parametrize("treatment", ["stop", "exclude"])
def test_one_line_if_no_recording_fits(read, tmp_path, treatment):
    for patient in ("sub-01", "sub-02", "sub-03"):
        record(tmp_path / "other", patient, channels=("Fp1", "F3"))
    with pytest.raises(InputError) as caught:
        read(on_bad_recording=treatment)
    said = str(caught.value)
    assert "none of 3 recordings can be read as those of the study; the first: " in said and "\n" not in said
