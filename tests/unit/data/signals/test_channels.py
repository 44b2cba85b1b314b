"""Parsing of channel names in the spellings of recordings."""

import mne
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.data.signals.channels import EARS, ELECTRODES, Channel, parse_channel
from eegwf.data.signals.header import header


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("EEG Fp1-REF", "Fp1"),
        ("EEG FP1-LE", "Fp1"),
        ("FP1-F7", "Fp1-F7"),
        ("EEG FP1-F7", "Fp1-F7"),
        ("T8-P8-0", "T8-P8"),
        ("T8-P8-1", "T8-P8"),
        ("Fp1-0", "Fp1"),
        ("T3", "T7"),
        ("T3/T7", "T7"),
        ("T4/T8", "T8"),
        ("T5/P7", "P7"),
        ("EEG T6", "P8"),
        ("T3-T5", "T7-P7"),
        ("EEG FZ-CZ", "Fz-Cz"),
        ("EEG A1-REF", "A1"),
        ("C3-M2", "C3-M2"),
        ("F7-CS2", "F7"),
        ("01-CS2", "O1"),
        ("Fc5.", "FC5"),
        ("Cz..", "Cz"),
        ("POL Fp2", "Fp2"),
        ("EEG_Pz_REF", "Pz"),
        ("EEG O2 Ref", "O2"),
        ("FT9-FT10", "FT9-FT10"),
    ],
)
def test_electrodes_and_pairs_are_parsed(name, expected):
    assert str(parse_channel(name)) == expected


@pytest.mark.parametrize(
    "name",
    [
        "ECG", "EKG EKG", "EEG EKG1-REF", "EMG-REF", "EOG", "EEG LOC-REF", "EEG ROC-REF", "LOC-ROC", "-", "--0", "--1",
        "", ".", "Status", "status", "PHOTIC-REF", "SPO2", "HR", "1", "2", "01", "61", "A", "MK", "VNS",
        "EDF Annotations", "EEG 20-REF", "EEG C3P-REF", "DC1-DC", "BURSTS", "T3/T8", "T7-T7", "Fp1-F7-T3", "EEG", "REF",
        "Cz-EKG", "X1-REF",
    ],
)  # fmt: skip
def test_names_of_other_channels_are_not_electrodes(name):
    assert parse_channel(name) is None


spelling = st.tuples(
    st.sampled_from(["", "EEG ", "eeg ", "EEG_", "POL ", "EEG  "]),
    st.sampled_from([str.upper, str.lower, str.title, str]),
    st.sampled_from(["", "-REF", "-LE", "-Ref", "-AVG", " - ref", "-0", "-1", "."]),
    st.sampled_from(["", " ", "  "]),
)


@given(st.sampled_from(ELECTRODES), spelling)
def test_spelling_of_electrodes_makes_no_difference(electrode, parts):
    prefix, case, suffix, blanks = parts
    assert parse_channel(blanks + prefix + case(electrode) + suffix + blanks) == Channel(electrode)


@given(st.lists(st.sampled_from(ELECTRODES), min_size=2, max_size=2, unique=True), spelling)
def test_spelling_of_pairs_makes_no_difference(pair, parts):
    prefix, case, suffix, blanks = parts
    suffix = suffix if suffix in ("", "-0", "-1", ".") else ""
    assert parse_channel(blanks + prefix + case("-".join(pair)) + suffix) == Channel(*pair)


@given(st.text(max_size=20))
def test_any_text_is_parsed_without_error_to_a_canonical_name(text):
    channel = parse_channel(text)
    if channel is not None:
        assert {channel.anode, channel.cathode} <= {*ELECTRODES, None}
        assert parse_channel(str(channel)) == channel


def test_electrodes_are_those_of_mne():
    template = set(mne.channels.make_standard_montage("colin27_1020").ch_names)
    assert template - set(ELECTRODES) - {"T3", "T4", "T5", "T6"} == set()
    assert set(ELECTRODES) - template == {"T1", "T2", "I1", "I2", "Nz"}
    assert set(EARS) <= set(ELECTRODES)


def test_electrodes_of_real_headers_are_counted(data_root):
    """All 23 CHB-MIT channels are EEG; the Siena files have 29 and 31 electrodes among other channels."""
    counts = {}
    for path in sorted((data_root / "mini_edf").rglob("*.edf")):
        head = header(path)
        counts.setdefault(path.parent.name, set()).add((len(head.eeg), len(head.names), head.sfreq, head.duration))
    assert counts == {
        "chb05": {(23, 23, 256.0, 2.0)},
        "chb08": {(23, 23, 256.0, 2.0)},
        "PN00": {(29, 35, 512.0, 2.0)},
        "PN16": {(31, 49, 512.0, 2.0)},
    }
