"""Context in prediction: recordings have the input, and the predictions, that they have in the study."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from eegwf.config.paths import ResultPaths
from eegwf.dag.stage_config import stage_config
from eegwf.jobs import spectrogram, synthesize, windows
from eegwf.prediction.description import Reading
from eegwf.prediction.inputs import InputRecording
from eegwf.prediction.predict import predict_from
from eegwf.prediction.recording import open_windows
from eegwf.spectrograms.input_transform import InputTransform
from eegwf.storage.files import read_json, read_table
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.final_run import small_study, write_final_run

CONCAT = ("mel", "cwt", "stft")
SETTINGS = {
    "windows": {"context": 6.0},
    "spectrograms": {
        "mel": {"n_freqs": 8, "n_frames": 10, "span": 4.0},
        "stft": {"n_freqs": 8, "n_frames": 10},
        "cwt": {"n_freqs": 8, "n_frames": 10, "span": 8.0},
    },
}
TEXT = ("recording", "patient", "label", "member")


def item_of(path, subject=""):
    return InputRecording(path.name.removesuffix("_eeg.edf"), path, subject, Path())


def test_input_of_a_recording_is_that_of_the_study(tmp_path):
    """Three spans around the same centers, stacked; the recordings are read block by block."""
    few = {"n_focal": 2, "n_generalized": 0, "n_both": 0, "n_none": 0, "minutes": 1.0, "seizures": 1}
    study = small_study(tmp_path / "results", SETTINGS | {"dataset": {"kind": "synthetic", **few}})
    paths = ResultPaths(tmp_path / "results")
    data, arrays = paths.data, [paths.spectrogram(name) for name in CONCAT]

    def of(stage, name="mel"):
        return stage_config(study, stage, SimpleNamespace(model="vit", spectrogram=name, classes="2class"))

    synthesize.run(of("synthesize"), data.bids)
    windows.run(of("windows"), "code", data.bids, paths.state, data.folder)
    for name, array in zip(CONCAT, arrays, strict=True):
        axes = array.with_suffix(".json")
        spectrogram.run(of("spectrogram", name), name, "code", data.windows_array, paths.state, array, axes)
    described = read_json(data.windows_axes)
    sections = {name: getattr(study, name) for name in ("signals", "windows", "channels", "spectrograms")}
    reading = Reading(**sections, **{name: described[name] for name in ("sfreq", "n_times", "ch_names")})
    transform = InputTransform(
        {name: getattr(reading.spectrograms, name) for name in CONCAT}, reading.sfreq, reading.n_times
    )
    dataset, table = SpectrogramDataset(arrays), read_table(data.windows, text=TEXT)
    for recording, part in table.groupby("recording"):
        path = next(data.bids.rglob(f"{recording}_eeg.edf"))
        opened = open_windows(item_of(path), reading)
        found = np.stack(list(opened.read()))
        assert found.shape[2] == reading.n_times == 16 * reading.sfreq
        assert (opened.labels.start / reading.sfreq).tolist() == part["onset"].tolist()
        assert (transform(torch.from_numpy(found)) == dataset.read(part["window"].to_numpy())).all()


@pytest.mark.slow
def test_recordings_of_the_study_have_the_predictions_of_their_test_fold(tmp_path):
    run = write_final_run(tmp_path / "results", settings={"windows": {"context": 3.0}})
    data = ResultPaths(run.parent).data
    expected = read_table(run / "predictions.tsv", text=TEXT).query("member == 'ensemble'")
    names = [name for name in expected.columns if name.startswith(("p_", "raw_"))]
    path = next((data.bids / "sub-02").rglob("*_eeg.edf"))
    renamed = tmp_path / "night_eeg.edf"
    shutil.copy(path, renamed)
    for item, reason in ((item_of(path, "sub-02"), "is in the study"), (item_of(renamed), "its samples are those of")):
        output = tmp_path / item.name
        assert predict_from(run, [item], output) == []
        (file,) = output.rglob("*_probabilities.tsv")
        (record,) = output.rglob("*_prediction.json")
        assert reason in read_json(record)["reason"]
        found = read_table(file).set_index("onset")
        rows = expected[expected["patient"] == "sub-02"].set_index("onset").loc[found.index]
        assert len(found) == 45 and set(found["duration"]) == {4}
        assert (found[names].to_numpy() == rows[names].to_numpy()).all()
    assert read_json(run / "final" / "models.json")["reading"]["windows"]["context"] == 3
