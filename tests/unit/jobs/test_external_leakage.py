"""Persons who are in the study and in an external data set stop the run; equal ids alone do not."""

import numpy as np
import pandas as pd
import pytest

from eegwf.config.data_paths import DataPaths
from eegwf.config.stages.external import ExternalLeakageSettings
from eegwf.errors import InputError
from eegwf.jobs import external_leakage
from eegwf.storage.files import read_json, write_array, write_json, write_table

SFREQ, LENGTH, N_CHANS = 64, 4, 5
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

    def check(other: dict[str, np.ndarray], **settings):
        study = write(tmp_path / "study", {"sub-01": brain(1), "sub-02": brain(2)})
        files = write(tmp_path / "other", other)
        external_leakage.run(
            ExternalLeakageSettings(**settings), "other", "conf/other.yaml", study.windows, files.windows, files.leakage
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
