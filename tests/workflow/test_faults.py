"""Bad recordings, folds and configurations: one line says what is wrong and what to do; nothing half-written stays."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers import faults
from tests.helpers.faults import (
    ELECTRODES,
    PATIENTS,
    SECONDS,
    SFREQ,
    Case,
    check_refusal,
    error_of,
    left,
    place,
    samples,
    write_edf,
    write_events,
)

# Recordings and events


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def patch(path: Path, offset: int, text: bytes) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:offset] + text + content[offset + len(text) :])


def with_nan(root: Path, patient: str) -> None:
    data = samples(patient, len(ELECTRODES), SECONDS * SFREQ)
    data[ELECTRODES.index("F4"), 500] = np.nan
    faults.to_brainvision(root, patient, data)


EDF, TSV = r"\S+/sub-02_task-sz_eeg\.edf: ", r"\S+/sub-02_task-sz_events\.tsv"
BAD = {
    "truncated": (
        lambda root: cut(place(root, "sub-02", "eeg.edf"), 30_000),
        EDF + "cut off: the header declares 20 data records, the file contains 10; fetch or export it again",
    ),
    "empty": (lambda root: cut(place(root, "sub-02", "eeg.edf"), 0), EDF + "empty; fetch or export it again"),
    "no length": (
        lambda root: patch(place(root, "sub-02", "eeg.edf"), 244, b"0       "),
        EDF + "invalid header: the length of a data record in seconds is '0'; fetch or export it again",
    ),
    "no range": (
        lambda root: patch(place(root, "sub-02", "eeg.edf"), 256 + 104 * 19, b"200     "),
        EDF + "invalid header: physical range of 'EEG Fp1-REF' is from 200 to 200, .*; export it again",
    ),
    "far beyond the end": (
        lambda root: write_events(root, "sub-02", [(1, 2, "sz"), (400, 5, "sz")]),
        TSV + ", line 3: the event ends at 405 s, but the recording is 20 s long; correct the row, or check .*",
    ),
    "negative onset": (
        lambda root: write_events(root, "sub-02", [(-3, 5, "sz")]),
        TSV + r", line 2: onset is -3 s; it can't be negative \(seconds from the recording's start\)",
    ),
    "negative duration": (
        lambda root: write_events(root, "sub-02", [(3, -5, "sz")]),
        TSV + ", line 2: duration is -5 s; it can't be negative .*",
    ),
    "two labels at once": (
        lambda root: write_events(root, "sub-02", [(1, 5, "sz_foc"), (4, 5, "sz_gen")]),
        TSV + r", line 3: 'sz_gen' from 4 s overlaps 'sz_foc' until 6 s \(line 2\); shorten one of the events.*",
    ),
    "unknown label": (
        lambda root: write_events(root, "sub-02", [(1, 5, "seizure")]),
        TSV + ", line 2: unknown event type 'seizure'; known are bckg, sz, impd. Add it to dataset.event_types or .*",
    ),
    "no events": (
        lambda root: place(root, "sub-02", "events.tsv").unlink(),
        EDF + r"no sub-02_task-sz_events\.tsv beside it; create it .*",
    ),
    "missing channel": (
        lambda root: write_edf(root, "sub-02", names=[name for name in ELECTRODES if name != "Cz"]),
        EDF + r"missing for montage tcp20: .*; EEG channels found: .*\. Choose another signals.montage or .*",
    ),
    "duplicated channel": (
        lambda root: write_edf(root, "sub-02", names=["Fp1", *ELECTRODES]),
        EDF + r"duplicated channel Fp1: 'EEG Fp1-REF' and 'EEG Fp1-REF' \(.* differ at 0.000 s; remove one of them",
    ),
    "not a number": (
        lambda root: with_nan(root, "sub-02"),
        r"\S+/sub-02_task-sz_eeg\.vhdr: 'F4' is not a finite number at 7\.812 s; correct it or exclude the recording",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_recording_stops_the_run(study, name):
    case = study()
    damage, expected = BAD[name]
    damage(case.bids)
    check_refusal(case, case.windows(), expected)


def test_a_mended_recording_ends_in_the_same_bytes(study, good, snakemake):
    """Through Snakemake, with several readers at once; what was read before the fault is not read again."""
    case = study()
    path = place(case.bids, "sub-02", "eeg.edf")
    whole = path.read_bytes()
    cut(path, 30_000)
    target = ["--cores", "2", "results/data/folds.tsv"]
    said = error_of(snakemake(case.folder, *target, configs=[case.config()], check=False))
    check_refusal(case, said, BAD["truncated"][1])
    assert (case.results / "logs/windows.log").read_text().splitlines()[-1] == said
    path.write_bytes(whole)
    snakemake(case.folder, *target, configs=[case.config()])
    for name in left(good.results):
        assert (case.results / name).read_bytes() == (good.results / name).read_bytes(), name


def test_a_bad_recording_may_be_left_out(study):
    case = study(signals={"on_bad_recording": "exclude"})
    write_edf(case.bids, "sub-05")
    write_events(case.bids, "sub-05", [(1, 5, "seizure")])
    write_edf(case.bids, "sub-06")
    write_events(case.bids, "sub-06", [])
    cut(place(case.bids, "sub-06", "eeg.edf"), 30_000)
    assert case.windows() == case.folds() == ""
    found = recordings_of(case)["excluded"]
    assert "line 2: unknown event type 'seizure'" in found["sub-05"] and "cut off" in found["sub-06"]
    assert (found.loc[list(PATIENTS)] == "").all()
    folds = pd.read_csv(case.results / "data/folds.tsv", sep="\t")
    assert list(folds["patient"]) == list(PATIENTS)


def test_nothing_left_of_the_recordings(study):
    case = study(signals={"on_bad_recording": "exclude"})
    for patient in PATIENTS:
        cut(place(case.bids, patient, "eeg.edf"), 0)
    check_refusal(case, case.windows(), r"\S+/bids: all 4 recording\(s\) are left out; the first: \S+: empty; .*")


# What is put right, and says so


def recordings_of(case: Case) -> pd.DataFrame:
    table = pd.read_csv(case.results / "data/recordings.tsv", sep="\t", keep_default_na=False)
    return table.set_index("patient")


def test_events_that_are_put_right(study, good):
    case = study()
    write_events(case.bids, "sub-01", [(7, 3, "sz_foc"), (5, 4, "sz_foc")])  # 5 to 10 s, as in the good study
    write_events(case.bids, "sub-03", [(10, 10.9, "sz_gen")])
    assert case.windows() == ""
    notes = recordings_of(case)["notes"]
    assert notes["sub-01"] == ("events sorted by onset; overlapping events of the same label in lines 3 and 2 merged")
    assert notes["sub-03"] == "event in line 2 cut by 0.9 s, at the recording's end"
    assert notes["sub-02"] == notes["sub-04"] == ""
    for name in ("windows.tsv", "events.tsv", "windows.npy"):
        assert (case.results / "data" / name).read_bytes() == (good.results / "data" / name).read_bytes(), name


def test_mixed_sampling_rates(study):
    case = study()
    write_edf(case.bids, "sub-02", sfreq=128)
    assert case.windows() == case.folds() == ""
    found = recordings_of(case)
    assert found["notes"].to_dict() == dict.fromkeys(PATIENTS, "") | {"sub-02": "recorded at 128 Hz and resampled"}
    assert set(found["sfreq"]) == {SFREQ}
    assert np.load(case.results / "data/windows.npy").shape == (40, 20, 2 * SFREQ)


@pytest.mark.parametrize("policy", ["keep", "interpolate", "exclude"])
def test_flat_channels(study, policy):
    case = study(signals={"flat": policy})
    data = samples("sub-02", len(ELECTRODES), SECONDS * SFREQ)
    data[ELECTRODES.index("C3")] = 0.0
    write_edf(case.bids, "sub-02", data)
    assert case.windows() == case.folds() == ""
    row = recordings_of(case).loc["sub-02"]
    told = "flat from start to end: EEG C3-REF (signals.flat: "
    if policy == "exclude":
        assert told in row["excluded"]
    else:
        assert row["excluded"] == "" and row["notes"] == f"{told}{policy})"


# Folds and classes


def test_one_patient(tmp_path):
    case = Case(tmp_path)
    faults.write_bids(case.bids, {"sub-01": PATIENTS["sub-01"]})
    assert case.windows() == ""
    assert re.fullmatch(
        r"error: folds: 1 patient\(s\) with windows \(sub-01\); test, validation and training need 3 .*", case.folds()
    )
    assert not {"data/folds.tsv", "data/leakage.json"} & set(left(case.results))


GIVEN = {
    "sub-01\t1\nsub-02\t2\nsub-03\t3\nsub-04\t1\nsub-02\t1": (
        r"\S+/given\.tsv: line 6: patient sub-02 is in fold 2 and in fold 1; a patient belongs to one fold, so .*"
    ),
    "sub-01\t1\nsub-02\t2\nsub-03\t3": r"\S+/given\.tsv: no fold for patient sub-04; 1 .* missing; add a row for each",
    "sub-01\t1\nsub-02\t2\nsub-03\t2\nsub-04\t4": r"\S+/given\.tsv: folds \[1, 2, 4\] .*: expected 1 to K, K at .*",
}


@pytest.mark.parametrize("rows", GIVEN, ids=["two folds", "no fold", "a gap"])
def test_given_folds_that_are_wrong(study, rows, tmp_path):
    given = tmp_path / "given.tsv"
    given.write_text(f"patient\tfold\n{rows}\n")
    case = study(read=True, folds=str(given))
    assert re.fullmatch(f"error: {GIVEN[rows]}", said := case.folds(given)) and "\n" not in said, said
    assert not {"data/folds.tsv", "data/leakage.json"} & set(left(case.results))


def test_one_person_under_two_names(study):
    case = study()
    shutil.copy(place(case.bids, "sub-02", "eeg.edf"), place(case.bids, "sub-03", "eeg.edf"))
    assert case.windows() == ""
    assert re.fullmatch(
        r"error: leak: the same samples are in fold \d \(sub-0[23]_task-sz, 0 s\) and in fold \d .* are sub-0[23] and"
        r" sub-0[23] one person\? Map them to one name under `patients:`, or remove the copy",
        said := case.folds(),
    ), said
    assert not {"data/folds.tsv", "data/leakage.json"} & set(left(case.results))


def test_folds_through_snakemake(study, snakemake, tmp_path):
    """A failed job leaves what the jobs before it made, and nothing of its own."""
    (tmp_path / "given.tsv").write_text("patient\tfold\n" + next(iter(GIVEN)) + "\n")
    case = study(read=True, folds=str(tmp_path / "given.tsv"))
    before = left(case.results)
    target = ["--cores", "2", "results/data/folds.tsv"]
    said = error_of(snakemake(case.folder, *target, configs=[case.config()], check=False))
    assert "line 6: patient sub-02 is in fold 2 and in fold 1" in said
    assert left(case.results) == before
    many = Case(case.folder, {"folds": 9})
    said = error_of(snakemake(case.folder, *target, configs=[many.config()], check=False))
    assert said == "error: folds: 9 folds can't be made of 4 patients; use 4 or fewer"
    assert left(case.results) == before


@pytest.mark.parametrize(
    ("events", "fold", "expected"),
    [
        (
            {},
            1,
            r"\S+/windows\.tsv: no window of class 'seizure' \(event types sz\); labels of the windows: bckg; use .*",
        ),
        (
            {"sub-02": PATIENTS["sub-02"]},
            None,
            r"fold {fold}: its training patients \(folds .*\) have no window of class 'seizure'; use fewer folds, .*",
        ),
    ],
    ids=["from the set", "from training"],
)
def test_an_absent_class(study, events, fold, expected):
    case = study()
    for patient in PATIENTS:
        write_events(case.bids, patient, events.get(patient, []))
    assert case.windows() == case.folds() == case.spectrogram() == ""
    folds = pd.read_csv(case.results / "data/folds.tsv", sep="\t").set_index("patient")["fold"]
    fold = fold or folds["sub-02"]
    before = left(case.results)
    assert re.fullmatch(f"error: {expected.format(fold=fold)}", said := case.tune("2class", fold)), said
    assert left(case.results) == before


# Configuration and targets

CONFIGS = {
    "trainning: {epochs: 3}": r"\S+/bad\.yaml: trainning: unknown key; did you mean 'training'\?",
    "signals: {sfreq: fast}": r"\S+/bad\.yaml: signals\.sfreq: .* \(found 'fast'\)",
    "matrix: {models: [vit, vitt]}": (
        r"\S+/bad\.yaml: matrix\.models: vitt_mel_3class: no model 'vitt'; choose one of .*vit.*"
    ),
    "models: {vitt: {fixed: {depth: 1}}}": r"\S+/bad\.yaml: models\.vitt: no such model; known are .*vit.*",
}


@pytest.mark.parametrize("text", CONFIGS)
def test_a_wrong_configuration(snakemake, tmp_path, text):
    (tmp_path / "bad.yaml").write_text(text)
    done = snakemake(tmp_path, "--cores", "1", configs=[tmp_path / "bad.yaml"], check=False)
    assert re.fullmatch(f"error: {CONFIGS[text]}", said := error_of(done)), said
    assert not (tmp_path / "results").exists()
