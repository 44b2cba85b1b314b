"""Parameter sets that are retrained with several random seeds: ranks, ensemble and final models."""

import numpy as np
import pytest

from eegwf.config.paths import RunPaths
from eegwf.storage.files import read_json, read_table
from eegwf.tuning.selection import repeat_for_seeds
from tests.helpers.final_run import write_final_run

SETTINGS = {
    "training": {"epochs": 2},
    "retrain": {"n_best": 1, "n_seeds": 3},
    "tuning": {"n_trials": 1},
    "models": {"vit": {"search": {"width": {"choices": [16]}, "depth": {"choices": [1]}, "heads": {"choices": [2]}}}},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = write_final_run(tmp_path_factory.mktemp("run"), "vit_mel_2class", SETTINGS)
    return RunPaths(folder)


def test_seeds_of_a_set_are_successive_ranks():
    sets = [{"rank": 1, "trial": 7, "params": {"lr": 0.1}}, {"rank": 2, "trial": 3, "params": {"lr": 0.2}}]
    found = repeat_for_seeds(sets, 2)
    assert [(entry["rank"], entry["trial"]) for entry in found] == [(1, 7), (2, 7), (3, 3), (4, 3)]
    assert repeat_for_seeds(sets, 1) == sets


def test_ranks_have_the_same_parameters_and_other_weights(run):
    for fold in (1, 2, 3):
        entries = read_json(run.fold(fold).best)
        assert [entry["rank"] for entry in entries] == [1, 2, 3]
        assert all({**entry, "rank": 1} == entries[0] for entry in entries)
        ranks = [run.fold(fold).rank(rank) for rank in (1, 2, 3)]
        assert len({rank.weights.read_bytes() for rank in ranks}) == 3
        described = [read_json(rank.model) for rank in ranks]
        assert all(one["parameters"] == described[0]["parameters"] for one in described)


def test_ensemble_is_the_mean_over_the_seeds(run):
    table = read_table(run.predictions, text=("member", "patient", "recording", "label", "predicted"))
    p = table.pivot(index="window", columns="member", values="p_seizure")
    assert list(p) == ["ensemble", "rank1", "rank2", "rank3"]
    mean = p[["rank1", "rank2", "rank3"]].to_numpy().mean(axis=1)
    np.testing.assert_allclose(p["ensemble"], mean, atol=1e-8)
    assert p["rank1"].std() > 0 and not np.allclose(p["rank1"], p["rank2"], atol=1e-3)


def test_each_seed_has_a_final_model(run):
    assert len(read_json(run.final.description)["models"]) == 3
    models = [run.final.model(number) for number in (1, 2, 3)]
    assert len({model.weights.read_bytes() for model in models}) == 3
    described = [read_json(model.model) for model in models]
    assert [entry["rank"] for entry in described[0]["chosen_in"]] == [1, 2, 3], "of the fold whose set is chosen"
    for name in ("chosen_in", "parameters", "epochs"):
        assert all(one[name] == described[0][name] for one in described)
