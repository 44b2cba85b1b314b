"""Data sets with other names of channels than the 10-20 system: check and run read them by the configuration."""

import numpy as np
import pytest

from eegwf.checks.study import check_study
from eegwf.dag.flow_reading import read_flow
from eegwf.dag.stage_config import stage_config
from eegwf.data.signals.montage import ELECTRODES19
from eegwf.errors import InputError
from eegwf.jobs import windows
from eegwf.plan.sizes import estimate_sizes
from eegwf.storage.files import read_json, read_table
from tests.helpers.headers import noise, write_edf
from tests.helpers.seizeit2 import OTHERS, channels_of, write_seizeit2

GRID = {"f_max": 60, "n_freqs": 12, "n_frames": 10}
TINY = {
    "windows": {"length": 4, "step": 4, "guard": 2},
    "folds": 3,
    "spectrograms": {"mel": GRID, "stft": GRID, "cwt": GRID | {"f_min": 2}},
    "matrix": {"classes": ["2class"]},
}
PLAIN = {"montage": "as recorded", "sfreq": 128, "l_freq": None}


@pytest.fixture
def run(root, tmp_path):
    """Check a study and, if nothing is wrong with it, cut its windows: the findings and the folder of the windows."""

    def check_and_run(bids, files=(), **settings):
        flow = read_flow(root / "config/config.yaml", files, {**TINY, **settings, "results": str(tmp_path / "results")})
        found = check_study(flow)
        job = stage_config(flow.study, "windows", None)
        output, state = tmp_path / "out", tmp_path / "state"
        if found.problems:
            with pytest.raises(InputError) as error:
                windows.run(job, "code", bids, state, output)
            assert str(error.value).split("\n       ") == found.problems
            return found, None
        windows.run(job, "code", bids, state, output)
        n_windows = len(np.load(output / "windows.npy"))
        assert estimate_sizes(flow.study).n_chans == len(read_json(output / "windows.json")["ch_names"])
        assert any(f"windows: {n_windows} of 4 s" in line for line in found.facts)
        return found, output

    return check_and_run


def test_seizeit2(root, run, tmp_path):
    bids = write_seizeit2(tmp_path / "bids")
    settings = {"data_root": str(bids), "signals": {"notch": []}}
    found, output = run(bids, [root / "config/datasets/seizeit2.yaml"], **settings)
    assert not found.problems
    facts = "\n".join(found.facts)
    assert "6 recordings, 6 of them fit for use" in facts and "2 derivations (as recorded)" in facts
    assert "channels: in no derivation: ECG SD, EMG SD, EEG SD ACC X, " in facts
    assert read_json(output / "windows.json")["ch_names"] == ["BTE", "CROSS"]
    recordings = read_table(output / "recordings.tsv", text=("dropped", "excluded"))
    assert recordings.columns[-1] == "dropped" and set(recordings["excluded"]) == {""}
    assert set(recordings["dropped"]) == {"; ".join(OTHERS)} and set(recordings["n_seizures"]) == {1}
    # The second and third channel of each file, of 20 and 30 microvolts, in the order BTE, CROSS.
    table = read_table(output / "windows.tsv", text=("label",))
    values = np.load(output / "windows.npy").astype(float)
    for name in recordings["recording"]:
        deviation = values[table["recording"] == name].std(axis=(0, 2))
        assert deviation[0] / deviation[1] == pytest.approx(2 / 3, rel=0.05)
    assert set(table["label"]) >= {"bckg", "impd", "sz_foc_f2b"}


def test_seizeit2_excludes_a_recording_with_one_channel(root, run, tmp_path):
    bids = write_seizeit2(tmp_path / "bids")
    path = next((bids / "sub-003").rglob("*_eeg.edf"))
    names = channels_of(2)
    names[names.index("BTEright SD")] = "Resp SD"
    write_edf(path, noise(len(names), 40), names)
    found, output = run(bids, [root / "config/datasets/seizeit2.yaml"], data_root=str(bids), signals={"notch": []})
    assert not found.problems
    (warning,) = [line for line in found.warnings if "will be excluded" in line]
    recordings = read_table(output / "recordings.tsv", text=("dropped", "excluded"))
    assert warning == f"will be excluded: {recordings['excluded'][2]}" and recordings["dropped"][2] == ""
    assert "CROSS" in warning


