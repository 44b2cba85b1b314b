"""Resuming: files of two predictions are never mixed, and files of others are never replaced."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from eegwf.config.final_paths import FinalPaths
from eegwf.errors import InputError
from eegwf.prediction import predict
from eegwf.prediction.inputs import InputRecording
from eegwf.prediction.predict import PredictionTask, predict_recordings
from eegwf.prediction.source import Source
from eegwf.prediction.study_patients import ModelChoice


class Models:
    """Models without a computation."""

    description = SimpleNamespace(run="run")

    def __init__(self, *arguments):
        pass

    def predict(self, item, patient, interval):
        result = SimpleNamespace(quality={"seconds": 4.0})
        return ModelChoice(None, "why"), SimpleNamespace(name="final"), result


@pytest.fixture
def written(monkeypatch):
    """Number of predictions that were written; `stop` ends the next one between two files."""
    state = SimpleNamespace(number=0, stop=False)

    def write(paths, *arguments):
        state.number += 1
        paths.folder.mkdir(parents=True, exist_ok=True)
        paths.probabilities.write_text(str(state.number))
        if state.stop:
            raise KeyboardInterrupt
        paths.events.write_text("")
        paths.figure.write_text("")

    monkeypatch.setattr(predict, "SourceModels", Models)
    monkeypatch.setattr(predict, "write_prediction", write)
    return state


@pytest.fixture
def call(tmp_path):
    """Predict a recording with the models of an identity."""
    recording = tmp_path / "in" / "sub-01_task-sz_eeg.edf"
    recording.parent.mkdir()
    recording.write_bytes(b"0")
    item = InputRecording("sub-01_task-sz", recording, "sub-01", Path())

    def call(identity="a", output="out", **options):
        source = Source(FinalPaths(tmp_path / "final"), None)
        task = PredictionTask(source, identity, tmp_path / output, **options)
        return predict_recordings([item], task)

    return call


def test_a_finished_prediction_is_not_repeated(call, written):
    assert call() == call() == [] and written.number == 1
    call("b")
    assert written.number == 2


def test_a_killed_prediction_by_other_models_leaves_no_mixed_files(call, written):
    call("a")
    written.stop = True
    with pytest.raises(KeyboardInterrupt):
        call("b")
    written.stop = False
    call("a")
    assert written.number == 3


@pytest.mark.parametrize("ending", ["events.tsv", "timeline.svg", "probabilities.tsv", "prediction.json"])
def test_a_lost_file_is_written_again(call, written, tmp_path, ending):
    call()
    (tmp_path / "out" / f"sub-01_task-sz_{ending}").unlink()
    call()
    assert written.number == 2 and (tmp_path / "out" / f"sub-01_task-sz_{ending}").is_file()


def test_models_without_events_are_not_repeated_for_want_of_them(call, written, tmp_path):
    call(detects=False)
    (tmp_path / "out" / "sub-01_task-sz_events.tsv").unlink()
    call(detects=False)
    assert written.number == 1


def test_another_table_of_channels_repeats_the_prediction(call, written, tmp_path):
    call()
    (tmp_path / "in" / "sub-01_task-sz_channels.tsv").write_text("name\tstatus\n")
    call()
    assert written.number == 2


def test_annotations_beside_the_recording_are_not_replaced(call, written, tmp_path):
    annotations = tmp_path / "in" / "sub-01_task-sz_events.tsv"
    annotations.write_text("annotations of an expert")
    with pytest.raises(InputError, match=r"sub-01_task-sz_events.tsv: not of a prediction.*choose another --output"):
        call(output="in")
    assert annotations.read_text() == "annotations of an expert" and written.number == 0


def test_an_output_folder_that_can_not_be_made_is_found_before_the_prediction(call, written, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        call(output="file")
    assert written.number == 0


def test_without_a_prediction_the_table_of_quality_is_a_table(call, written, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise InputError("damaged")

    monkeypatch.setattr(Models, "predict", refuse)
    assert [reason for _, reason in call()] == ["damaged"]
    assert (tmp_path / "out" / "input_quality.tsv").read_text() == "recording\tmodels\n"
