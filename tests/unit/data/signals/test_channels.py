"""Parsing of channel names in the spellings of recordings."""

import re

import mne
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.config.data import Signals
from eegwf.data.signals.channels import EARS, ELECTRODES, Channel, parse_channel, parse_channels
from eegwf.data.signals.derivations import common_derivations
from eegwf.data.signals.header import header
from eegwf.data.signals.montage import ELECTRODES19, is_copy
from eegwf.data.signals.signal import open_signal
from eegwf.errors import InputError
from tests.helpers.headers import noise, write_edf


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
        ("EEG Fp1\u2212REF", "Fp1"),
        ("Fp1\u2011F7", "Fp1-F7"),
        ("P7-01", "P7-O1"),
        ("EEG P8-02", "P8-O2"),
        ("P3-01-0", "P3-O1"),
        ("P7 - 01", "P7-O1"),
        ("P7-1", "P7"),
        ("T8-P8-01", "T8-P8"),
        ("EEG C3-REF-1", "C3"),
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


@pytest.mark.parametrize(
    "reference",
    ["Ref1", "REF2", "Vref", "CLE", "LER", "A1/A2", "A1+A2", "A1A2", "(A1+A2)/2", "M1/M2", "M1M2", "avgRef", "avg_ref",
     "Avg Ref", "AA", "CommonRef", "LM", "AVG", "Ref."],
)  # fmt: skip
@pytest.mark.parametrize("prefix", ["", "EEG "])
def test_references_of_vendors_are_recognized(reference, prefix):
    for electrode in ("C3", "Fp1", "A1"):
        channel = parse_channel(f"{prefix}{electrode}-{reference}")
        assert (channel.anode, channel.cathode) == (electrode, None)
    # Electrodes with different references are not subtracted from each other.
    assert channel.reference == reference.upper().strip(".").replace("_", "-")


@pytest.mark.parametrize("name", ["C3-A1", "C3-M2", "Fp1-Cz"])
def test_a_single_electrode_is_no_reference(name):
    assert parse_channel(name).cathode is not None


def test_copies_are_told_from_the_letter_o_written_as_a_zero():
    assert not is_copy("P7-01", "P7-02") and not is_copy("P7-01", "P7")
    assert is_copy("T8-P8-0", "T8-P8-1") and is_copy("P7-01-0", "P7-01-1") and is_copy("Fp1-0", "fp1-1")


TEN_TWENTY = [f"EEG {name}-REF" for name in (*ELECTRODES19.split(), "A1", "A2")]
NETS = {
    "biosemi32": [f"A{number}" for number in range(1, 33)],
    "biosemi64": [f"{letter}{number}" for letter in "AB" for number in range(1, 33)],
    "biosemi128": [f"{letter}{number}" for letter in "ABCD" for number in range(1, 33)],
    "biosemi256": [f"{letter}{number}" for letter in "ABCDEFGH" for number in range(1, 33)],
    "part of biosemi128": ["A1", "A2", "A3", "A4", "A5", "A6", "C1", "C2", "F3"],
    "with a reference": [f"EEG {letter}{number}-Ref" for letter in "ABC" for number in range(1, 5)],
    "hydrocel": [f"E{number}" for number in range(1, 129)],
}


@pytest.mark.parametrize("net", NETS)
def test_electrodes_of_a_net_are_not_those_of_the_10_20_system(net):
    """Together with the external electrodes and the status channel of such files."""
    names = [*NETS[net], *(f"EXG{number}" for number in range(1, 9)), "GSR1", "Resp", "Status"]
    assert parse_channels(names) == (None,) * len(names)


def test_strips_beside_scalp_electrodes_are_told_apart():
    strips = ["A3", "A4", "B1", "B2", "EEG C7-REF", "POL C8"]
    electrodes = [str(channel) for channel in parse_channels([*TEN_TWENTY, *strips]) if channel is not None]
    assert electrodes == [str(parse_channel(name)) for name in TEN_TWENTY if not name[4:].startswith(("C3", "C4", "A"))]


@pytest.mark.parametrize(
    "others", [[], ["B1"], ["DC1", "DC2", "SpO2"], ["E1", "E2", "D1", "D2"], ["A3"], ["F1", "F10", "C6"]]
)
def test_names_of_single_inputs_do_not_make_a_net(others):
    parsed = parse_channels([*TEN_TWENTY, *others])
    assert parsed[: len(TEN_TWENTY)] == tuple(map(parse_channel, TEN_TWENTY))


def test_pairs_of_electrodes_of_a_net_are_none_of_the_10_20_system():
    assert parse_channels(["A1-A2", "A3-A4", "A5-A6"]) == (None,) * 3


def test_messages_list_some_names_only(tmp_path):
    """A net of 128 electrodes does not fill the screen, once for each recording."""
    path = write_edf(tmp_path / "a.edf", noise(128, 1), NETS["biosemi128"])
    with pytest.raises(InputError) as error:
        open_signal(path, Signals(montage="tcp20"))
    assert re.search(r"no EEG channel among A1, A2, .*A8 and 120 more\. Name its channels as in", str(error.value))
    assert "P7-O1, Fp2-F8, F8-T8, T8-P8, P8-O2" in str(error.value) and len(str(error.value)) < 500
    names = [name for name in ELECTRODES if name not in EARS]
    path = write_edf(tmp_path / "b.edf", noise(len(names), 1), names)
    with pytest.raises(InputError, match=r"missing for montage tcp22: A1-T7, T8-A2; EEG channels found: .* more\."):
        open_signal(path, Signals(montage="tcp22"))
    heads = [header(path), header(tmp_path / "a.edf")]
    with pytest.raises(InputError, match=r"channels differ .* and \d+ more only in"):
        common_derivations(heads, Signals(montage="as recorded"))


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
