"""Tuning: it never sees the test fold, survives kills, prunes, and picks the best distinct sets."""

import shutil

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from eegwf.config.tuning import Model
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_json, read_table, write_array
from eegwf.tuning.journal import mend
from eegwf.tuning.proposals import draw
from eegwf.tuning.selection import best_sets
from eegwf.tuning.space import canonical
from tests.helpers.killing import kill_ten_times
from tests.helpers.study import tune_config, write_study
from tests.helpers.tuning import tune


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def undisturbed(study, tmp_path_factory):
    return tune(study, tmp_path_factory.mktemp("undisturbed"))


def test_the_table_has_a_row_per_trial_and_the_best_sets_come_from_it(study, tmp_path):
    tune(study, tmp_path)
    trials = read_table(tmp_path / "trials.tsv", text=("reason",))
    best = read_json(tmp_path / "best.json")
    assert list(trials["trial"]) == [0, 1, 2, 3]
    complete = trials[trials["state"] == "complete"].sort_values(["value", "trial"], ascending=[False, True])
    assert [entry["trial"] for entry in best] == list(complete["trial"][:2])
    assert [entry["rank"] for entry in best] == [1, 2]
    assert {entry["study"] for entry in best} == {"vit_mel_3class_fold1"}
    assert best[0]["params"]["width"] == 16


def test_nan_in_the_test_fold_changes_no_trial(study, tmp_path, undisturbed):
    poisoned = np.array(read_array(study / "mel.npy"))
    windows, folds = read_table(study / "windows.tsv"), read_table(study / "folds.tsv")
    inside = windows["patient"].isin(folds["patient"][folds["fold"] == 1])
    poisoned[windows["window"][inside]] = np.nan
    write_array(tmp_path / "mel.npy", poisoned)
    shutil.copy(study / "mel.json", tmp_path / "mel.json")
    assert tune(study, tmp_path, arrays=tmp_path / "mel.npy") == undisturbed
    # The same poison in a fold that tuning may see does change it.
    poisoned[~inside.to_numpy()] = np.nan
    write_array(tmp_path / "mel.npy", poisoned)
    with pytest.raises(InputError, match="trials failed"):
        tune(study, tmp_path, arrays=tmp_path / "mel.npy", code="other")


def test_killed_at_ten_random_instants_it_ends_in_the_same_bytes(study, tmp_path, undisturbed):
    files = (tmp_path / "trials.tsv", tmp_path / "best.json")
    arguments = (study, tmp_path)

    def ended():
        return b"".join(path.read_bytes() for path in files) == undisturbed

    kill_ten_times(tune, arguments, tmp_path / "state", ended, seed=0)
    assert tune(study, tmp_path) == undisturbed


def test_a_raised_budget_tops_the_study_up(study, tmp_path, undisturbed):
    few = tune_config()
    few["tuning"]["trials"] = 2
    tune(study, tmp_path, few)
    journal = next((tmp_path / "state").glob("*/journal.jsonl"))
    before = journal.read_bytes()
    assert tune(study, tmp_path) == undisturbed
    assert journal.read_bytes().startswith(before)
    assert len(list((tmp_path / "state").iterdir())) == 1


def test_a_lowered_budget_gives_what_a_fresh_study_would(study, tmp_path):
    few = tune_config()
    few["tuning"]["trials"] = 2
    (tmp_path / "fresh").mkdir()
    fresh = tune(study, tmp_path / "fresh", few)
    tune(study, tmp_path)
    assert tune(study, tmp_path, few) == fresh


@pytest.mark.parametrize("instant", ["reported", "pruned"])
def test_killed_while_a_trial_is_pruned_it_is_pruned_at_the_same_epoch(study, tmp_path, instant, monkeypatch):
    """The process dies after the report of the epoch that fails, before the study is told."""
    config = tune_config()
    config["training"] |= {"epochs": 8, "patience": 8}
    config["tuning"] |= {"trials": 8, "startup": 10, "pruning_warmup": 2}
    config["space"]["search"]["lr"] = {"low": 1e-6, "high": 1e-2, "log": True}
    (tmp_path / "whole").mkdir()
    whole = tune(study, tmp_path / "whole", config)
    assert b"pruned" in whole

    class Killed(BaseException):
        pass

    should_prune, set_attribute = optuna.Trial.should_prune, optuna.Trial.set_user_attr
    died = []

    def die_when_reported(trial):
        if should_prune(trial) and trial.number not in died and instant == "reported":
            died.append(trial.number)
            raise Killed
        return should_prune(trial)

    def die_when_noted(trial, key, value):
        set_attribute(trial, key, value)
        if key == "epochs" and value < 8 and trial.number not in died and instant == "pruned":
            died.append(trial.number)
            raise Killed

    monkeypatch.setattr(optuna.Trial, "should_prune", die_when_reported)
    monkeypatch.setattr(optuna.Trial, "set_user_attr", die_when_noted)
    for _ in range(20):
        try:
            again = tune(study, tmp_path, config)
            break
        except Killed:
            continue
    assert died and again == whole


