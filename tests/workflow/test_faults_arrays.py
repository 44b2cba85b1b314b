"""Given arrays through the workflow: good ones reach their metrics, bad ones are refused in one line."""

import json
import os
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers import faults
from tests.helpers.faults import Case, check_refusal, error_of

METRICS = "results/vit_mel_2class/metrics.json"


@pytest.fixture
def arrays(tmp_path):
    """Make a study of given arrays."""

    def make(axes="n f t c", names=("mel",), **changes) -> Case:
        parts = [faults.write_arrays(tmp_path, axes, name, **changes) for name in names]
        files = {name: part["arrays"][name] for name, part in zip(names, parts, strict=True)}
        return Case(tmp_path, {"dataset": parts[0] | {"arrays": files}})

    return make


def test_a_hostile_pickle_is_not_run(arrays, snakemake, tmp_path):
    case = arrays(pickled=True)
    marker = tmp_path / "marker"

    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch {marker}",)

    content = pickle.dumps(Hostile())
    pickle.loads(content)
    assert marker.exists(), "the sample must be one that works"
    marker.unlink()
    (tmp_path / "mel_patients_2.npy").write_bytes(content)
    done = snakemake(tmp_path, "--cores", "2", METRICS, configs=[case.config()], check=False)
    expected = r"\S+/mel_patients_2\.npy: its pickle requests 'posix\.system'; only NumPy arrays .*; save it again .*"
    check_refusal(case, error_of(done), expected)
    assert not marker.exists()


def one_label_less(folder: Path) -> None:
    labels = np.load(folder / "mel_labels_2.npy")
    np.save(folder / "mel_labels_2.npy", labels[:-1])


def one_patient_more(folder: Path) -> None:
    patients = np.load(folder / "mel_patients_2.npy")
    np.save(folder / "mel_patients_2.npy", [*patients, "c"])


def other_person(folder: Path) -> None:
    np.save(folder / "stft_patients_3.npy", np.array(["d"] * 7 + ["e"]))


def another_label(folder: Path) -> None:
    np.save(folder / "mel_labels_2.npy", np.array([0, 1, 0, 7] * 2))


ARRAYS = {
    "labels of another length": (
        one_label_less,
        r"fold 2: files of different length: \S+/mel_data_2\.npy 8, \S+/mel_labels_2\.npy 7, \S+ 8; expected one .*",
    ),
    "patients of another length": (
        one_patient_more,
        r"fold 2: files of different length: \S+/mel_data_2\.npy 8, \S+ 8, \S+/mel_patients_2\.npy 9; expected .*",
    ),
    "patient in two folds": (
        lambda folder: [np.save(folder / f"{name}_patients_2.npy", np.array(["a"] * 8)) for name in ("mel", "stft")],
        r"patient 'a' is in folds 1 and 2 \(dataset\.arrays\.mel\.patients\), .*; assign each patient to one fold",
    ),
    "two that disagree": (
        other_person,
        r"dataset\.arrays: mel and stft differ for patient 'd' in fold 3, row 7: mel has sz of d, stft has sz of e;"
        " the rows must be the same windows; use one spectrogram per study",
    ),
    "label without a name": (
        another_label,
        r"\S+/mel_labels_2\.npy: row 3 has label 7; dataset\.label_names defines 0: bckg, 1: sz",
    ),
    "no file": (
        lambda folder: (folder / "stft_data_3.npy").unlink(),
        r"\S+/stft_data_3\.npy: no such file; fold 3 of 3 needs its data, labels and patients .*",
    ),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_given_arrays_that_are_wrong(arrays, name):
    case = arrays(names=("mel", "stft"))
    damage, expected = ARRAYS[name]
    damage(case.folder)
    check_refusal(case, case.import_tables(), expected)


@pytest.mark.parametrize(("axes", "pickled"), [("n c f t", False), ("n h w 3", False), ("n f t c", True)])
def test_layouts_of_given_arrays(arrays, snakemake, tmp_path, axes, pickled):
    """Every layout is planned alike and imported to the same bytes; the pickled one runs to its metrics."""
    case = arrays(axes, pickled=pickled)
    planned = snakemake(case.folder, "--dry-run", METRICS, configs=[case.config()]).stdout
    counts = dict(re.findall(r"^(\w+) +(\d+)$", planned, re.M))
    assert counts == {
        "import_tables": "1", "import_spectrogram": "1", "folds": "1", "tune": "3", "select_best": "3", "retrain": "3",
        "evaluate": "1", "total": "13",
    }  # fmt: skip
    assert not case.results.exists()
    assert case.import_tables() == case.import_spectrogram() == ""
    faults.write_arrays(tmp_path, "n c f t", "plain")
    plain = np.concatenate([np.load(tmp_path / f"plain_data_{fold}.npy") for fold in faults.FOLDS])
    np.testing.assert_array_equal(np.load(case.results / "spectrograms/mel.npy"), plain.astype(np.float16))
    if not pickled:
        return
    shutil.rmtree(case.results)
    snakemake(case.folder, "--cores", "2", METRICS, configs=[case.config()])
    metrics = json.loads((case.folder / METRICS).read_text())
    assert metrics["n_windows"] == 32 and metrics["n_patients"] == 4
    folds = pd.read_csv(case.results / "data/folds.tsv", sep="\t").set_index("patient")["fold"]
    assert folds.to_dict() == {"a": 1, "b": 1, "c": 2, "d": 3}


@pytest.mark.parametrize(
    ("spectrogram", "expected"),
    [
        ("raw", "vit_raw_2class: no spectrogram 'raw'; choose one of mel"),
        ("stft", "vit_stft_2class: no spectrogram 'stft'; choose one of mel"),
    ],
)
def test_given_arrays_hold_no_other_spectrogram(arrays, snakemake, spectrogram, expected):
    case = arrays()
    target = f"results/vit_{spectrogram}_2class/report.html"
    done = snakemake(case.folder, "--dry-run", target, configs=[case.config()], check=False)
    assert error_of(done) == f"error: {target}: {expected}"
