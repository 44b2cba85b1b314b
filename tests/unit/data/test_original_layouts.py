"""CHB-MIT, TUSZ and Siena in the folders in which they are published, with the configurations that read them."""

import os

import pandas as pd
import pytest

from eegwf.checks.study import check_study
from eegwf.dag.flow_reading import read_flow
from eegwf.data.dataset import write_dataset_windows
from eegwf.data.inspection import inspect_dataset
from eegwf.data.reading_settings import ReadingSettings
from eegwf.storage.files import read_table
from tests.helpers.original_layouts import END, ONSET, write_chbmit, write_siena, write_tusz

WRITERS = {"chbmit": write_chbmit, "tusz": write_tusz, "siena": write_siena}
# Patients, the first recording, and the number of seizures.
EXPECTED = {
    "chbmit": (["sub-01", "sub-02", "sub-03", "sub-21"], "sub-01_chb01_03", 4),
    "tusz": ([f"sub-aaaaaa{end}" for end in ("ac", "aj", "bn", "cq")], "sub-aaaaaaac_aaaaaaac_s000_t000", 4),
    "siena": ([f"sub-PN{number}" for number in ("00", "01", "03", "05")], "sub-PN00_PN00-1", 8),
}
SMALL = {"windows": {"length": 4, "step": 4, "guard": 0}, "folds": 3, "matrix": {"classes": ["2class"]}}
SMALL |= {"signals": {"notch": [], "sfreq": 128}, "spectrograms": {"mel": {"f_max": 60}, "stft": {"f_max": 60}}}
SMALL["spectrograms"]["cwt"] = {"f_max": 60}


@pytest.fixture(params=WRITERS)
def name(request):
    return request.param


@pytest.fixture
def flow(root, tmp_path, name):
    data = WRITERS[name](tmp_path / "data")
    files = [root / f"config/datasets/{file}.yaml" for file in (name, f"{name}_original")]
    settings = {**SMALL, "data_root": str(data), "results": str(tmp_path / "results")}
    return read_flow(root / "config/config.yaml", files, settings)


def reading_of(flow):
    study = flow.study
    sections = (study.dataset, study.signals, study.windows, study.patients, study.channels)
    return ReadingSettings(type(flow.paths.data.bids)(flow.root), *sections)


def test_patients_recordings_and_events(flow, name):
    found = inspect_dataset(reading_of(flow))
    assert not found.faults and not found.fault and not found.ignored
    patients, first, n_seizures = EXPECTED[name]
    assert [item.recording.patient for item in found.items] == [patient for patient in patients for _ in range(2)]
    assert found.items[0].recording.recording == first
    label = "sz_foc" if name == "tusz" else "sz"
    events = [event for item in found.items for event in item.events if event.label == label]
    assert [(event.onset, event.duration) for event in events] == [(ONSET, END - ONSET)] * n_seizures
    assert not [event for item in found.items for event in item.events if event.label not in (label, "bckg")]


def test_check_and_windows(flow, name, tmp_path):
    found = check_study(flow)
    assert not found.problems, found.problems
    n_patients = 3 if name == "chbmit" else 4
    facts = "\n".join(found.facts)
    assert f"8 recordings, 8 of them fit for use, of {n_patients} patients" in facts
    write_dataset_windows(reading_of(flow), tmp_path / "out", tmp_path / "state", 1, "code")
    windows = read_table(tmp_path / "out/windows.tsv")
    patients = [patient for patient in EXPECTED[name][0] if patient != "sub-21"]
    assert len(windows) == 80 and sorted(set(windows["patient"])) == patients
    n_seizures = EXPECTED[name][2]
    # Of windows from 8, 12, 16 and 20 s, a seizure from 10 to 22 s covers at least half.
    assert (windows["label"].str.startswith("sz")).sum() == 4 * n_seizures
    recordings = pd.read_csv(tmp_path / "out/recordings.tsv", sep="\t")
    assert (tmp_path / "data" / recordings["path"][0]).exists() and recordings["recording"][0] == EXPECTED[name][1]
    if name == "chbmit":
        assert set(windows["patient"][windows["recording"].str.contains("chb21")]) == {"sub-01"}


def test_both_forms_of_the_annotations_of_tusz(root, tmp_path):
    data = write_tusz(tmp_path / "data")
    files = [root / f"config/datasets/{file}.yaml" for file in ("tusz", "tusz_original")]
    dataset = {"kind": "files", "root": str(data), "recordings": "edf/*/*/*/*/*.edf", "patient": "^edf/[^/]+/([^/]+)/"}
    flow = read_flow(
        root / "config/config.yaml", files, {**SMALL, "dataset": {**dataset, "annotations": {"format": "tusz"}}}
    )
    found = inspect_dataset(reading_of(flow))
    assert not found.faults and {item.recording.events_path.suffix for item in found.items} == {".csv_bi"}
    assert sum(event.label == "sz" for item in found.items for event in item.events) == 4


def test_the_data_digest_covers_recordings_and_annotations(flow, name):
    before = flow.data_digest(None)
    assert flow.data_digest(None) == before
    root = type(flow.paths.data.bids)(flow.root)
    for pattern in ("*.edf", "*summary.txt", "Seizures*.txt", "*t001.csv"):
        for path in sorted(root.rglob(pattern))[-1:]:
            content = path.read_bytes()
            path.write_bytes(content + b"\n")
            assert flow.data_digest(None) != before, path
            path.write_bytes(content)
            os.utime(path, ns=(1, 1))
            before = flow.data_digest(None)
    (root / "other.txt").write_text("x")
    assert flow.data_digest(None) == before


@pytest.mark.parametrize("corpus", ["chbmit", "siena"])
def test_real_files(root, data_root, corpus):
    """The recordings are cut to a few seconds, so that those with a seizure can't be used."""
    files = [root / f"config/datasets/{file}.yaml" for file in (corpus, f"{corpus}_original")]
    settings = {
        **SMALL,
        "data_root": str(data_root / "mini_edf" / corpus),
        "windows": {"length": 1, "step": 1, "guard": 0},
    }
    found = inspect_dataset(reading_of(read_flow(root / "config/config.yaml", files, settings)))
    patients = {item.recording.patient for item in found.items}
    assert patients == ({"sub-05", "sub-08"} if corpus == "chbmit" else {"sub-PN00", "sub-PN16"})
    assert len(found.items) == len(list((data_root / "mini_edf" / corpus).rglob("*.edf"))) and not found.ignored
    # Real lists have slips, which are told as such.
    assert all("the recording is" in fault or "Seizures-list" in fault for fault in found.faults.values())
    assert len(found.usable) == (49 if corpus == "chbmit" else 0)
