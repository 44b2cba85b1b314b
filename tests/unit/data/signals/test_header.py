"""Headers of recordings; files that are incomplete or invalid are refused with a one-line message."""

import mne
import numpy as np
import pytest
from edfio import Bdf, BdfSignal, Edf, EdfAnnotation, EdfSignal

from eegwf.config.data import Signals
from eegwf.data.signals.header import header
from eegwf.data.signals.signal import open_signal
from eegwf.errors import InputError

PLAIN = Signals(montage="as recorded", sfreq="as recorded", l_freq=None)
N_SIGNALS = 2
DATA = np.random.default_rng(0).normal(0, 30, size=(N_SIGNALS, 2560))


@pytest.fixture
def path(tmp_path):
    """A valid EDF file of 10 data records of one second."""
    signals = [
        EdfSignal(row, 256, label=name, physical_dimension="uV", physical_range=(-200, 200))
        for name, row in zip(["Fp1", "F7"], DATA, strict=True)
    ]
    Edf(signals).write(tmp_path / "a.edf")
    return tmp_path / "a.edf"


def patch(path, offset, text):
    content = bytearray(path.read_bytes())
    content[offset : offset + len(text)] = text
    path.write_bytes(content)


def field(offset, width, signal=0):
    """Offset of a signal's field in the file; `offset` is the width of the preceding fields per signal."""
    return 256 + offset * N_SIGNALS + width * signal


@pytest.mark.parametrize(
    ("offset", "text", "message"),
    [
        (0, b"EEGLAB  ", "not EDF"),
        (184, b"512     ", "its size is 512 bytes, but 2 signals take 768"),
        (184, b"768x    ", "the header's size is '768x'"),
        (236, b"-2      ", "number of data records is '-2'"),
        (236, b"0       ", "number of data records is '0'"),
        (236, b"\xb5\xff      ", "number of data records is"),
        (236, b"11      ", "cut off: the header declares 11 data records, the file contains 10"),
        (236, b"9       ", "longer than its header declares"),
        (244, b"0       ", "length of a data record in seconds is '0'"),
        (244, b"-1      ", "length of a data record in seconds is '-1'"),
        (252, b"0   ", "number of signals is '0'"),
        (252, b"-2  ", "number of signals is '-2'"),
        (field(216, 8), b"-256    ", "samples per data record of 'Fp1' is '-256'"),
        (field(216, 8), b"0       ", "file contains 20"),
    ],
)
def test_invalid_headers_are_refused(path, offset, text, message):
    patch(path, offset, text)
    with pytest.raises(InputError, match=message) as error:
        header(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("offset", "text", "message"),
    [
        (field(104, 8), b"200     ", "physical range of 'Fp1' is from 200 to 200"),
        (field(104, 8), b"nan     ", "physical min of 'Fp1' is 'nan'"),
        (field(120, 8, 1), b"32767   ", "digital range of 'F7' is from 32767 to 32767"),
        (field(128, 8), b"low     ", "digital max of 'Fp1' is 'low'"),
    ],
)
def test_channels_that_cannot_be_scaled_are_refused(path, offset, text, message):
    """The header is read, as another study may not use the channel."""
    patch(path, offset, text)
    assert sum(map(bool, header(path).faults)) == 1
    with pytest.raises(InputError, match=message) as error:
        open_signal(path, PLAIN)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


def test_a_sampling_rate_of_zero_is_refused(path):
    """Two signals, one of them without samples, in a file of the declared size."""
    patch(path, field(216, 8), b"0       ")
    patch(path, 236, b"20      ")
    with pytest.raises(InputError, match="'Fp1' has a sampling rate of 0 Hz"):
        open_signal(path, PLAIN)
    patch(path, field(216, 8, 1), b"0       ")
    with pytest.raises(InputError, match="no signal has samples"):
        header(path)


@pytest.mark.parametrize(
    ("size", "message"),
    [(0, "empty"), (100, "shorter than a header"), (600, "cut off within its header"), (768, "the file contains 0"),
     (768 + 3 * 1024 + 5, "declares 10 data records, the file contains 3")],
)  # fmt: skip
def test_truncated_files_are_refused(path, size, message):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=message):
        open_signal(path, PLAIN)


def test_missing_files_and_other_formats_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        header(tmp_path / "a.edf")
    (tmp_path / "a.mff").touch()
    with pytest.raises(InputError, match=r"unknown format; the recording must be one of \.edf, \.bdf, \.vhdr"):
        header(tmp_path / "a.mff")


