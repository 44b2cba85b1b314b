"""Persons who trained the models and are in an external data set stop the run; equal ids alone do not."""

import numpy as np
import pandas as pd
import pytest

from eegwf.config.data_paths import DataPaths, InitPaths
from eegwf.config.stages.external import ExternalLeakageSettings
from eegwf.data.overlap import window_fingerprints
from eegwf.errors import InputError
from eegwf.jobs import external_leakage
from eegwf.storage.files import read_array, read_json, write_array, write_json, write_table

SFREQ, LENGTH, N_CHANS = 64, 4, 5
SOURCE_CHECK = "samples of the source of the initial weights"
NAMES = [f"c{number}" for number in range(N_CHANS)]


def brain(seed: int) -> np.ndarray:
    """A minute of noise whose power decreases with frequency."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=(N_CHANS, 60 * SFREQ)))
    signal = np.fft.irfft(spectrum / np.maximum(np.arange(spectrum.shape[1]), 20.0))
    return 30 * signal / signal.std()


def write(folder, signals: dict[str, np.ndarray]):
    """Write the windows of a data set, a recording for each patient."""
    files, rows, samples = DataPaths(folder), [], []
    for patient, signal in signals.items():
        for onset in range(0, 60, LENGTH):
            rows.append([len(rows), f"{patient}_eeg", patient, float(onset), float(LENGTH), "bckg"])
            samples.append(signal[:, onset * SFREQ : (onset + LENGTH) * SFREQ])
    write_table(
        files.windows, pd.DataFrame(rows, columns=["window", "recording", "patient", "onset", "duration", "label"])
    )
    write_array(files.windows_array, np.array(samples, dtype=np.float16))
    write_json(files.windows_axes, {"sfreq": SFREQ, "n_times": LENGTH * SFREQ, "ch_names": NAMES})
    return files


@pytest.fixture
def check(tmp_path):
    """Run the job on a study of two patients and another data set; returns its results."""

    def check(other: dict[str, np.ndarray], init=None, **settings):
        study = write(tmp_path / "study", {"sub-01": brain(1), "sub-02": brain(2)})
        files = write(tmp_path / "other", other)
        external_leakage.run(
            ExternalLeakageSettings(**settings),
            "other",
            "conf/other.yaml",
            study.windows,
            files.windows,
            files.leakage,
            init,
        )
        return read_json(files.leakage)

    return check


def test_equal_ids_of_two_persons_are_no_leak(check):
    result = check({"sub-01": brain(7), "sub-02": brain(8)})
    assert result["passed"] and [item["leaks"] for item in result["checks"]] == [0, 0]
    assert result["checks"][1]["largest_similarity"] < result["checks"][1]["limit"]


@pytest.mark.parametrize(
    ("copy", "evidence"),
    [(brain(2), "15 windows of p9_eeg have the samples of sub-02_eeg"), (-3 * brain(2), "p9_eeg looks like a copy of")],
)
def test_a_person_of_the_study_is_found_under_another_name(check, copy, evidence):
    with pytest.raises(InputError) as caught:
        check({"p8": brain(8), "p9": copy})
    said = str(caught.value)
    assert said.startswith("leak: external data set other: p9 is sub-02 of the study: ") and evidence in said
    assert said.endswith("leave them out with dataset.exclude: [p9] in conf/other.yaml") and "\n" not in said


def test_the_limit_of_similarity_is_that_of_the_study(check):
    assert check({"p9": -3 * brain(2)}, max_similarity=1.0)["passed"]


@pytest.fixture
def init(tmp_path):
    """Initial weights from a study of two other patients, as `initialize` writes them; returns their folder."""
    source = write(tmp_path / "source", {"sub-01": brain(11), "sub-02": brain(12)})
    arrays = read_array(source.windows_array)
    paths = InitPaths(tmp_path / "init")
    write_array(paths.fingerprints, np.sort(window_fingerprints(arrays, np.arange(len(arrays)))))
    write_json(paths.record, {"source": "vit_mel_2class", "checks": [{"check": SOURCE_CHECK}]})
    return paths.folder


def test_a_patient_of_the_source_of_the_initial_weights_is_found(check, init):
    other = {"p8": brain(8), "p9": brain(12)}
    assert check(other)["passed"], "the study itself has no such patient"
    with pytest.raises(InputError) as caught:
        check(other, init)
    assert str(caught.value) == (
        "leak: external data set other: 15 windows of patient p9, the first in p9_eeg at 0 s, have the samples of "
        "windows of vit_mel_2class (training.init). The models were trained on them; leave them out with "
        "dataset.exclude: [p9] in conf/other.yaml"
    )


def test_other_patients_than_those_of_the_source_pass(check, init):
    checks = check({"sub-01": brain(7)}, init)["checks"]
    assert checks[2] == {"check": SOURCE_CHECK, "examined": "15 windows by hash against 30", "leaks": 0}


def test_a_source_that_reads_recordings_otherwise_is_said_to_be_unchecked(check, init):
    write_json(InitPaths(init).record, {"source": "vit_mel_2class", "checks": []})
    examined = check({"sub-01": brain(7)}, init)["checks"][2]["examined"]
    assert examined == "nothing: vit_mel_2class reads recordings with other settings"
