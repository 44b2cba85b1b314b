"""Predictions of models whose input is normalized by recording: those of the study, window by window."""

import numpy as np
import pytest
import torch

from eegwf.config.paths import RunPaths
from eegwf.prediction.inputs import find_inputs
from eegwf.prediction.normalized_inputs import NormalizedInputs
from eegwf.prediction.predict import predict_from
from eegwf.storage.files import read_json, read_table
from tests.helpers.final_run import SETTINGS, write_final_run

PAIRS = {"mel": ["recording", "recording_causal"], "raw": ["aligned", "recording_causal"]}


def settings(kinds) -> dict:
    """Settings of a study whose two ranks have these kinds of normalization."""
    search = {"normalization": {"choices": kinds}, "dropout": {"low": 0.0, "high": 0.5}}
    start = [{"normalization": kind} for kind in kinds]
    return {
        "dataset": SETTINGS["dataset"] | {"minutes": 2.4},
        "models": {"eegnet": {"fixed": {"input_clip": 6.0}, "search": search, "start": start}},
        "training": {"epochs": 1},
    }


@pytest.mark.slow
@pytest.mark.parametrize("spectrogram", PAIRS)
def test_recordings_of_the_study_have_the_predictions_of_their_test_fold(spectrogram, tmp_path):
    run = RunPaths(write_final_run(tmp_path / "results", f"eegnet_{spectrogram}_2class", settings(PAIRS[spectrogram])))
    kinds = {read_json(run.fold(1).rank(rank).model)["normalization"] for rank in (1, 2)}
    assert kinds == set(PAIRS[spectrogram])
    recordings = find_inputs([tmp_path / "results/data/bids"])[:2]
    assert predict_from(run.folder, recordings, tmp_path / "out") == []
    text = ("member", "recording", "patient", "label", "predicted")
    expected = read_table(run.predictions, text=text).query("member == 'ensemble'")
    for item in recordings:
        found = read_table(tmp_path / "out" / item.folder / f"{item.name}_probabilities.tsv", text=("predicted",))
        rows = expected[expected["recording"] == item.name].set_index("onset").loc[found["onset"]]
        names = [name for name in rows.columns if name.startswith(("p_", "raw_"))]
        assert len(found) == len(rows) == 36  # more than a batch
        assert (found[names].to_numpy() == rows[names].to_numpy()).all()


def test_only_statistics_of_the_whole_recording_need_a_pass_before():
    assert not NormalizedInputs({"patients", "recording_causal"}).needs_statistics
    assert NormalizedInputs({"patients", "recording"}).needs_statistics


def test_each_kind_has_its_own_input():
    x = torch.from_numpy(np.random.default_rng(0).normal(-20, 5, (8, 2, 3, 10)).astype(np.float32))
    inputs = NormalizedInputs({"level", "recording", "recording_causal"})
    inputs.measure(x)
    found = inputs(x)
    assert set(found) == {"level", "recording", "recording_causal"} and found["level"] is x
    assert found["recording"].abs().mean() < 2 and not torch.equal(found["recording"], found["recording_causal"])
    assert torch.equal(found["recording"][-1], found["recording_causal"][-1])
