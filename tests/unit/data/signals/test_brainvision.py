"""BrainVision recordings as amplifiers, exports and renamed files leave them."""

import numpy as np
import pytest

from eegwf.config.data import Signals
from eegwf.data.signals.brainvision_files import Segment, companion_files, read_segments
from eegwf.data.signals.header import header
from eegwf.data.signals.signal import open_signal
from eegwf.errors import InputError
from tests.helpers.headers import MICRO, NAMES, SFREQ, noise, write_brainvision

PLAIN = Signals(montage="as recorded", sfreq="as recorded", l_freq=None)
DATA = noise()


def values_of(path):
    signal = open_signal(path, PLAIN)
    return signal.read(0, signal.n_times)


def assert_read(path, data=DATA, notes=0):
    assert np.allclose(values_of(path), data, atol=1e-4)
    assert len(header(path).notes) == notes


@pytest.mark.parametrize(("sign", "codec"), MICRO)
@pytest.mark.parametrize("codepage", ["UTF-8", "ANSI", "1252", None])
def test_microvolts_are_read_in_any_encoding(tmp_path, sign, codec, codepage):
    """Samples are microvolts, not multiplied by a million."""
    changes = {} if codepage else {"Codepage": ""}
    assert_read(write_brainvision(tmp_path / "a.vhdr", DATA, f"{sign}V", codec, codepage, changes=changes))


@pytest.mark.parametrize(
    ("unit", "factor"), [("", 1), ("uV", 1), ("mV", 1e3), ("V", 1e6), ("nV", 1e-3), ("microvolt", 1)]
)
def test_units_are_converted_to_microvolts(tmp_path, unit, factor):
    """A channel without a unit is in microvolts, as the specification has it."""
    assert np.allclose(values_of(write_brainvision(tmp_path / "a.vhdr", DATA, unit)), DATA * factor, rtol=1e-6)


def test_a_line_without_unit_and_resolution_is_in_microvolts(tmp_path):
    assert_read(write_brainvision(tmp_path / "a.vhdr", DATA, changes={"Ch1": "Fp1", "Ch2": "F7,,", "Ch3": "T7,REF,1"}))


@pytest.mark.parametrize("resolution", ["0.1", "0,1", "1e-1"])
def test_resolutions_are_read_with_a_point_or_a_comma(tmp_path, resolution):
    path = write_brainvision(tmp_path / "a.vhdr", DATA * 10, resolution=resolution)
    assert_read(path)


@pytest.mark.parametrize("resolution", ["0", "abc", "nan"])
def test_an_invalid_resolution_matters_only_if_the_channel_is_used(tmp_path, resolution):
    changes = {"Ch2": f"F9,,{resolution},µV"}
    path = write_brainvision(tmp_path / "a.vhdr", DATA, names=["Fp1", "F9", "F7"], changes=changes)
    unused = open_signal(path, Signals(montage="tcp20", missing="exclude", sfreq="as recorded", l_freq=None))
    assert np.allclose(unused.read(0, 1280), DATA[[0]] - DATA[[2]], atol=1e-4)
    with pytest.raises(InputError, match=f"resolution of 'F9' is '{resolution}', so its samples can't be scaled"):
        open_signal(path, PLAIN)


def test_units_other_than_voltage_matter_only_if_the_channel_is_used(tmp_path):
    changes = {"Ch2": "Resp,,1,ARU"}
    assert values_of(write_brainvision(tmp_path / "a.vhdr", DATA, changes=changes)).shape == (2, 1280)
    with pytest.raises(InputError, match="unit of 'F7' is 'ARU', not a unit of voltage"):
        open_signal(write_brainvision(tmp_path / "b.vhdr", DATA, changes={"Ch2": "F7,,1,ARU"}), PLAIN)


def test_the_suffix_may_be_in_capitals(tmp_path):
    path = write_brainvision(tmp_path / "a.vhdr", DATA)
    assert_read(path.rename(tmp_path / "a.VHDR"))


