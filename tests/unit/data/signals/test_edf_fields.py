"""EDF and BDF headers as devices write them: padding, encodings, unknown lengths, and channels that are not used."""

import numpy as np
import pytest

from eegwf.config.data import Signals
from eegwf.data.signals.header import header
from eegwf.data.signals.signal import common_derivations, open_signal
from eegwf.errors import InputError
from tests.helpers.headers import DIGITAL, LABEL, LENGTH, MICRO, NAMES, PHYSICAL, SFREQ, UNIT, noise, write_edf

PLAIN = Signals(montage="as recorded", sfreq="as recorded", l_freq=None)
PAIR = {"sfreq": "as recorded", "l_freq": None, "missing": "exclude", "montage": "tcp20"}
DATA = noise()


def values_of(path, settings=PLAIN):
    signal = open_signal(path, settings)
    return signal.read(0, signal.n_times)


@pytest.mark.parametrize(
    ("labels", "unit"),
    [
        ([b"EEG Fp1-REF".ljust(16, b"\0"), b"EEG F7-REF".ljust(16, b"\0"), b"EEG T3-REF".ljust(16, b"\0")], "uV"),
        (NAMES, b"uV".ljust(8, b"\0")),
        ([b"Fp1\0 rest of it", b"\0F7\0", b"T7 \0 \0"], b"uV\0mV\0\0\0"),
        (NAMES, b"\xb5V".ljust(8, b"\0")),
    ],
)
@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_fields_padded_with_zero_bytes_are_read(tmp_path, labels, unit, suffix):
    path = write_edf(tmp_path / f"a{suffix}", DATA, labels, unit)
    assert [str(channel) for channel in header(path).channels] == list(NAMES)
    assert np.allclose(values_of(path), DATA, atol=0.01)


def test_numbers_padded_with_zero_bytes_are_read(tmp_path):
    fields = {(PHYSICAL[0], 0): b"-200\0\0\0\0", (DIGITAL[1], 1): b"32767\0\0\0", (LENGTH, 2): b"128\0 \0"}
    main = {0: b"0\0\0\0\0\0\0\0", 236: b"10\0\0", 244: b"1\0\0\0", 252: b"3\0\0\0"}
    assert np.allclose(values_of(write_edf(tmp_path / "a.edf", DATA, fields=fields, main=main)), DATA, atol=0.01)


@pytest.mark.parametrize(("sign", "codec"), MICRO)
def test_microvolts_are_read_in_any_encoding(tmp_path, sign, codec):
    unit = f"{sign}V".encode(codec)
    assert np.allclose(values_of(write_edf(tmp_path / "a.edf", DATA, unit=unit)), DATA, atol=0.01)


def test_labels_in_utf8_are_read_as_such(tmp_path):
    labels = ["EEG Fp1\u2013F7".encode(), "Température".encode(), "\u00c9EG".encode("latin-1")]
    assert header(write_edf(tmp_path / "a.edf", DATA, labels)).names == ("EEG Fp1\u2013F7", "Température", "\u00c9EG")
    assert values_of(tmp_path / "a.edf").shape == (1, 1280)


@pytest.mark.parametrize(("suffix", "rest"), [(".edf", 0), (".edf", 100), (".bdf", 1)])
def test_an_unknown_number_of_records_is_counted_in_the_file(tmp_path, suffix, rest):
    path = write_edf(tmp_path / f"a{suffix}", DATA, n_records=-1)
    path.write_bytes(path.read_bytes() + bytes(rest))
    signal = open_signal(path, PLAIN)
    assert np.allclose(signal.read(0, signal.n_times), DATA, atol=0.01)
    assert signal.notes[0].startswith("number of data records not in the header (-1): 10 counted in the file")
    assert (f"left out ({rest} bytes)" in signal.notes[0]) == (rest > 0)


@pytest.mark.parametrize("kept", [0, 100])
def test_an_unknown_number_of_records_needs_a_complete_record(tmp_path, kept):
    path = write_edf(tmp_path / "a.edf", DATA, n_records=-1)
    path.write_bytes(path.read_bytes()[: 256 * 4 + kept])
    with pytest.raises(InputError, match=r"declares -1 data records \(unknown\), and the file contains none"):
        header(path)


INVALID = {
    "one physical value": ({PHYSICAL[0]: 200}, "physical range of '{}' is from 200 to 200"),
    "text in a range": ({PHYSICAL[0]: "n/a"}, "physical min of '{}' is 'n/a'"),
    "one digital value": ({DIGITAL[0]: 32767}, "digital range of '{}' is from 32767 to 32767"),
    "digital range reversed": ({DIGITAL[0]: 100, DIGITAL[1]: -100}, "digital range of '{}' is from 100 to -100"),
    "not a number": ({DIGITAL[1]: "nan"}, "digital max of '{}' is 'nan'"),
}