def test_data_records_of_edf_plus_d_that_overlap_are_refused(tmp_path):
    signals = [EdfSignal(row, 256, label=name, physical_dimension="uV", physical_range=(-200, 200))
               for name, row in zip(["Fp1", "F7"], DATA, strict=True)]  # fmt: skip
    path = tmp_path / "a.edf"
    Edf(signals, annotations=[EdfAnnotation(2.0, 1.0, "blink")]).write(path)
    content = path.read_bytes()
    assert content[192:197] == b"EDF+C"
    path.write_bytes(content[:192] + b"EDF+D" + content[197:])
    assert np.allclose(open_signal(path, PLAIN).read(0, 2560), DATA, atol=0.01)
    assert content.count(b"+7\x14\x14") == 1
    path.write_bytes(content[:192] + b"EDF+D" + content[197:].replace(b"+7\x14\x14", b"+9\x14\x14"))
    with pytest.raises(InputError, match="record at 9 s ends at 10 s, but the next begins at 8 s; export it"):
        header(path)


def brainvision(folder, data, names=("Fp1", "F7"), unit="µV"):
    """Write a BrainVision recording of multiplexed 32-bit floats."""
    data.T.astype("<f4").tofile(folder / "a.eeg")
    (folder / "a.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nDataFile=a.eeg\n[Marker Infos]\n"
        "Mk1=New Segment,,1,1,0,20200101000000000000\n"
    )
    channels = "".join(f"Ch{i}={name},,1,{unit}\n" for i, name in enumerate(names, start=1))
    (folder / "a.vhdr").write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\nDataFile=a.eeg\n"
        f"MarkerFile=a.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels={len(data)}\n"
        f"DataPoints={data.shape[1]}\nSamplingInterval=3906.25\n[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n"
        f"[Channel Infos]\n{channels}",
        encoding="utf-8",
    )
    return folder / "a.vhdr"


def test_brainvision_is_read_and_missing_parts_are_refused(tmp_path):
    path = brainvision(tmp_path, DATA)
    head = header(path)
    assert (head.sfreq, head.n_times, head.duration) == (256.0, 2560, 10.0)
    assert np.allclose(open_signal(path, PLAIN).read(100, 900), DATA[:, 100:900], atol=1e-4)
    (tmp_path / "a.eeg").unlink()
    with pytest.raises(InputError, match=r"data file a\.eeg is not beside it"):
        header(path)


def test_incomplete_brainvision_files_are_refused(tmp_path):
    path = brainvision(tmp_path, DATA)
    data = tmp_path / "a.eeg"
    data.write_bytes(data.read_bytes()[:-80])
    with pytest.raises(InputError, match=r"a\.vhdr declares 2560 samples, the file contains 2550"):
        header(path)
    path.write_text(path.read_text(encoding="utf-8").replace("[Channel Infos]", "[Channels]"), encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.vhdr: invalid header: no channel in its section"):
        header(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"a\.vhdr: empty"):
        header(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path, value):
    data = DATA.copy()
    data[1, 640:700] = value
    path = brainvision(tmp_path, data)
    with pytest.raises(InputError, match=r"a\.vhdr: 'F7' is not a finite number at 2\.500 s"):
        open_signal(path, PLAIN)


def test_headers_agree_with_mne(data_root):
    """Rate, length and names of real files agree with MNE, apart from the numbers that MNE appends to duplicates."""
    paths = sorted((data_root / "mini_edf").rglob("*.edf"))[::13]
    paths.append(data_root / "helsinki/sub-01/eeg/sub-01_task-sz_eeg.edf")
    for path in paths:
        raw = mne.io.read_raw_edf(path, verbose="ERROR")
        head = header(path)
        assert (head.sfreq, head.n_times) == (raw.info["sfreq"], raw.n_times)
        assert [name.removesuffix("-0").removesuffix("-1") for name in raw.ch_names] == list(head.names)


def test_bdf_is_read_and_truncated_files_are_refused(tmp_path):
    """24-bit files with the trigger channel of every BioSemi file."""
    path = tmp_path / "a.bdf"
    signals = [
        BdfSignal(row, 256, label=name, physical_dimension="uV", physical_range=(-200, 200))
        for name, row in zip(["Fp1", "Status", "F7"], [DATA[0], np.zeros(2560), DATA[1]], strict=True)
    ]
    Bdf(signals).write(path)
    assert header(path).names == ("Fp1", "Status", "F7")
    signal = open_signal(path, PLAIN)
    assert signal.derivations == ["Fp1", "F7"]
    assert np.allclose(signal.read(100, 900), DATA[:, 100:900], atol=1e-4)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="declares 10 data records, the file contains 9"):
        header(path)