NAMES = ELECTRODES19.split()
SETS = {
    "seizeit2": (["BTEleft SD", "BTEright SD", "CROSStop SD", "ECG SD"],
                 {"aliases": {"LEFT": ["BTEleft SD"], "RIGHT": ["BTEright SD"], "CROSS": ["CROSStop SD"]}}, 3),
    "egi": ([f"E{number}" for number in range(1, 129)], {"net": "hydrocel128"}, 18),
    "mass": ([f"EEG {name}-CLE" for name in NAMES], {}, 19),
    "ears": ([f"{name}-A1/A2" for name in NAMES], {}, 19),
    "biosemi": ([f"{letter}{number}" for letter in "AB" for number in range(1, 33)], {"net": "biosemi64"}, 64),
    "biosemi128": ([f"{letter}{number}" for letter in "ABCD" for number in range(1, 33)], {"net": "biosemi128"}, 21),
    "numbers": ([f"CH {number}" for number in range(1, 20)],
                {"aliases": {name: [f"ch {number}"] for number, name in enumerate(NAMES, start=1)}}, 19),
    "own reference": ([f"{name} - G7" for name in NAMES], {"references": ["G7"]}, 19),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_data_sets_with_the_names_of_manufacturers(run, tmp_path, name):
    """The first four are those of public reports."""
    labels, channels, n_chans = SETS[name]
    for number in range(1, 5):
        folder = tmp_path / "bids" / f"sub-{number:02d}" / "eeg"
        folder.mkdir(parents=True)
        base = folder / f"sub-{number:02d}_task-sz"
        write_edf(base.with_name(f"{base.name}_eeg.edf"), noise(len(labels), 20, number), labels)
        base.with_name(f"{base.name}_events.tsv").write_text("onset\tduration\teventType\n8\t12\tsz_foc\n")
    settings = {"dataset": {"kind": "bids", "root": str(tmp_path / "bids")}, "signals": PLAIN}
    found, output = run(tmp_path / "bids", channels=channels, **settings)
    assert not found.problems
    recordings = read_table(output / "recordings.tsv", text=("dropped",))
    dropped = len(labels) - n_chans
    assert [len(text.split("; ")) if text else 0 for text in recordings["dropped"]] == [dropped] * 4
    assert len(read_json(output / "windows.json")["ch_names"]) == n_chans
    assert any(line.startswith("channels: in no derivation") for line in found.facts) == (dropped > 0)
    assert max(map(len, found.facts)) < 300
    if channels:
        found, _ = run(tmp_path / "bids", **settings)
        assert len(found.problems) == 4 and all("channels.aliases" in line for line in found.problems)
        assert max(map(len, found.problems)) < 500


@pytest.mark.parametrize(
    ("signals", "n_chans", "excluded"),
    [
        ({"montage": "average", "missing": "interpolate"}, 19, 0),
        ({"montage": "average", "missing": "exclude"}, 18, 0),
        ({"montage": "average", "on_bad_recording": "exclude"}, 19, 1),
        ({"montage": "as recorded", "on_bad_recording": "exclude"}, 19, 1),
        ({"montage": "average"}, None, None),
    ],
)
def test_channels_with_the_status_bad(run, tmp_path, signals, n_chans, excluded):
    for number in range(1, 5):
        folder = tmp_path / "bids" / f"sub-{number:02d}" / "eeg"
        folder.mkdir(parents=True)
        base = folder / f"sub-{number:02d}_task-sz"
        write_edf(base.with_name(f"{base.name}_eeg.edf"), noise(19, 20, number), NAMES, unit="")
        base.with_name(f"{base.name}_events.tsv").write_text("onset\tduration\teventType\n8\t12\tsz_foc\n")
        rows = [f"{name}\tuV\t{'bad' if (number, name) == (2, 'C3') else 'good'}\n" for name in NAMES]
        base.with_name(f"{base.name}_channels.tsv").write_text("".join(["name\tunits\tstatus\n", *rows]))
    settings = {"dataset": {"kind": "bids", "root": str(tmp_path / "bids")}, "signals": PLAIN | signals}
    found, output = run(tmp_path / "bids", channels={"status": "exclude_bad"}, **settings)
    if n_chans is None:
        (problem,) = found.problems
        assert "sub-02" in problem and "missing for montage average: C3-Avg" in problem and "C3 (status bad)" in problem
        return
    assert not found.problems and len(read_json(output / "windows.json")["ch_names"]) == n_chans
    recordings = read_table(output / "recordings.tsv", text=("dropped", "excluded", "notes"))
    assert [bool(text) for text in recordings["excluded"]] == [False, bool(excluded), False, False]
    if not excluded:
        assert recordings["dropped"][1] == "C3" and "because of their status bad: C3" in recordings["notes"][1]
    before = (output / "windows.npy").read_bytes()
    table = next((tmp_path / "bids").rglob("sub-02_task-sz_channels.tsv"))
    table.write_text(table.read_text().replace("bad", "good"))
    run(tmp_path / "bids", channels={"status": "exclude_bad"}, **settings)
    assert (output / "windows.npy").read_bytes() != before
    assert set(read_table(output / "recordings.tsv", text=("excluded",))["excluded"]) == {""}
