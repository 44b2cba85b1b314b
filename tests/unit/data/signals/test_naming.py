"""Names of channels by the section `channels` of the configuration: aliases, nets, references."""

import mne
import numpy as np
import pytest

from eegwf.config.channels import Channels
from eegwf.config.data import Signals
from eegwf.data.signals.header import header
from eegwf.data.signals.montage import ELECTRODES19
from eegwf.data.signals.naming import name_channels
from eegwf.data.signals.nets import NETS
from eegwf.data.signals.signal import common_derivations, open_signal
from eegwf.errors import InputError
from tests.helpers.headers import noise, write_brainvision, write_edf

BTE = {"BTE": ["BTEleft SD", "BTEright SD"], "CROSS": ["CROSStop SD", "BTEright SD"]}
RECORDED = {"montage": "as recorded", "sfreq": "as recorded", "l_freq": None}


def named(names, **settings):
    """Name of each channel of the study by its name in the file."""
    channels = name_channels(names, Channels(**settings))
    return {name: str(channel) for name, channel in zip(names, channels, strict=True) if channel is not None}


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (["BTEleft SD", "CROSStop SD"], ["BTE", "CROSS"]),
        (["BTEright SD", "CROSStop SD"], ["BTE", "CROSS"]),
        (["BTEleft SD", "BTEright SD"], ["BTE", "CROSS"]),
        (["BTEright SD", "BTEleft SD"], ["CROSS", "BTE"]),
        (["BTEleft SD", "BTEright SD", "CROSStop SD"], ["BTE", None, "CROSS"]),
        (["BTEright SD"], ["BTE"]),
        (["CROSStop SD"], ["CROSS"]),
        (["bteLEFT  sd ", "crosstop SD"], ["BTE", "CROSS"]),
    ],
)
def test_the_first_name_that_is_present_and_unused_is_taken(recorded, expected):
    channels = name_channels(["ECG SD", *recorded, "EEG SD ACC X"], Channels(aliases=BTE))
    assert [channel and str(channel) for channel in channels] == [None, *expected, None]


@pytest.mark.parametrize(
    ("aliases", "expected"),
    [
        # An alias has priority over the channel's own name, which another electrode may then have.
        ({"C3": ["EEG C3P-REF"]}, {"EEG C3P-REF": "C3", "EEG Fp1-REF": "Fp1", "EEG F7-REF": "F7"}),
        ({"T3": ["X1"]}, {"EEG C3-REF": "C3", "X1": "T7", "EEG Fp1-REF": "Fp1", "EEG F7-REF": "F7"}),
        ({"Fp1": ["EEG F7-REF"], "F7": ["EEG Fp1-REF"]},
         {"EEG C3-REF": "C3", "EEG F7-REF": "Fp1", "EEG Fp1-REF": "F7"}),
        ({"X": ["EEG Fp1-REF", "EEG F7-REF"]}, {"EEG C3-REF": "C3", "EEG Fp1-REF": "X", "EEG F7-REF": "F7"}),
        ({"P7-O1": ["X1"]}, {"EEG C3-REF": "C3", "EEG Fp1-REF": "Fp1", "EEG F7-REF": "F7", "X1": "P7-O1"}),
        ({"C3": ["none"], "ECG": ["also none"]}, {"EEG C3-REF": "C3", "EEG Fp1-REF": "Fp1", "EEG F7-REF": "F7"}),
    ],
)  # fmt: skip
def test_aliases_beside_other_names(aliases, expected):
    assert named(["EEG C3-REF", "EEG C3P-REF", "EEG Fp1-REF", "EEG F7-REF", "X1"], aliases=aliases) == expected


@pytest.mark.parametrize(
    ("alias", "name", "reference"),
    [
        ("C3", "EEG C3P-REF", "REF"),
        ("C3", "EEG X1-A1", "A1"),
        ("C3-LE", "X1", "LE"),
        ("C3", "X1", ""),
        ("BTE", "BTEleft SD", ""),
        ("BTE", "BTE-left", ""),
        ("C3-P3", "EEG X1-REF", ""),
        ("C3", "X1-own", "OWN"),
    ],
)
def test_reference_of_an_alias(alias, name, reference):
    (channel,) = name_channels([name], Channels(aliases={alias: [name]}, references=["own"]))
    assert str(channel) == alias.removesuffix("-LE") and channel.reference == reference


