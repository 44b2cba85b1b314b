"""Search: independence of the test fold, resumption, budget, pruning, and selection of the best parameter sets."""

import shutil

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from eegwf.config.tuning import Model
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_json, read_table, write_array
from eegwf.tuning.journal import truncate_partial_line
from eegwf.tuning.proposals import draw
from eegwf.tuning.selection import best_sets
from eegwf.tuning.space import canonical
from tests.helpers.killing import kill_ten_times
from tests.helpers.study import tune_config, write_study
from tests.helpers.tuning import run_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def uninterrupted(study, tmp_path_factory):
    return run_study(study, tmp_path_factory.mktemp("uninterrupted"))


def test_best_sets_are_those_of_the_table_of_trials(study, tmp_path):
    run_study(study, tmp_path)
    trials = read_table(tmp_path / "trials.tsv", text=("reason",))
    best = read_json(tmp_path / "best.json")
    assert list(trials["trial"]) == [0, 1, 2, 3]
    complete = trials[trials["state"] == "complete"].sort_values(["value", "trial"], ascending=[False, True])
    assert [entry["trial"] for entry in best] == list(complete["trial"][:2])
    assert [entry["rank"] for entry in best] == [1, 2]
    assert {entry["study"] for entry in best} == {"vit_mel_3class_fold1"}
    assert best[0]["params"]["width"] == 16


def test_nan_in_the_test_fold_changes_no_trial(study, tmp_path, uninterrupted):
    poisoned = np.array(read_array(study / "mel.npy"))
    windows, folds = read_table(study / "windows.tsv"), read_table(study / "folds.tsv")
    in_test_fold = windows["patient"].isin(folds["patient"][folds["fold"] == 1])
    poisoned[windows["window"][in_test_fold]] = np.nan
    write_array(tmp_path / "mel.npy", poisoned)
    shutil.copy(study / "mel.json", tmp_path / "mel.json")
    assert run_study(study, tmp_path, arrays=tmp_path / "mel.npy") == uninterrupted
    # NaN in the folds that tuning uses does change the trials.
    poisoned[~in_test_fold.to_numpy()] = np.nan
    write_array(tmp_path / "mel.npy", poisoned)
    with pytest.raises(InputError, match="trials failed"):
        run_study(study, tmp_path, arrays=tmp_path / "mel.npy", code="other")


def test_tuned_normalizations_read_no_window_of_the_test_fold(study, tmp_path):
    config = tune_config()
    config["space"]["search"] |= {
        "normalization": {"choices": ["recording", "recording_causal", "level"]},
        "input_clip": {"low": 2.0, "high": 8.0},
    }
    kinds = [{"normalization": kind} for kind in ("recording", "recording_causal", "level")]
    config["space"]["start"] = ["defaults", *kinds]
    whole = run_study(study, tmp_path / "whole", config)
    trials = read_table(tmp_path / "whole/trials.tsv", text=("reason", "normalization"))
    assert trials["state"].isin(["complete", "pruned"]).all()
    poisoned = np.array(read_array(study / "mel.npy"))
    windows, folds = read_table(study / "windows.tsv"), read_table(study / "folds.tsv")
    tested = windows["patient"].isin(folds["patient"][folds["fold"] == 1])
    poisoned[windows["window"][tested]] = np.nan
    write_array(tmp_path / "mel.npy", poisoned)
    shutil.copy(study / "mel.json", tmp_path / "mel.json")
    assert run_study(study, tmp_path / "poisoned", config, arrays=tmp_path / "mel.npy") == whole


@pytest.mark.kill
def test_search_killed_ten_times_gives_the_same_files(study, tmp_path, uninterrupted):
    files = (tmp_path / "trials.tsv", tmp_path / "best.json")
    config = tune_config()
    config["tuning"]["max_killed_workers"] = None  # the first kills are all in the first epoch
    arguments = (study, tmp_path, config)

    def outputs_equal():
        return b"".join(path.read_bytes() for path in files) == uninterrupted

    kill_ten_times(run_study, arguments, tmp_path / "state", outputs_equal, seed=0)
    assert run_study(study, tmp_path, config) == uninterrupted


def test_larger_budget_continues_the_study(study, tmp_path, uninterrupted):
    few = tune_config()
    few["tuning"]["n_trials"] = 2
    run_study(study, tmp_path, few)
    journal = next((tmp_path / "state").glob("*/journal.jsonl"))
    before = journal.read_bytes()
    assert run_study(study, tmp_path) == uninterrupted
    assert journal.read_bytes().startswith(before)
    assert len(list((tmp_path / "state").iterdir())) == 1


def test_smaller_budget_gives_the_files_of_a_new_study(study, tmp_path):
    few = tune_config()
    few["tuning"]["n_trials"] = 2
    (tmp_path / "new").mkdir()
    new = run_study(study, tmp_path / "new", few)
    run_study(study, tmp_path)
    assert run_study(study, tmp_path, few) == new


