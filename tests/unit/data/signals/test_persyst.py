"""Recordings of Persyst."""

import numpy as np
import pytest

from eegwf.data.signals.file_names import recording_files
from eegwf.data.signals.header import header
from eegwf.errors import InputError
from tests.helpers.mne_files import NAMES, SFREQ, quantized, write_persyst

DATA = quantized()


def values_of(path):
    head = header(path)
    return head.samples.read(range(len(head.names)), 0, head.n_times)


@pytest.mark.parametrize("kind", [0, 7])
@pytest.mark.parametrize("header_length", [0, 100])
def test_samples_are_those_that_were_written(tmp_path, kind, header_length):
    path = write_persyst(tmp_path / "a_eeg.lay", DATA, kind=kind, header_length=header_length)
    head = header(path)
    assert np.array_equal(values_of(path), DATA)
    assert head.names == tuple(f"{name}-Ref" for name in NAMES) and head.sfreq == SFREQ and head.notes == ()
    assert [channel.anode for channel in head.channels] == list(NAMES)
    assert np.array_equal(head.samples.read([2, 0], 5, 300), DATA[[2, 0], 5:300])


def test_samples_are_those_of_mne(tmp_path):
    import mne

    path = write_persyst(tmp_path / "a_eeg.lay", DATA)
    raw = mne.io.read_raw_persyst(path, verbose="ERROR")
    assert np.allclose(raw.get_data() * 1e6, values_of(path), atol=1e-9)


def test_channels_are_in_the_order_of_their_numbers(tmp_path):
    path = write_persyst(tmp_path / "a_eeg.lay", DATA, numbers=[3, 1, 2])
    assert header(path).names == ("F7-Ref", "T7-Ref", "Fp1-Ref")
    assert np.array_equal(values_of(path), DATA)


def test_patients_without_a_birth_date_are_read(tmp_path):
    path = write_persyst(tmp_path / "a_eeg.lay", DATA)
    text = "".join(line for line in path.read_text().splitlines(True) if not line.startswith(("Birth", "Test", "Hand")))
    path.write_text(text)
    assert np.array_equal(values_of(path), DATA)


def test_steps_of_the_clock_are_pauses(tmp_path):
    times = {0: 86395.0, 640: 0.0, 700: 20.46875, 900: 22.03}
    head = header(write_persyst(tmp_path / "a_eeg.lay", DATA, times=times))
    assert [(part.start, part.stop, part.onset) for part in head.stretches] == [(0, 700, 0.0), (700, 1280, 700 / 128)]
    (note,) = head.notes
    assert note.startswith("segments begin at 5.46875 s after a pause of 20 s; no window crosses their edges")


def test_times_after_the_end_are_a_note(tmp_path):
    head = header(write_persyst(tmp_path / "a_eeg.lay", DATA, times={0: 5.0, 2000: 50.0}))
    assert len(head.stretches) == 1
    assert "after the 1280 samples in a_eeg.dat, which is a clip or cut off" in head.notes[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SamplingRate": "0"}, "SamplingRate is '0', not a number of at least 0.001"),
        ({"Calibration": ""}, "Calibration is '', not a number"),
        ({"WaveformCount": 4}, r"\[ChannelMap\] has 3 channels, expected name=1 to name=4"),
        ({"F7-Ref": 1}, r"\[ChannelMap\] has 3 channels"),
        ({"DataType": 3}, "DataType is '3', not 0 or 7"),
        ({"FileType": "Nicolet"}, "FileType is 'nicolet', not interleaved"),
        ({"File": "b.dat"}, r"its data file b\.dat is not beside it"),
    ],
)
def test_invalid_layouts_are_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        header(write_persyst(tmp_path / "a_eeg.lay", DATA, changes=changes))


def test_data_files_of_another_size_are_refused(tmp_path):
    path = write_persyst(tmp_path / "a_eeg.lay", DATA)
    samples = header(path).samples
    data = path.with_suffix(".dat")
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(InputError, match="cut off: 7679 bytes are not a whole number of samples of 3 channels"):
        header(path)
    with pytest.raises(InputError, match="became shorter while it was read"):
        samples.read([0], 0, 1280)
    data.write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        header(path)
    path.write_text("anything")
    with pytest.raises(InputError, match="not a Persyst layout"):
        header(path)


def test_the_data_file_may_have_another_name(tmp_path):
    path = write_persyst(tmp_path / "a_eeg.lay", DATA, changes={"File": r"C:\data\x.DAT"})
    path.with_suffix(".dat").rename(tmp_path / "x.dat")
    assert np.array_equal(values_of(path), DATA)
    assert recording_files(path) == [path, tmp_path / "x.dat"]