def test_values_of_aliases(tmp_path):
    data = noise()
    first = write_edf(tmp_path / "a.edf", data, ["ECG SD", "BTEleft SD", "CROSStop SD"])
    second = write_brainvision(tmp_path / "b.vhdr", data, names=["BTEright SD", "CROSStop SD", "EMG SD"])
    settings, channels = Signals(**RECORDED), Channels(aliases=BTE)
    derivations = common_derivations([header(path, channels) for path in (first, second)], settings)
    assert derivations == ["BTE", "CROSS"]
    signals = [open_signal(path, settings, derivations, channels) for path in (first, second)]
    assert np.allclose(signals[0].read(0, 1280), data[1:], atol=0.01)
    assert np.allclose(signals[1].read(0, 1280), data[:2], atol=0.01)
    assert [signal.dropped for signal in signals] == [["ECG SD"], ["EMG SD"]]


def test_an_alias_has_the_reference_of_its_montage(tmp_path):
    data = noise()
    path = write_edf(tmp_path / "a.edf", data, ["EEG Fp1-REF", "EEG 20-REF", "EEG T7-REF"])
    settings = Signals(montage="tcp20", missing="exclude", sfreq="as recorded", l_freq=None)
    signal = open_signal(path, settings, None, Channels(aliases={"F7": ["EEG 20-REF"]}))
    assert signal.derivations == ["Fp1-F7", "F7-T7"]
    assert np.allclose(signal.read(0, 1280), data[:2] - data[1:], atol=0.01)


def test_a_recording_without_a_channel_of_the_aliases(tmp_path):
    names = ["ECG SD", "BTEleft SD", "CROSStop SD"]
    write_edf(tmp_path / "a.edf", noise(), names)
    write_edf(tmp_path / "b.edf", noise(), ["ECG SD", "BTEleft SD", "EMG SD"])
    channels = Channels(aliases=BTE)
    lacking = (
        r"b\.edf: missing for montage as recorded: CROSS; .* BTEleft SD; others: ECG SD, EMG SD\. .*channels\.aliases$"
    )
    with pytest.raises(InputError, match=lacking):
        open_signal(tmp_path / "b.edf", Signals(**RECORDED), ["BTE", "CROSS"], channels)
    with pytest.raises(InputError, match=r"no EEG channel among ECG SD, .*channels\.aliases, as in `C3: \[name in the"):
        open_signal(tmp_path / "a.edf", Signals(**RECORDED))
    with pytest.raises(InputError, match=r"missing for montage tcp20: .*channels\.aliases"):
        open_signal(tmp_path / "a.edf", Signals(), None, channels)


def test_channels_of_one_name_are_copies_also_by_an_alias(tmp_path):
    data = noise()
    data[1] = data[0]
    channels = Channels(aliases={"BTE": ["X1"]})
    path = write_edf(tmp_path / "a.edf", data, ["X1", "X1", "T7"])
    assert open_signal(path, Signals(**RECORDED), None, channels).derivations == ["BTE", "T7"]
    path = write_edf(tmp_path / "b.edf", noise(), ["X1", "X1", "T7"])
    with pytest.raises(InputError, match="duplicated channel BTE: 'X1' and 'X1'"):
        open_signal(path, Signals(**RECORDED), None, channels)


@pytest.mark.parametrize("net", ["biosemi32", "biosemi64"])
def test_caps_of_biosemi_are_in_the_order_of_mne(net):
    names = [f"{letter}{number}" for letter in "AB" for number in range(1, 33)][: int(net[-2:])]
    assert list(named([*names, "EXG1", "Status"], net=net).values()) == mne.channels.make_standard_montage(net).ch_names
    assert list(named([f"EEG {name}-Ref" for name in names], net=net).values())[:2] == list(NETS[net].values())[:2]


LABELS128 = [f"{letter}{number}" for letter in "ABCD" for number in range(1, 33)]


def test_biosemi128_is_read_as_the_nearest_electrodes_of_the_10_20_system():
    """Positions of MNE, on one sphere; the second electrode is farther away by half a centimeter or more."""
    there, here = (
        mne.channels.make_standard_montage(name).get_positions()["ch_pos"] for name in ("biosemi128", "biosemi64")
    )
    assert list(there) == LABELS128
    expected = {}
    for name in (*ELECTRODES19.split(), "Fpz", "Oz"):
        distances = {label: np.linalg.norm(position - here[name]) for label, position in there.items()}
        nearest, second = sorted(distances, key=distances.get)[:2]
        expected[nearest] = name
        assert distances[nearest] < 0.01 < 0.015 < distances[second]
        assert (distances[nearest] < 1e-6) == (name not in ("F3", "F4", "P3", "P4"))
    assert NETS["biosemi128"] == expected and len(expected) == 21