@pytest.mark.kill
@pytest.mark.parametrize("pruner", ["median", "asha", "hyperband"])
@pytest.mark.parametrize("instant", ["reported", "pruned"])
def test_trial_killed_while_it_is_pruned_is_pruned_at_the_same_epoch(study, tmp_path, instant, pruner, monkeypatch):
    """The process is killed after the last epoch is reported, and before the trial is set to pruned."""
    config = tune_config()
    config["training"] |= {"epochs": 8, "patience": 8}
    config["tuning"] |= {"n_trials": 8, "n_startup_trials": 10, "pruner": pruner, "pruner_n_warmup_epochs": 2}
    config["space"]["search"]["lr"] = {"low": 1e-6, "high": 1e-2, "log": True}
    (tmp_path / "whole").mkdir()
    whole = run_study(study, tmp_path / "whole", config)
    assert b"pruned" in whole

    class Killed(BaseException):
        pass

    should_prune, set_attribute = optuna.Trial.should_prune, optuna.Trial.set_user_attr
    killed = []

    def kill_after_report(trial):
        if should_prune(trial) and trial.number not in killed and instant == "reported":
            killed.append(trial.number)
            raise Killed
        return should_prune(trial)

    def kill_after_attribute(trial, key, value):
        set_attribute(trial, key, value)
        if key == "epochs" and value < 8 and trial.number not in killed and instant == "pruned":
            killed.append(trial.number)
            raise Killed

    monkeypatch.setattr(optuna.Trial, "should_prune", kill_after_report)
    monkeypatch.setattr(optuna.Trial, "set_user_attr", kill_after_attribute)
    for _ in range(20):
        try:
            resumed = run_study(study, tmp_path, config)
            break
        except Killed:
            continue
    assert killed and resumed == whole


def test_other_range_or_code_starts_another_study(study, tmp_path):
    run_study(study, tmp_path)
    changed = tune_config()
    changed["space"]["search"]["lr"]["high"] = 2e-2
    run_study(study, tmp_path, changed)
    run_study(study, tmp_path, code="edited")
    assert len(list((tmp_path / "state").iterdir())) == 3


def test_partial_last_line_of_the_journal_is_truncated(study, tmp_path, uninterrupted):
    few = tune_config()
    few["tuning"]["n_trials"] = 2
    run_study(study, tmp_path, few)
    journal = next((tmp_path / "state").glob("*/journal.jsonl"))
    with open(journal, "ab") as file:
        file.write(b'{"op_code": 4, "worker_')
    assert run_study(study, tmp_path) == uninterrupted
    assert truncate_partial_line(journal) == 0


def test_diverging_trial_is_recorded_and_replaced(study, tmp_path):
    config = tune_config(seed=5)
    config["space"]["search"] = {"lr": {"choices": [1e-3, 2e-3, 3e-3, 1e30]}}
    config["space"]["fixed"]["optimizer"] = "sgd"
    config["tuning"] |= {"n_trials": 3, "n_startup_trials": 20}
    run_study(study, tmp_path, config)
    trials = read_table(tmp_path / "trials.tsv", text=("reason",))
    failed = trials[trials["state"] == "fail"]
    assert len(failed) and all("Diverged" in reason for reason in failed["reason"])
    assert (failed["param_lr"] == 1e30).all()
    counted = trials[trials["state"].isin(["complete", "pruned"]) & (trials["reason"] == "")]
    assert len(counted) == 3


def test_space_with_too_few_distinct_sets_raises_input_error(study, tmp_path):
    config = tune_config()
    config["space"]["search"] = {"depth": {"choices": [1]}}
    with pytest.raises(InputError, match=r"1 distinct parameter sets .* retrain.n_best is 2; widen models.vit.search"):
        run_study(study, tmp_path, config)


def test_pruned_trials_have_fewer_epochs(study, tmp_path):
    config = tune_config()
    config["training"] |= {"epochs": 8, "patience": 8}
    config["tuning"] |= {"n_trials": 10, "n_startup_trials": 10, "pruner_n_warmup_epochs": 1}
    config["space"]["search"]["lr"] = {"low": 1e-6, "high": 1e-2, "log": True}
    run_study(study, tmp_path, config)
    trials = read_table(tmp_path / "trials.tsv", text=("reason",))
    pruned = trials[trials["state"] == "pruned"]
    assert len(pruned) and (pruned["epochs"] < 8).all()
    # The first trials are not pruned: as many as are retrained must be complete.
    assert (trials["state"][:2] == "complete").all()


def test_value_of_a_trial_is_the_mean_of_its_inner_folds(study, tmp_path):
    config = tune_config()
    config["tuning"] |= {"inner_folds": 2, "pruner": "none"}
    run_study(study, tmp_path, config)
    trials = read_table(tmp_path / "trials.tsv", text=("reason",))
    mean = trials[["value_inner1", "value_inner2"]].mean(axis=1)
    np.testing.assert_allclose(trials["value"], mean, rtol=1e-8)
    assert (trials["epochs"] == 6).all()


def test_best_sets_are_distinct_and_the_earlier_trial_is_first_on_a_tie():
    distribution = {"depth": optuna.distributions.IntDistribution(1, 9)}
    values = [(0.5, 1), (0.7, 2), (0.7, 3), (0.9, 2), (0.6, 4)]
    trials = []
    for number, (value, depth) in enumerate(values):
        trial = create_trial(value=value, params={"depth": depth}, distributions=distribution)
        trial.number = number
        trials.append(trial)
    trials.append(create_trial(state=TrialState.FAIL, params={"depth": 9}, distributions=distribution))
    best = best_sets(trials, {"width": 16}, 3)
    assert [(entry["rank"], entry["trial"], entry["params"]["depth"]) for entry in best] == [
        (1, 3, 2),
        (2, 2, 3),
        (3, 4, 4),
    ]


def test_draw_is_reproducible_and_does_not_change_the_study():
    space = Model.model_validate(tune_config()["space"])
    study = optuna.create_study(direction="maximize")
    draws = [draw(study.trials, optuna.samplers.TPESampler(seed=5), space) for _ in range(2)]
    assert canonical(draws[0]) == canonical(draws[1])
    assert study.trials == []
