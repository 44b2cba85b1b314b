"""Samples of EDF, BDF and BrainVision files equal those that MNE reads."""

import mne
import numpy as np
import pytest

from eegwf.data.signals import samples
from eegwf.data.signals.header import header
from eegwf.errors import InputError
from tests.helpers.headers import NAMES, PHYSICAL, noise, write_brainvision, write_edf


def of_mne(path, head):
    """Samples of the EEG channels in microvolts."""
    read = mne.io.read_raw_bdf if path.suffix == ".bdf" else mne.io.read_raw_edf
    names = sorted({head.names[index] for index in head.eeg})
    raw = read(path, include=names, stim_channel=None, encoding="latin1", verbose="ERROR")
    return raw.get_data() * 1e6


def test_samples_of_real_files_equal_those_of_mne(data_root):
    """To the last bit: 66 files of the CHB-MIT and Siena corpora, and all Helsinki recordings."""
    paths = [*sorted((data_root / "mini_edf").rglob("*.edf")), *sorted((data_root / "helsinki").rglob("*.edf"))]
    for path in paths:
        head = header(path)
        read = head.samples.read(head.eeg, 0, head.n_times)
        assert np.array_equal(read, of_mne(path, head)), path
        start, stop = head.n_times // 3, head.n_times // 3 + 7
        assert np.array_equal(head.samples.read(head.eeg[3:5], start, stop), read[3:5, start:stop])
    assert len(paths) > 66


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
@pytest.mark.parametrize(("unit", "low"), [("uV", -200), ("mV", -187.5), ("\u00b5V", 300)])
def test_samples_of_any_range_equal_those_of_mne(tmp_path, monkeypatch, suffix, unit, low):
    """Also where the physical range is reversed, and the file is read in pieces of two data records."""
    path = write_edf(tmp_path / f"a{suffix}", noise(), unit=unit, fields={(PHYSICAL[0], 1): low})
    head = header(path)
    monkeypatch.setattr(samples, "CHUNK_BYTES", 2 * head.samples.record_bytes + 1)
    expected = of_mne(path, head)
    for start, stop in [(0, 1280), (127, 129), (1, 1279), (640, 640), (1279, 1280)]:
        assert np.array_equal(head.samples.read([0, 2, 1], start, stop), expected[[0, 2, 1], start:stop])


@pytest.mark.parametrize("orientation", ["MULTIPLEXED", "VECTORIZED"])
@pytest.mark.parametrize(("name", "dtype"), [("INT_16", "<i2"), ("INT_32", "<i4"), ("IEEE_FLOAT_32", "<f4")])
@pytest.mark.parametrize(
    ("unit", "resolution"), [("µV", "0.5"), ("mV", "0.001"), ("uV", ""), ("", "0.1"), ("V", "1e-6")]
)
def test_samples_of_brainvision_equal_those_of_mne(tmp_path, monkeypatch, orientation, name, dtype, unit, resolution):
    data = noise()
    changes = {"DataOrientation": orientation, "BinaryFormat": name}
    path = write_brainvision(tmp_path / "a.vhdr", data, unit, resolution=resolution, changes=changes, dtype=dtype)
    if orientation == "VECTORIZED":
        path.with_suffix(".eeg").write_bytes(data.astype(dtype).tobytes())
    expected = mne.io.read_raw_brainvision(path, verbose="ERROR").get_data() * 1e6
    monkeypatch.setattr(samples, "CHUNK_BYTES", 500)
    head = header(path)
    assert (head.sfreq, head.n_times, head.names) == (128.0, 1280, NAMES)
    for start, stop in [(0, 1280), (3, 700), (1279, 1280), (5, 5)]:
        assert np.allclose(head.samples.read([0, 1, 2], start, stop), expected[:, start:stop], rtol=1e-14, atol=0)


def test_big_endian_samples_are_read(tmp_path):
    data = noise().round()
    changes = {"BinaryFormat": "INT_16", "UseBigEndianOrder": "YES"}
    path = write_brainvision(tmp_path / "a.vhdr", data, changes=changes, dtype=">i2")
    assert np.array_equal(header(path).samples.read([0, 1, 2], 0, 1280), data)


@pytest.mark.parametrize("write", [write_edf, write_brainvision])
def test_a_file_that_becomes_shorter_is_refused(tmp_path, write):
    path = write(tmp_path / ("a.edf" if write is write_edf else "a.vhdr"), noise())
    head = header(path)
    data = path if write is write_edf else path.with_suffix(".eeg")
    data.write_bytes(data.read_bytes()[:-600])
    with pytest.raises(InputError, match="became shorter while it was read"):
        head.samples.read([0], 0, 1280)
    data.unlink()
    with pytest.raises(InputError, match="can't be read"):
        head.samples.read([0], 0, 1280)


def test_integers_of_three_bytes_keep_their_sign():
    values = np.array([0, 1, -1, 8388607, -8388608, 256, -257], "<i4")
    content = values.view("u1").reshape(-1, 4)[:, :3].copy().reshape(1, -1)
    assert np.array_equal(samples._integers(content, 3), values)
