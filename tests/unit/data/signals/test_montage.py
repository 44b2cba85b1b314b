"""Derivations from referential, bipolar and incomplete recordings, compared with the electrode potentials."""

import mne
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.data.signals.channels import Channel, parse_channel
from eegwf.data.signals.interpolation import spline_weights
from eegwf.data.signals.montage import ELECTRODES19, MONTAGES, derive, duplicate_channels, is_copy, recorded_names
from tests.helpers.szcore import CHANNELS

NAMES = ELECTRODES19.split()
POTENTIAL = dict(zip([*NAMES, "A1", "A2"], np.random.default_rng(0).normal(size=(21, 50)), strict=True))
CHBMIT = (
    "FP1-F7 F7-T7 T7-P7 P7-O1 FP1-F3 F3-C3 C3-P3 P3-O1 FP2-F4 F4-C4 C4-P4 P4-O2 FP2-F8 F8-T8 T8-P8 P8-O2 FZ-CZ "
    "CZ-PZ P7-T7 T7-FT9 FT9-FT10 FT10-T8 T8-P8"
)


def parsed(names):
    return [parse_channel(name) for name in names]


def recorded(channels, reference):
    """Signals of these channels, with zeros for channels that are not EEG."""
    rows = []
    for channel in channels:
        if channel is None:
            rows.append(np.zeros(50))
        else:
            rows.append(POTENTIAL[channel.anode] - (POTENTIAL[channel.cathode] if channel.cathode else reference))
    return np.array(rows)


def expected(montage):
    if montage == "average":
        return np.array([POTENTIAL[name] - np.mean([POTENTIAL[other] for other in NAMES], axis=0) for name in NAMES])
    pairs = [name.split("-") for name in MONTAGES[montage]]
    return np.array([POTENTIAL[anode] - POTENTIAL[cathode] for anode, cathode in pairs])


@pytest.mark.parametrize(("montage", "count"), [("tcp22", 22), ("tcp20", 20), ("banana18", 18), ("average", 19)])
@given(order=st.permutations([*NAMES, "A1", "A2", "ECG", "-"]), reference=st.floats(-100, 100))
def test_derivations_of_referential_recordings(montage, count, order, reference):
    """The reference of the recording and the order of its channels make no difference."""
    channels = parsed(f"EEG {name}-REF" for name in order)
    derived = derive(channels, montage)
    assert derived.missing == () and derived.derivations == MONTAGES[montage] and len(derived.matrix) == count
    assert np.allclose(derived.matrix @ recorded(channels, reference), expected(montage))


@pytest.mark.parametrize("montage", ["tcp20", "banana18", "average"])
def test_derivations_of_the_input_of_szcore(montage):
    """19 channels against their average, with the older names of four electrodes and without ears."""
    channels = parsed(CHANNELS)
    assert {"T7", "T8", "P7", "P8"} < {channel.anode for channel in channels} and len(channels) == 19
    mean = np.mean([POTENTIAL[name] for name in NAMES], axis=0)
    derived = derive(channels, montage)
    assert derived.missing == () and derived.derivations == MONTAGES[montage]
    assert np.allclose(derived.matrix @ recorded(channels, mean), expected(montage))


def test_tcp22_is_tuh_01_tcp_ar():
    """The 22 derivations of TUH's montage file in the same order."""
    tuh = (
        "FP1-F7 F7-T3 T3-T5 T5-O1 FP2-F8 F8-T4 T4-T6 T6-O2 A1-T3 T3-C3 C3-CZ CZ-C4 C4-T4 T4-A2 FP1-F3 F3-C3 C3-P3 "
        "P3-O1 FP2-F4 F4-C4 C4-P4 P4-O2"
    )
    assert MONTAGES["tcp22"] == tuple(str(parse_channel(name)) for name in tuh.split())
    assert set(MONTAGES["tcp22"]) - set(MONTAGES["tcp20"]) == {"A1-T7", "T8-A2"}


@given(st.lists(st.booleans(), min_size=18, max_size=18))
def test_derivations_of_bipolar_recordings_with_reversed_pairs(reversed_pairs):
    names = [
        "-".join(reversed(name.split("-"))) if is_reversed else name
        for name, is_reversed in zip(MONTAGES["banana18"], reversed_pairs, strict=True)
    ]
    channels = parsed(names)
    derived = derive(channels, "banana18")
    assert not derived.missing
    assert np.allclose(derived.matrix @ recorded(channels, 0.0), expected("banana18"))


def test_derivations_of_recordings_referenced_to_an_electrode():
    """The reference is Cz or the left ear."""
    for reference in ("Cz", "A1"):
        channels = parsed(f"{name}-{reference}" for name in NAMES if name != reference)
        derived = derive(channels, "tcp20")
        assert not derived.missing
        assert np.allclose(derived.matrix @ recorded(channels, 0.0), expected("tcp20"))


def test_electrodes_with_different_references_are_not_combined():
    channels = parsed(f"EEG {name}-{'LE' if name == 'F7' else 'REF'}" for name in NAMES)
    assert derive(channels, "tcp20").missing == ("Fp1-F7", "F7-T7")
    assert len(derive(channels, "average").missing) == 19


