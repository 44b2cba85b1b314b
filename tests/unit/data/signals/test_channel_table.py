"""The `_channels.tsv` of a recording: status of channels, and units that are not in the header."""

import numpy as np
import pytest

from eegwf.config.channels import Channels
from eegwf.config.data import Signals
from eegwf.data.signals.header import header
from eegwf.data.signals.signal import open_signal
from eegwf.errors import InputError
from tests.helpers.headers import UNIT, noise, write_brainvision, write_edf

DATA = noise()
RECORDED = Signals(montage="as recorded", sfreq="as recorded", l_freq=None)
EXCLUDING = Channels(status="exclude_bad")


def write(folder, rows=(), columns="name\ttype\tunits\tstatus", suffix="edf", **options):
    """A recording of three channels, and its table of channels if there are rows."""
    path = folder / f"sub-01_task-sz_eeg.{suffix}"
    (write_edf if suffix == "edf" else write_brainvision)(path, DATA, **options)
    if rows:
        text = "\n".join([columns, *("\t".join(row) for row in rows)]) + "\n"
        (folder / "sub-01_task-sz_channels.tsv").write_text(text, encoding="utf-8")
    return path


def units_of(*units, status="good"):
    return [(name, "EEG", unit, status) for name, unit in zip(("Fp1", "F7", "T7"), units, strict=True)]


@pytest.mark.parametrize(
    ("rows", "settings", "factor", "note"),
    [
        (units_of("uV", "uV", "uV"), {}, 1, "uV (sub-01_task-sz_channels.tsv)"),
        (units_of("\u00b5V", "microvolt", "\u03bcV"), {}, 1, "\u00b5V"),
        (units_of("mV", "mV", "mV"), {"unit": "uV"}, 1e3, "mV (sub-01_task-sz_channels.tsv)"),
        (units_of("n/a", "", "n/a"), {"unit": "mV"}, 1e3, "mV (channels.unit)"),
        ((), {"unit": "nV"}, 1e-3, "nV (channels.unit)"),
        ([(name.lower(), "EEG", "V", "bad") for name in ("T7", "Fp1", "F7")], {}, 1e6, "V ("),
    ],
)
def test_a_unit_that_the_header_lacks(tmp_path, rows, settings, factor, note):
    for suffix, missing in (("edf", ""), ("edf", "n/a")):
        signal = open_signal(write(tmp_path, rows, suffix=suffix, unit=missing), RECORDED, None, Channels(**settings))
        assert np.allclose(signal.read(0, 1280), DATA * factor, atol=0.01 * factor)
        assert len(signal.notes) == 1 and f"unit not in the header: {note}" in signal.notes[0]


def test_the_unit_of_the_header_has_priority(tmp_path):
    path = write(tmp_path, units_of("V", "V", "V"), unit="uV")
    assert np.allclose(open_signal(path, RECORDED, None, Channels(unit="mV")).read(0, 1280), DATA, atol=0.01)
    path = write(tmp_path, units_of("V", "V", "V"), suffix="vhdr", unit="")
    assert np.allclose(open_signal(path, RECORDED).read(0, 1280), DATA, atol=0.01)


def test_units_of_some_channels(tmp_path):
    path = write(tmp_path, units_of("uV", "n/a", "n/a"), fields={(UNIT, 0): "", (UNIT, 2): ""})
    with pytest.raises(InputError, match=r"unit of 'T7' is '', not a unit of voltage; set .* or channels\.unit if it"):
        open_signal(path, RECORDED)
    assert open_signal(path, RECORDED, ["Fp1", "F7"]).derivations == ["Fp1", "F7"]
    assert np.allclose(open_signal(path, RECORDED, None, Channels(unit="uV")).read(0, 1280), DATA, atol=0.01)
    (tmp_path / "sub-01_task-sz_channels.tsv").write_text("name\tunits\nFp1\tdegrees\n")
    with pytest.raises(InputError, match="unit of 'Fp1' is 'degrees', not a unit of voltage"):
        open_signal(path, RECORDED, None, Channels(unit="uV"))