@pytest.mark.parametrize("form", ["{}", "EEG {}", "{}-Ref", "EEG {}-REF"])
def test_names_of_biosemi128_are_those_of_the_10_20_system_with_the_net_only(form):
    names = [form.format(label) for label in LABELS128]
    others = [*(f"EXG{number}" for number in range(1, 9)), "Status"]
    assert named([*names, *others]) == {}
    assert named([*names, *others], net="biosemi128") == {
        form.format(label): name for label, name in NETS["biosemi128"].items()
    }
    # Names that both systems have.
    assert (
        named(names, net="biosemi128").keys() & {form.format(name) for name in ("A2", "C3", "C5", "C6", "F3")} == set()
    )


@pytest.mark.parametrize(
    ("net", "template"), [("hydrocel128", "GSN-HydroCel-129"), ("hydrocel256", "GSN-HydroCel-257")]
)
def test_electrodes_of_hydrocel_nets_are_near_those_of_the_10_20_system(net, template):
    """Within 3 cm after a rigid motion, and each is left, right or in the middle as its name says."""
    there = mne.channels.make_standard_montage(template).get_positions()["ch_pos"]
    there["E129" if net == "hydrocel128" else "E257"] = there["Cz"]
    here = mne.channels.make_standard_montage("colin27_1020").get_positions()["ch_pos"]
    assert sorted(NETS[net].values()) == sorted(ELECTRODES19.split())
    one = np.array([there[name] for name in NETS[net]])
    other = np.array([here[name] for name in NETS[net].values()])
    u, size, v = np.linalg.svd((one - one.mean(0)).T @ (other - other.mean(0)))
    moved = (one - one.mean(0)) @ u @ v * size.sum() / np.square(one - one.mean(0)).sum() + other.mean(0)
    assert np.linalg.norm(moved - other, axis=1).max() < 0.03
    for name, (x, _, _) in zip(NETS[net].values(), one, strict=True):
        assert (abs(x) < 0.005) if name[-1] == "z" else (x > 0) == (int(name[-1]) % 2 == 0), name


@pytest.mark.parametrize(
    ("net", "names", "expected"),
    [
        ("hydrocel128", [f"E{number}" for number in range(1, 129)], 18),
        ("hydrocel128", [f"EEG E{number:03d}" for number in range(1, 130)], 19),
        ("hydrocel128", [*(f"E{number}-Vref" for number in range(1, 129)), "Cz"], 19),
        ("hydrocel256", [f"E{number}" for number in range(1, 258)], 19),
        ("biosemi64", [f"{letter}{number}" for letter in "ABCD" for number in range(1, 33)], 64),
        ("biosemi128", [*LABELS128, *(f"EXG{number}" for number in range(1, 9)), "Status"], 21),
        ("biosemi128", [*ELECTRODES19.split(), "A1", "A2"], 21),
        # Electrodes of another net, and of the 10-20 system in the recordings of another amplifier.
        ("biosemi64", [f"E{number}" for number in range(1, 129)], 0),
        ("biosemi64", [*ELECTRODES19.split(), "A1", "A2"], 21),
        ("hydrocel128", [*ELECTRODES19.split(), "A1", "A2"], 21),
        (None, [f"E{number}" for number in range(1, 129)], 0),
    ],
)
def test_number_of_electrodes_of_a_net(net, names, expected):
    assert len(set(named(names, net=net).values())) == expected


def test_pairs_of_a_net():
    assert named(["A1-A7", "A7-A15", "A1-C1", "A3-A4"], net="biosemi64") == {
        "A1-A7": "Fp1-F7", "A7-A15": "F7-T7", "A3-A4": "AF3-F1",
    }  # fmt: skip


@pytest.mark.parametrize("reference", ["X", "own ref", "Ch-7", "Ref_B_2", "SCR"])
def test_further_references(reference):
    names = [f"EEG C3-{reference}", f"c4-{reference.upper()}", "C3P-REF"]
    assert named(names) == {}
    assert named(names, references=[reference]) == {names[0]: "C3", names[1]: "C4"}
    (first, second, _) = name_channels(names, Channels(references=[reference]))
    assert first.reference == second.reference != ""


def test_an_electrode_as_a_further_reference():
    assert named(["C3-A1", "C4-A2"], references=["A1", "A2"]) == {"C3-A1": "C3", "C4-A2": "C4"}
    assert named(["C3-A1", "C4-A2"]) == {"C3-A1": "C3-A1", "C4-A2": "C4-A2"}