@pytest.mark.parametrize(
    ("name", "key", "options"),
    [
        ("Müller.eeg", None, {"encoding": "latin-1", "codepage": "ANSI"}),
        ("Müller.eeg", None, {"encoding": "cp1252", "codepage": "UTF-8"}),
        ("Mu\u0308ller.eeg", "M\u00fcller.eeg", {}),
        ("Mu\u0308ller.eeg", "M\u00fcller.eeg", {"encoding": "latin-1", "codepage": "ANSI"}),
        ("Анна.eeg", None, {"encoding": "cp1251", "codepage": "1251", "unit": "uV"}),
        ("patient 7 (copy).dat", None, {}),
        ("a.eeg", "$b.eeg", {}),
        ("a.EEG", "a.eeg", {}),
        ("a.eeg", "D:\\EEG\\a.eeg", {}),
        ("a.eeg", "a.eeg", {"encoding": "utf-16"}),
        ("a.eeg", "a.eeg", {"encoding": "utf-8-sig"}),
    ],
)
def test_data_files_are_found_by_name(tmp_path, name, key, options):
    path = write_brainvision(tmp_path / "a.vhdr", DATA, data_name=name, data_key=key, **options)
    assert_read(path)
    assert companion_files(path) == [tmp_path / name, tmp_path / "a.vmrk"]


def test_a_missing_data_file_is_named_with_the_file_that_is_there(tmp_path):
    path = write_brainvision(tmp_path / "a.vhdr", DATA, data_key="other.eeg")
    with pytest.raises(InputError, match=r"data file other\.eeg is not beside it; fetch it, or set DataFile=a\.eeg if"):
        header(path)
    (tmp_path / "a.eeg").unlink()
    with pytest.raises(InputError, match=r"data file other\.eeg is not beside it; fetch it, or correct DataFile="):
        header(path)
    with pytest.raises(InputError, match="data file DataFile= is not beside it"):
        header(write_brainvision(tmp_path / "b.vhdr", DATA, changes={"DataFile": ""}))
    assert companion_files(tmp_path / "none.vhdr") == []


@pytest.mark.parametrize(
    "markers",
    [
        "Mk2=Comment,Anfall ü,100,1,0".encode("latin-1"),
        b"Mk2=Stimulus,S  1,abc,1,0",
        b"Mk2",
        b"\xff\xfe\x00",
        b"[Marker",
    ],
)
def test_markers_are_not_checked(tmp_path, markers):
    path = write_brainvision(tmp_path / "a.vhdr", DATA)
    marker_file = path.with_suffix(".vmrk")
    marker_file.write_bytes(marker_file.read_bytes() + b"\r\n" + markers)
    assert_read(path)
    assert read_segments(path, "a.vmrk") == ((Segment(0, "20190101000000000000"),), ())


def test_an_absent_marker_file_is_a_note(tmp_path):
    path = write_brainvision(tmp_path / "a.vhdr", DATA, marker_key="old.vmrk")
    assert len(read_segments(path, "old.vmrk")[0]) == 1  # of the file with the header's stem
    (tmp_path / "a.vmrk").unlink()
    assert_read(path, notes=1)
    assert open_signal(path, PLAIN).notes == (
        "its marker file old.vmrk is not beside it, so pauses in the recording are not known",
    )
    (tmp_path / "a.vmrk").mkdir()
    assert_read(write_brainvision_header(tmp_path / "a.vhdr", "MarkerFile=old.vmrk", "MarkerFile=a.vmrk"), notes=1)
    assert_read(write_brainvision_header(tmp_path / "a.vhdr", "MarkerFile=a.vmrk", ""))


def write_brainvision_header(path, old, new):
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    return path


def test_segments_are_read_from_the_markers(tmp_path):
    markers = (
        "; a comment",
        "Mk1=New Segment,,1,1,0,20190101000000000000",
        "Mk2=Stimulus,S  1,300,1,0",
        "Mk3=New Segment,,641,1,0",
        "Mk4=New Segment,a name,900,1,0,20190101001000500000",
    )
    path = write_brainvision(tmp_path / "a.vhdr", DATA, markers=markers)
    dates = ("20190101000000000000", "", "20190101001000500000")
    assert read_segments(path, "a.vmrk") == (tuple(map(Segment, (0, 640, 899), dates)), ())
    assert [stretch.start for stretch in header(path).stretches] == [0, 640, 899]


def test_channels_of_one_name_are_used_once_if_identical(tmp_path):
    names = ["Fp1", "F7", "Fp1"]
    path = write_brainvision(tmp_path / "a.vhdr", DATA[[0, 1, 0]], names=names)
    assert open_signal(path, PLAIN).derivations == ["Fp1", "F7"]
    with pytest.raises(InputError, match=r"duplicated channel Fp1: .*\(channels 1 and 3\) differ at 0\.000 s"):
        open_signal(write_brainvision(tmp_path / "b.vhdr", DATA, names=names), PLAIN)


