"""Final models and `eegwf predict`: the models of a finished study are used on its own and on new recordings."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eegwf.config.data import Synthetic
from eegwf.data.synthetic.dataset import write_dataset

RUN = "results/vit_mel_3class"
EVENT_COLUMNS = ["onset", "duration", "eventType", "confidence", "channels", "dateTime", "recordingDuration"]


@pytest.fixture(scope="module")
def study(finished, snakemake, tmp_path_factory) -> Path:
    """Folder of the tiny study with final models."""
    folder = tmp_path_factory.mktemp("final") / "study"
    shutil.copytree(finished, folder)
    snakemake(folder, "--cores", "2", f"{RUN}/final/models.json")
    return folder


@pytest.fixture(scope="module")
def bundle(study, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("bundle") / "vit.zip"
    eegwf(study, "bundle", RUN, "--weights", "--output", str(file))
    return file


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> Path:
    """Recordings of patients who are not in the study."""
    root = tmp_path_factory.mktemp("others")
    config = Synthetic(
        kind="synthetic", n_focal=1, n_generalized=1, n_both=0, n_none=0, minutes=1.0, seizures=2, seed=99
    )
    write_dataset(root, config)
    for number in (1, 2):  # ids that the study does not have
        old, new = root / f"sub-{number:02d}", root / f"sub-x{number}"
        old.rename(new)
        for path in sorted(new.rglob("sub-*")):
            path.rename(path.with_name(path.name.replace(old.name, new.name)))
    return root


def eegwf(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "eegwf.cli", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", keep_default_na=False)


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of the files of a prediction but for the hidden ones, which have the times of the recordings."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_recordings_of_the_study_have_the_predictions_of_their_test_fold(study, tmp_path):
    eegwf(study, "predict", "results/data/bids", "--run", RUN, "--output", str(tmp_path))
    expected = read(study / RUN / "predictions.tsv").query("member == 'ensemble'")
    assert expected["recording"].nunique() == 7
    names = [name for name in expected.columns if name.startswith(("p_", "raw_"))]
    for recording, rows in expected.groupby("recording"):
        folder = tmp_path / rows["patient"].iloc[0] / "eeg"
        found = read(folder / f"{recording}_probabilities.tsv")
        rows = rows.set_index("onset").loc[found["onset"]]
        assert len(found) == len(rows) == 15
        assert (found[names].to_numpy() == rows[names].to_numpy()).all()
        assert found["predicted"].tolist() == rows["predicted"].tolist()
        record = json.loads((folder / f"{recording}_prediction.json").read_text())
        assert record["models"] == f"fold{rows['fold'].iloc[0]}"
    quality = read(tmp_path / "input_quality.tsv")
    assert quality["recording"].nunique() == len(quality) == 7
    # Recordings of the training distribution: none is far from the others.
    assert quality["distance"].max() < 4


def test_a_renamed_recording_of_the_study_is_found_by_its_samples(study, tmp_path):
    source = study / "results/data/bids/sub-03/eeg/sub-03_task-sz_eeg.edf"
    shutil.copy(source, tmp_path / "night.edf")
    eegwf(study, "predict", str(tmp_path / "night.edf"), "--run", RUN, "--output", str(tmp_path / "out"))
    record = json.loads((tmp_path / "out/night_prediction.json").read_text())
    fold = read(study / "results/data/folds.tsv").set_index("patient")["fold"]["sub-03"]
    assert record["models"] == f"fold{fold}"
    assert record["reason"] == "its samples are those of patient sub-03 of the study"


def test_new_recordings_are_predicted_by_the_final_models_and_from_the_bundle_alone(study, bundle, others, tmp_path):
    eegwf(study, "predict", str(others), "--run", RUN, "--output", str(tmp_path / "run"))
    empty = tmp_path / "empty"
    empty.mkdir()
    done = eegwf(
        empty, "predict", str(others), "--run", str(bundle), "--output", str(tmp_path / "bundle"), "--workers", "2"
    )
    assert "2 of 2 recording(s) predicted" in done.stdout
    found = contents(tmp_path / "run")
    assert found == contents(tmp_path / "bundle") and len(found) == 2 * 4 + 1
    assert list(empty.iterdir()) == []
    record = json.loads(found["sub-x1/eeg/sub-x1_task-sz_prediction.json"])
    assert (record["models"], record["reason"]) == ("final", "no patient of the study has this id")


def test_events_have_the_form_of_szcore(study, others, tmp_path):
    eegwf(study, "predict", str(others), "--run", RUN, "--output", str(tmp_path))
    files = sorted(tmp_path.rglob("*_events.tsv"))
    assert len(files) == 2
    for path in files:
        table = read(path)
        assert list(table.columns) == EVENT_COLUMNS and len(table)
        assert (table["recordingDuration"].astype(float) == 60).all()
        ends = table["onset"].astype(float) + table["duration"].astype(float)
        assert (table["onset"].astype(float) >= 0).all() and (ends <= 60).all()
        assert (ends.to_numpy()[:-1] <= table["onset"].astype(float).to_numpy()[1:]).all()
        assert table["eventType"].isin(["sz_foc", "sz_gen", "bckg"]).all()
        for row in table.itertuples():
            assert datetime.strptime(row.dateTime, "%Y-%m-%d %H:%M:%S")
            assert row.confidence == "n/a" if row.eventType == "bckg" else 0 <= float(row.confidence) <= 1
        figure = path.with_name(path.name.replace("events.tsv", "timeline.svg")).read_text()
        assert "<title>" in figure and "Probability of a seizure" in figure and "Time (s)" in figure


def test_a_finished_prediction_is_not_repeated_and_a_changed_recording_is(study, others, tmp_path):
    recordings = tmp_path / "recordings"
    shutil.copytree(others, recordings)
    command = ("predict", str(recordings), "--run", RUN, "--output", str(tmp_path / "out"))
    eegwf(study, *command)
    before = contents(tmp_path / "out")
    again = eegwf(study, *command)
    assert "2 recording(s) are already predicted" in again.stdout
    os.utime(recordings / "sub-x1/eeg/sub-x1_task-sz_eeg.edf", (1, 1))
    (tmp_path / "out/sub-x2/eeg/sub-x2_task-sz_probabilities.tsv").unlink()
    assert "already predicted" not in eegwf(study, *command).stdout
    assert contents(tmp_path / "out") == before


def test_a_bundle_identifies_no_patient_and_refuses_the_recordings_of_its_study(study, bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
        texts = {name: archive.read(name) for name in names}
    assert {"README.md", "requirements.txt", "SHA256SUMS", "final/models.json", "final/fingerprints.npy"} <= set(names)
    assert all(re.fullmatch(r"final/.*|README\.md|requirements\.txt|SHA256SUMS", name) for name in names)
    words = b"\n".join(content for name, content in texts.items() if not name.endswith((".npy", ".safetensors")))
    assert b"sub-" not in words and str(study).encode() not in words
    fingerprints = np.load(study / RUN / "final/fingerprints.npy", allow_pickle=False)
    assert len(fingerprints) == 7 * 15 and (np.diff(fingerprints.astype(object)) > 0).all()
    own = study / "results/data/bids/sub-03/eeg/sub-03_task-sz_eeg.edf"
    done = eegwf(tmp_path, "predict", str(own), "--run", str(bundle), "--output", "out", check=False)
    assert done.returncode == 1
    assert "its samples are among those on which the models of this bundle were trained" in done.stdout
    assert not list((tmp_path / "out").rglob("*_events.tsv"))


def test_a_recording_that_lacks_an_electrode_is_refused_and_the_others_are_predicted(study, others, tmp_path):
    edf = others / "sub-x1/eeg/sub-x1_task-sz_eeg.edf"
    content = bytearray(edf.read_bytes())
    place = content.index(b"EEG O2-REF")
    content[place : place + 10] = b"EEG Q2-REF"
    (tmp_path / "bad.edf").write_bytes(content)
    done = eegwf(
        study,
        "predict",
        str(tmp_path / "bad.edf"),
        str(edf),
        "--run",
        RUN,
        "--output",
        str(tmp_path / "out"),
        check=False,
    )
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if "bad.edf" in line]
    assert len(lines) == 1 and "O2" in lines[0]
    assert "1 of 2 recording(s) predicted" in done.stdout
    assert (tmp_path / "out/sub-x1_task-sz_events.tsv").is_file()


def test_final_models_are_made_again_with_the_same_bytes(study, finished, snakemake, tmp_path):
    folder = tmp_path / "again"
    shutil.copytree(finished, folder)
    snakemake(folder, "--cores", "2", f"{RUN}/final/models.json")
    found = contents(folder / RUN / "final")
    assert found == contents(study / RUN / "final") and len(found) == 3 + 2 * 4