@pytest.mark.parametrize("name", ["F7", "f7 ", "EEG F7-REF", "F7-LE"])
@pytest.mark.parametrize("suffix", ["edf", "vhdr"])
def test_bad_channels_are_not_used(tmp_path, name, suffix):
    rows = [("Fp1", "EEG", "uV", "good"), (name, "EEG", "uV", "bad"), ("T7", "EEG", "uV", "n/a")]
    path = write(tmp_path, rows, suffix=suffix)
    assert open_signal(path, RECORDED).derivations == ["Fp1", "F7", "T7"]
    signal = open_signal(path, RECORDED, None, EXCLUDING)
    assert signal.derivations == ["Fp1", "T7"] and signal.dropped == ["F7"]
    assert "not used because of their status bad: F7" in signal.notes
    with pytest.raises(
        InputError, match=r"missing for montage as recorded: F7; .*; others: F7 \(status bad\)\. Choose"
    ):
        open_signal(path, RECORDED, ["F7"], EXCLUDING)


def test_status_of_a_channel_with_an_alias(tmp_path):
    channels = Channels(status="exclude_bad", aliases={"BTE": ["X1"], "CROSS": ["X2"]})
    for name in ("X2", "CROSS"):
        path = write(tmp_path, [("X1", "EEG", "uV", "good"), (name, "EEG", "uV", "bad")], labels=["X1", "X2", "X3"])
        assert open_signal(path, RECORDED, None, channels).derivations == ["BTE"]


def test_channels_other_than_eeg_may_be_bad(tmp_path):
    path = write(tmp_path, [("ECG", "ECG", "uV", "bad")], labels=["Fp1", "F7", "ECG"])
    assert open_signal(path, RECORDED, None, EXCLUDING).derivations == ["Fp1", "F7"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\tstatus\nO1\tbad\n", r"line 2: 'O1' has the status bad, but the recording has no channel of this name"),
        ("name\tstatus\nFp1\tgood\n\nF7\tpoor\n", r"line 4: status is 'poor'; write good, bad or n/a"),
        ("channel\tstatus\nFp1\tbad\n", r"line 1: no column 'name' \(found channel, status\)"),
        ("name,status\nFp1,bad\n", r"line 1: no column 'name' \(found name,status\)"),
        ("", r"line 1: no column 'name' \(found nothing\)"),
        ("name\tstatus\nFp1\n", r"line 2: 1 cells, the header has 2"),
        (b"name\tstatus\nFp1\xff\tbad\n", r"can't be read \(not UTF-8\)"),
    ],
)
def test_faults_of_the_table(tmp_path, text, said):
    path = write(tmp_path)
    table = tmp_path / "sub-01_task-sz_channels.tsv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=rf"_channels\.tsv: {said}"):
        header(path, EXCLUDING)
    assert header(path) == header(path, Channels(unit="uV"))  # not read


def test_a_table_that_was_not_fetched(tmp_path):
    path = write(tmp_path)
    (tmp_path / "sub-01_task-sz_channels.tsv").symlink_to("nowhere.tsv")
    with pytest.raises(InputError, match=r"_channels\.tsv: link to a missing file; fetch"):
        header(path, EXCLUDING)
    assert open_signal(path, RECORDED).derivations == ["Fp1", "F7", "T7"]


def test_a_table_that_is_needed_for_a_unit_only_is_a_fault_of_its_channels(tmp_path):
    path = write(tmp_path, [("F7",)], columns="channel", fields={(UNIT, 1): ""})
    assert [bool(fault) for fault in header(path).faults] == [False, True, False]
    assert open_signal(path, RECORDED, ["Fp1"]).derivations == ["Fp1"]
    with pytest.raises(InputError, match=r"_channels\.tsv: line 1: no column 'name'"):
        open_signal(path, RECORDED)
    write(tmp_path, [("\ufeffname", "units"), ("F7", "uV")], columns="", fields={(UNIT, 1): ""})
    table = tmp_path / "sub-01_task-sz_channels.tsv"
    table.write_bytes(table.read_bytes().lstrip(b"\n"))
    assert open_signal(path, RECORDED).derivations == ["Fp1", "F7", "T7"]