def test_headers_in_other_spellings_are_read(tmp_path):
    """Sections in another case, spaces around the equals sign, commas in names, intervals with a decimal comma."""
    path = write_brainvision(tmp_path / "a.vhdr", DATA, changes={"Ch2": "F7\\1,,1,µV", "SamplingInterval": "7812,5"})
    text = (
        path.read_text(encoding="utf-8").replace("[Common Infos]", "[Common infos]").replace("DataFile=", "datafile = ")
    )
    path.write_text(text.replace("[Channel Infos]", "[channel infos]"), encoding="utf-8")
    head = header(path)
    assert (head.names, head.sfreq) == (("Fp1", "F7,", "T7"), float(SFREQ))
    assert np.allclose(values_of(path), DATA[[0, 2]], atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SamplingInterval": "fast"}, "SamplingInterval is 'fast', not a number"),
        ({"SamplingInterval": "0"}, "SamplingInterval is '0'"),
        ({"NumberOfChannels": "2.5"}, "NumberOfChannels is '2.5'"),
        ({"NumberOfChannels": ""}, "NumberOfChannels is ''"),
        ({"BinaryFormat": "INT_12"}, "BinaryFormat is 'INT_12', not INT_16, INT_32"),
        ({"DataFormat": "HEX"}, "DataFormat is 'HEX', not BINARY or ASCII"),
        ({"DataOrientation": "DIAGONAL"}, "DataOrientation is 'DIAGONAL'"),
        ({"NumberOfChannels": "3\r\nDataType=FREQUENCYDOMAIN"}, "DataType is 'FREQUENCYDOMAIN', not TIMEDOMAIN"),
        ({"NumberOfChannels": "3\r\nDataPoints=1281"}, "declares 1281 samples, the file contains 1280"),
        ({"DataOrientation": "VECTORIZED", "NumberOfChannels": "7"}, "not a whole number of samples of 7 channels"),
    ],
)
def test_invalid_headers_are_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message) as error:
        header(write_brainvision(tmp_path / "a.vhdr", DATA, changes=changes))
    assert str(error.value).startswith(str(tmp_path)) and "\n" not in str(error.value)


def test_other_files_and_empty_ones_are_refused(tmp_path):
    path = write_brainvision(tmp_path / "a.vhdr", DATA)
    (tmp_path / "a.eeg").write_bytes(b"")
    with pytest.raises(InputError, match=r"a\.eeg: empty"):
        header(path)
    path.write_bytes(b"<?xml version='1.0'?>")
    with pytest.raises(InputError, match=r"a\.vhdr: not a BrainVision header \(begins with"):
        header(path)


def test_an_incomplete_last_sample_is_a_note(tmp_path):
    path = write_brainvision(tmp_path / "a.vhdr", DATA)
    (tmp_path / "a.eeg").write_bytes((tmp_path / "a.eeg").read_bytes()[:-5])
    assert_read(path, DATA[:, :-1], notes=1)


@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize("vectorized", [False, True])
def test_data_files_in_text_are_read(tmp_path, comma, vectorized):
    """A line of names, or a name in front of each line, is skipped as the header says."""
    data = DATA.round(3)
    if vectorized:
        lines = [f"{name} {' '.join(map(str, row))}" for name, row in zip(NAMES, data, strict=True)]
    else:
        lines = [" ".join(NAMES), *(" ".join(map(str, column)) for column in data.T)]
    layout = {"[ASCII Infos]": None, "DecimalSymbol": ",."[not comma], "SkipLines": int(not vectorized)}
    layout |= {"SkipColumns": int(vectorized), "DataFormat": "ASCII"}
    layout |= {"DataOrientation": "VECTORIZED" if vectorized else "MULTIPLEXED"}
    path = write_brainvision(tmp_path / "a.vhdr", data, changes=layout)
    text = "\n".join(lines)
    (tmp_path / "a.eeg").write_text(text.replace(".", ",") if comma else text)
    assert_read(path, data)
    (tmp_path / "a.eeg").write_text(text.replace("0", "x"))
    with pytest.raises(InputError, match=r"a\.eeg, line \d: could not convert string to float.*in the format BINARY"):
        header(path)
    (tmp_path / "a.eeg").write_text("\n".join(line.rsplit(" ", 1)[0] for line in lines[:2]) + "\n1 2 3")
    with pytest.raises(InputError, match=r"a\.eeg.*export it again|cells, \d+ expected"):
        header(path)