def test_another_range_or_other_code_is_another_study(study, tmp_path):
    tune(study, tmp_path)
    changed = tune_config()
    changed["space"]["search"]["lr"]["high"] = 2e-2
    tune(study, tmp_path, changed)
    tune(study, tmp_path, code="edited")
    assert len(list((tmp_path / "state").iterdir())) == 3


def test_a_torn_last_line_is_cut_off(study, tmp_path, undisturbed):
    few = tune_config()
    few["tuning"]["trials"] = 2
    tune(study, tmp_path, few)
    journal = next((tmp_path / "state").glob("*/journal.jsonl"))
    with open(journal, "ab") as file:
        file.write(b'{"op_code": 4, "worker_')
    assert tune(study, tmp_path) == undisturbed
    assert mend(journal) == 0


def test_a_trial_that_diverges_is_recorded_and_replaced(study, tmp_path):
    config = tune_config(seed=5)
    config["space"]["search"] = {"lr": {"choices": [1e-3, 2e-3, 3e-3, 1e30]}}
    config["space"]["fixed"]["optimizer"] = "sgd"
    config["tuning"] |= {"trials": 3, "startup": 20}
    tune(study, tmp_path, config)
    trials = read_table(tmp_path / "trials.tsv", text=("reason",))
    failed = trials[trials["state"] == "fail"]
    assert len(failed) and all("Diverged" in reason for reason in failed["reason"])
    assert (failed["param_lr"] == 1e30).all()
    ended = trials[trials["state"].isin(["complete", "pruned"]) & (trials["reason"] == "")]
    assert len(ended) == 3


def test_a_space_with_too_few_distinct_sets_is_refused(study, tmp_path):
    config = tune_config()
    config["space"]["search"] = {"depth": {"choices": [1]}}
    with pytest.raises(InputError, match=r"gave 1 distinct sets .* retrain.top asks for 2; widen models.vit.search"):
        tune(study, tmp_path, config)


def test_pruning_stops_trials_early(study, tmp_path):
    config = tune_config()
    config["training"] |= {"epochs": 8, "patience": 8}
    config["tuning"] |= {"trials": 10, "startup": 10, "pruning_warmup": 1}
    config["space"]["search"]["lr"] = {"low": 1e-6, "high": 1e-2, "log": True}
    tune(study, tmp_path, config)
    trials = read_table(tmp_path / "trials.tsv", text=("reason",))
    pruned = trials[trials["state"] == "pruned"]
    assert len(pruned) and (pruned["epochs"] < 8).all()
    # Not before as many trials are complete as will be retrained.
    assert (trials["state"][:2] == "complete").all()


def test_each_inner_fold_has_its_value(study, tmp_path):
    config = tune_config()
    config["tuning"] |= {"inner_folds": 2, "pruning": "none"}
    tune(study, tmp_path, config)
    trials = read_table(tmp_path / "trials.tsv", text=("reason",))
    mean = trials[["value_inner1", "value_inner2"]].mean(axis=1)
    np.testing.assert_allclose(trials["value"], mean, rtol=1e-8)
    assert (trials["epochs"] == 6).all()


def test_best_sets_are_distinct_and_ties_go_to_the_earlier_trial():
    distribution = {"depth": optuna.distributions.IntDistribution(1, 9)}
    values = [(0.5, 1), (0.7, 2), (0.7, 3), (0.9, 2), (0.6, 4)]
    trials = []
    for number, (value, depth) in enumerate(values):
        trial = create_trial(value=value, params={"depth": depth}, distributions=distribution)
        trial.number = number
        trials.append(trial)
    trials.append(create_trial(state=TrialState.FAIL, params={"depth": 9}, distributions=distribution))
    chosen = best_sets(trials, {"width": 16}, 3)
    assert [(entry["rank"], entry["trial"], entry["params"]["depth"]) for entry in chosen] == [
        (1, 3, 2),
        (2, 2, 3),
        (3, 4, 4),
    ]


def test_drawing_twice_gives_the_same_set_and_leaves_the_study_alone():
    space = Model.model_validate(tune_config()["space"])
    study = optuna.create_study(direction="maximize")
    draws = [draw(study.trials, optuna.samplers.TPESampler(seed=5), space) for _ in range(2)]
    assert canonical(draws[0]) == canonical(draws[1])
    assert study.trials == []