@pytest.mark.parametrize("kind", INVALID)
@pytest.mark.parametrize("missing", ["exclude", "interpolate"])
def test_invalid_ranges_matter_only_for_channels_that_are_used(tmp_path, kind, missing):
    """F9 is not part of the montage, Fp1 is."""
    fields, message = INVALID[kind]
    names = ["Fp1", "F9", "F7", "T7", "Resp", "C3", "P7"]
    data = noise(7)
    unused = {(column, signal): value for column, value in fields.items() for signal in (1, 4)}
    path = write_edf(tmp_path / "a.edf", data, names, fields=unused)
    settings = Signals(**(PAIR | {"missing": missing}))
    signal = open_signal(path, settings, ["Fp1-F7", "T7-C3"])
    assert np.allclose(signal.read(0, 1280), data[[0, 3]] - data[[2, 5]], atol=0.02)
    if missing == "interpolate":
        assert np.isfinite(open_signal(path, settings, ["Fp1-F7", "F7-T7", "C3-Cz"]).read(0, 1280)).all()
    used = {(column, 0): value for column, value in fields.items()}
    with pytest.raises(InputError, match=message.format("Fp1")):
        open_signal(write_edf(tmp_path / "b.edf", data, names, fields=used), settings, ["Fp1-F7"])


def test_a_rate_of_its_own_matters_only_for_a_channel_that_is_used(tmp_path):
    """The rate is that of most EEG channels, also if another one is the first."""
    names, data = ["F9", "Fp1", "F7", "T7"], noise(4)
    path = write_edf(tmp_path / "a.edf", [data[0].repeat(2), *data[1:]], names, rates=[2 * SFREQ, *[SFREQ] * 3])
    head = header(path)
    assert (head.sfreq, head.n_times) == (SFREQ, 1280)
    signal = open_signal(path, Signals(**PAIR))
    assert signal.derivations == ["Fp1-F7", "F7-T7"]
    assert np.allclose(signal.read(0, 1280), data[[1, 2]] - data[[2, 3]], atol=0.02)
    with pytest.raises(InputError, match="different sampling rates: 'Fp1' 128 Hz, 'F9' 256 Hz; export them at one"):
        open_signal(path, PLAIN)


def test_a_channel_without_samples_matters_only_if_it_is_used(tmp_path):
    names, data = ["F9", "Fp1", "F7"], noise(3)
    path = write_edf(tmp_path / "a.edf", data[1:], names[1:])
    empty = write_edf(tmp_path / "b.edf", [data[1], data[0][:0], data[2]], ["Fp1", "F9", "F7"], rates=[SFREQ, 0, SFREQ])
    assert np.array_equal(values_of(empty, Signals(**PAIR)), values_of(path, Signals(**PAIR)))
    with pytest.raises(InputError, match="'F9' has a sampling rate of 0 Hz"):
        open_signal(empty, PLAIN)


def test_a_second_copy_that_cannot_be_read_does_not_matter(tmp_path):
    names = ["T8-P8", "P8-O2", "T8-P8"]
    path = write_edf(tmp_path / "a.edf", DATA[[0, 1, 0]], names, fields={(PHYSICAL[0], 2): 200})
    assert open_signal(path, PLAIN).derivations == ["T8-P8", "P8-O2"]
    path = write_edf(tmp_path / "b.edf", DATA[[0, 1, 0]], names, fields={(PHYSICAL[0], 0): 200})
    with pytest.raises(InputError, match="physical range of 'T8-P8'"):
        open_signal(path, PLAIN)


def test_units_matter_only_for_channels_that_are_used(tmp_path):
    path = write_edf(tmp_path / "a.edf", noise(3), ["Fp1", "F9", "F7"], fields={(UNIT, 1): "Ohm"})
    assert open_signal(path, Signals(**PAIR)).derivations == ["Fp1-F7"]
    with pytest.raises(InputError, match="unit of 'F9' is 'Ohm'"):
        open_signal(path, PLAIN)


@pytest.mark.parametrize("length", ["0.999999", "1.000001", "1.0"])
def test_rates_that_differ_by_rounding_are_read_as_one(tmp_path, length):
    signal = open_signal(write_edf(tmp_path / "a.edf", DATA, length=length), PLAIN)
    assert (signal.sfreq, signal.duration) == (128.0, 10.0)
    assert bool(signal.notes) == (length != "1.0")
    if signal.notes:
        assert signal.notes[0].endswith("Hz in the header, read as 128 Hz")


def test_a_recording_without_eeg_does_not_make_the_common_derivations_empty(tmp_path):
    """It is excluded with the other bad recordings; without `on_bad_recording: exclude` it stops the run."""
    heads = [
        header(write_edf(tmp_path / "a.edf", DATA)),
        header(write_edf(tmp_path / "b.edf", DATA, ["ECG", "Resp", "SpO2"])),
    ]
    excluding = Signals(**(PAIR | {"on_bad_recording": "exclude"}))
    for order in (heads, heads[::-1]):
        assert common_derivations(order, excluding) == ["Fp1-F7", "F7-T7"]
        with pytest.raises(InputError, match=r"b\.edf: no derivation is common.*no EEG channel among ECG, Resp, SpO2"):
            common_derivations(order, Signals(**PAIR))
    with pytest.raises(InputError, match="no EEG channel among ECG"):
        open_signal(tmp_path / "b.edf", excluding, ["Fp1-F7"])


def test_labels_column_positions_are_those_of_the_format(tmp_path):
    """The helper writes what `header` reads: every field of a signal at its place."""
    head = header(write_edf(tmp_path / "a.edf", DATA, fields={(LABEL, 1): "EEG C3-REF", (UNIT, 1): "mV"}))
    assert head.names == ("Fp1", "EEG C3-REF", "T7") and head.units == ("uV", "mV", "uV")