def test_chbmit_pairs_are_interpolated_as_sums_along_chains():
    """T7-C3 is the sum of reversed F7-T7, reversed Fp1-F7, Fp1-F3 and F3-C3; no chain connects Cz to C3 or C4."""
    channels = parsed(CHBMIT.split())
    assert derive(channels, "tcp20").missing == ("T7-C3", "C3-Cz", "Cz-C4", "C4-T8")
    derived = derive(channels, "tcp20", interpolate=True)
    assert derived.missing == ("C3-Cz", "Cz-C4")
    potentials = POTENTIAL | dict(zip(["FT9", "FT10"], np.random.default_rng(1).normal(size=(2, 50)), strict=True))
    data = np.array([potentials[channel.anode] - potentials[channel.cathode] for channel in channels])
    pairs = [name.split("-") for name in derived.derivations]
    assert np.allclose(derived.matrix @ data, [POTENTIAL[a] - POTENTIAL[c] for a, c in pairs])
    assert not derive(channels, "banana18").missing
    # The first of the two T8-P8 is used, and T7-P7 as recorded instead of reversed P7-T7.
    matrix = derive(channels, "banana18").matrix
    assert matrix[list(MONTAGES["banana18"]).index("T8-P8")].nonzero()[0].tolist() == [14]
    assert matrix[list(MONTAGES["banana18"]).index("T7-P7")].nonzero()[0].tolist() == [2]


def test_average_montage_of_a_connected_bipolar_recording():
    channels = parsed([*MONTAGES["banana18"], "C3-Cz", "C4-Cz"])
    derived = derive(channels, "average", interpolate=True)
    assert not derived.missing
    assert np.allclose(derived.matrix @ recorded(channels, 0.0), expected("average"))


def test_spline_interpolation_agrees_with_mne(data_root):
    """A removed electrode of a real recording is interpolated as by `Raw.interpolate_bads`."""
    path = data_root / "helsinki/sub-01/eeg/sub-01_task-sz_eeg.edf"
    raw = mne.io.read_raw_edf(path, preload=True, verbose="ERROR")
    raw.rename_channels({name: str(parse_channel(name)) for name in raw.ch_names})
    raw.set_montage(mne.channels.make_standard_montage("colin27_1020"))
    full = raw.get_data()
    removed = raw.ch_names.index("C3")
    channels = parsed(raw.ch_names)
    channels[removed] = None
    derived = derive(channels, "as recorded", ["C3", "Cz"], interpolate=True)
    raw.info["bads"] = ["C3"]
    raw.interpolate_bads(verbose="ERROR")
    interpolated = derived.matrix @ full
    assert np.allclose(interpolated[0], raw.get_data(picks="C3", units=None)[0], atol=1e-12)
    assert np.array_equal(interpolated[1], full[raw.ch_names.index("Cz")])


def test_spline_interpolation_does_not_depend_on_the_reference():
    weights = spline_weights(tuple(name for name in NAMES if name not in ("C3", "O2")), ("C3", "O2"))
    assert np.allclose(weights.sum(axis=1), 1.0)


def test_ears_and_more_than_a_quarter_of_the_electrodes_are_not_interpolated():
    """Of 19 electrodes, at most four are interpolated."""
    assert derive(parsed(NAMES), "tcp22", interpolate=True).missing == ("A1-T7", "T8-A2")
    assert not derive(parsed(NAMES[4:]), "average", interpolate=True).missing
    assert derive(parsed(NAMES[5:]), "average", interpolate=True).missing == tuple(f"{name}-Avg" for name in NAMES[:5])


def test_derivations_of_a_missing_electrode_are_missing():
    channels = parsed(name for name in NAMES if name != "C3")
    assert derive(channels, "tcp20").missing == ("T7-C3", "C3-Cz", "F3-C3", "C3-P3")
    derived = derive(channels, "average", [f"{name}-Avg" for name in NAMES if name != "C3"])
    assert derived.missing == ()
    assert np.allclose(derived.matrix.sum(axis=0), 0) and np.allclose(derived.matrix.sum(axis=1), 0)


def test_excluded_channels_are_not_used():
    channels = parsed(NAMES)
    derived = derive(channels, "tcp20", interpolate=True, excluded=[NAMES.index("C3")])
    assert not derived.missing
    assert not derived.matrix[:, NAMES.index("C3")].any()


def test_as_recorded_uses_the_first_of_duplicate_channels():
    channels = parsed(["FP1-F7", "ECG", "T8-P8-0", "T8-P8-1", "EEG T3-REF"])
    assert recorded_names(channels) == ["Fp1-F7", "T8-P8", "T7"]
    assert duplicate_channels(channels) == [(2, 3)]
    assert duplicate_channels([Channel("T7", reference="REF"), Channel("T7", reference="LE")]) == [(0, 1)]
    assert is_copy("T8-P8-0", "T8-P8-1") and is_copy("T8-P8", "T8-P8") and not is_copy("T3", "T7")
    derived = derive(channels, "as recorded")
    assert derived.matrix.nonzero()[1].tolist() == [0, 2, 4]
