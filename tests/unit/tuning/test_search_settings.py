"""Budgets, starting sets, samplers, pruners and failures of a study."""

import json

import numpy as np
import optuna
import pytest
import torch
from optuna.trial import TrialState, create_trial

from eegwf.config.training import Training
from eegwf.config.tuning import Model, Tuning
from eegwf.errors import InputError
from eegwf.storage.files import read_json, read_table
from eegwf.training.cost_record import LEDGER, read_ledger, spending
from eegwf.tuning.budget import BEFORE, Budget, Spent, mostly_failed
from eegwf.tuning.journal import open_study
from eegwf.tuning.proposals import starting_set
from eegwf.tuning.pruning import worse_than_best
from tests.helpers.study import tune_config, write_study
from tests.helpers.tuning import tune, work


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


def trials_of(folder):
    return read_table(folder / "trials.tsv", text=("reason",))


def make(folder, name):
    (folder / name).mkdir()
    return folder / name


@pytest.mark.parametrize(
    ("spent", "is_open"),
    [
        (Spent(3, 30, 90.0, 3), True),
        (Spent(4, 30, 90.0, 3), False),
        (Spent(3, 40, 90.0, 3), False),
        (Spent(3, 30, 120.0, 3), False),
        (Spent(9, 90, 900.0, 1), True),  # too few complete to retrain the best two
    ],
)
def test_the_first_limit_ends_a_study_but_not_before_enough_are_complete(spent, is_open):
    assert Budget(top=2, trials=4, epochs=40, minutes=2.0).open(spent) is is_open


def test_a_budget_in_epochs_is_topped_up_and_cut_back_as_a_fresh_study_would_be(study, tmp_path):
    config = tune_config()
    config["tuning"] |= {"trials": None, "epochs": 10}
    fresh = tune(study, make(tmp_path, "fresh"), config)
    assert len(trials_of(tmp_path / "fresh")) == 4  # of three epochs each: the fourth begins after 9
    more = json.loads(json.dumps(config))
    more["tuning"]["epochs"] = 20
    topped = make(tmp_path, "topped")
    tune(study, topped, config)
    after = tune(study, topped, more)
    assert after == tune(study, make(tmp_path, "whole"), more)
    epochs = trials_of(topped)["epochs"]
    assert epochs[:-1].sum() < 20 <= epochs.sum()
    assert tune(study, topped, config) == fresh


def test_a_budget_in_minutes_ends_a_study(study, tmp_path):
    config = tune_config()
    config["tuning"] |= {"trials": None, "minutes": 1e-6}
    tune(study, tmp_path, config)
    assert len(trials_of(tmp_path)) == 2  # the two that are retrained


def test_trials_that_began_within_the_budget_are_kept():
    trials = [create_trial(value=0.5, user_attrs={BEFORE: [number, 3 * number, 0.0, 9]}) for number in range(6)]
    assert len(Budget(top=2, trials=4).within(trials)) == 4
    assert len(Budget(top=2, epochs=7).within(trials)) == 3


def test_starting_sets_come_first_and_what_they_leave_out_is_drawn(study, tmp_path):
    config = tune_config()
    config["space"]["start"] = ["defaults", {"depth": 2, "lr": 4e-3}]
    tune(study, tmp_path, config)
    trials = trials_of(tmp_path)
    signature = {"lr": Training().lr, "dropout": 0.1, "depth": 2}  # of the ViT's constructor
    assert {name: trials[f"param_{name}"][0] for name in signature} == signature
    assert (trials["param_depth"][1], trials["param_lr"][1]) == (2, 4e-3)
    assert 0 <= trials["param_dropout"][1] <= 0.3 and trials["param_lr"][2] not in (1e-3, 4e-3)


def test_defaults_outside_the_space_are_left_out():
    space = Model(search={"depth": {"low": 5, "high": 9}, "dropout": {"low": 0, "high": 0.5}}, start=["defaults"])
    assert "depth" not in starting_set("vit", space, Training(), 0) and "dropout" in starting_set(
        "vit", space, Training(), 0
    )
    assert starting_set("vit", space, Training(), 1) == {}


@pytest.mark.parametrize("sampler", ["random", "gp", "tpe"])
def test_every_sampler_gives_the_same_study_twice(study, tmp_path, sampler):
    config = tune_config()
    config["tuning"] |= {"sampler": sampler}
    once, twice = (tune(study, make(tmp_path, name), config) for name in ("once", "twice"))
    assert once == twice and len(trials_of(tmp_path / "once")) == 4


def test_samplers_differ_once_they_have_trials_to_look_at(study, tmp_path):
    parameters = {}
    for sampler in ("random", "gp", "tpe"):
        config = tune_config()
        config["tuning"] |= {"sampler": sampler}
        tune(study, make(tmp_path, sampler), config)
        parameters[sampler] = trials_of(tmp_path / sampler)["param_lr"].tolist()
    assert len({tuple(values[2:]) for values in parameters.values()}) == 3


def test_hyperband_stops_trials_at_its_rungs(study, tmp_path):
    config = tune_config()
    config["training"] |= {"epochs": 9, "patience": 9}
    config["tuning"] |= {"trials": 12, "pruning": "hyperband", "pruning_warmup": 0}
    config["space"]["search"]["lr"] = {"low": 1e-6, "high": 1e-2, "log": True}
    tune(study, tmp_path, config)
    trials = trials_of(tmp_path)
    pruned = trials[trials["state"] == "pruned"]
    assert len(pruned) and set(pruned["epochs"]) <= {2, 4}  # those after the rungs of 1 and 3 epochs
    assert (trials["epochs"][trials["state"] == "complete"] == 9).all()


def best_of(values):
    study = optuna.create_study(direction="maximize")
    study.add_trial(create_trial(value=float(np.mean(values)), user_attrs={"values": values}))
    return study


def test_wilcoxon_stops_a_trial_that_loses_every_fold_and_no_other():
    study = best_of([0.8, 0.7, 0.75, 0.9, 0.85])
    worse = [0.6, 0.5, 0.65, 0.8]
    assert worse_than_best(study, worse, 0.1)
    assert not worse_than_best(study, worse[:3], 0.1), "three folds can't be significant at .1"
    assert not worse_than_best(study, [0.9, 0.5, 0.8, 0.95], 0.1)
    assert not worse_than_best(study, worse, 0.0)
    assert not worse_than_best(optuna.create_study(direction="maximize"), worse, 0.1)


def test_wilcoxon_saves_inner_folds(tmp_path):
    study = write_study(tmp_path, n_patients=10, per_label=4)
    table = read_table(study / "folds.tsv", text=("patient",))
    table["fold"] = [number % 5 + 1 for number in range(10)]
    table.to_csv(study / "folds.tsv", sep="\t", index=False)
    config = tune_config()
    config["tuning"] |= {"inner_folds": 4, "pruning": "none", "trials": 5, "pruning_folds": 0.5}
    config["space"]["search"]["lr"] = {"low": 1e-7, "high": 1e-2, "log": True}
    tune(study, tmp_path, config)
    trials = trials_of(tmp_path)
    pruned = trials[trials["state"] == "pruned"]
    assert len(pruned) and (pruned["epochs"] < 12).all() and pruned["value_inner2"].notna().all()


def test_a_study_of_failures_ends_with_the_last_reason(study, tmp_path):
    config = tune_config()
    config["space"]["search"] = {"heads": {"choices": [3, 5, 6, 7, 9, 11]}}  # none divides the width
    del config["space"]["fixed"]["heads"]
    with pytest.raises(InputError, match=r"5 of 5 trials failed, the last one: ValueError: .*heads"):
        work(study, tmp_path, config)


def test_a_few_failures_are_bad_luck():
    fail, good = create_trial(state=TrialState.FAIL), create_trial(value=0.5)
    assert not mostly_failed([fail] * 4)
    assert mostly_failed([fail] * 5) and not mostly_failed([fail] * 5 + [good] * 5)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 8.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_a_trial_without_memory_is_recorded_and_replaced(study, tmp_path, monkeypatch, error):
    import eegwf.tuning.trial as module

    calls, train = [], module.train

    def short_of_memory(*arguments, **named):
        calls.append(1)
        if len(calls) == 2:
            raise error
        return train(*arguments, **named)

    monkeypatch.setattr(module, "train", short_of_memory)
    config = tune_config()
    config["tuning"]["pruning"] = "none"
    tune(study, tmp_path, config)
    trials = trials_of(tmp_path)
    assert trials["state"].tolist() == ["complete", "fail", "complete", "complete", "complete"]
    assert trials["reason"][1].startswith(type(error).__name__)


def test_other_errors_are_ours_and_end_the_job(study, tmp_path, monkeypatch):
    import eegwf.tuning.trial as module

    def broken(*_arguments, **_named):
        raise RuntimeError("device-side assert triggered")

    monkeypatch.setattr(module, "train", broken)
    with pytest.raises(RuntimeError, match="device-side"):
        work(study, tmp_path)


def test_the_ledger_keeps_what_was_spent_through_a_torn_line(tmp_path):
    with spending(tmp_path, 0, 100, "cpu", lambda history: None) as epoch_done:
        epoch_done([])
        epoch_done([])
    with open(tmp_path / LEDGER, "a") as file:
        file.write('\n{"what": 1, "seconds": 3.')  # a process dies
    with pytest.raises(ZeroDivisionError), spending(tmp_path, 1, 50, "cpu", lambda history: None) as epoch_done:
        epoch_done([])
        raise ZeroDivisionError
    table = read_ledger(tmp_path)
    assert table[["what", "epochs", "windows"]].to_numpy().tolist() == [[0, 2, 200], [1, 1, 50]]


def test_timing_has_a_row_for_each_trial_and_the_epochs_of_the_table(study, tmp_path):
    tune(study, tmp_path)
    timing, trials = read_table(tmp_path / "timing.tsv"), trials_of(tmp_path)
    assert timing.columns.tolist() == ["trial", "seconds", "epochs", "windows", "windows_per_second", "device"]
    assert timing["trial"].tolist() == trials["trial"].tolist() and (timing["epochs"] == trials["epochs"]).all()
    assert (timing["seconds"] > 0).all() and (timing["device"] == "cpu").all()


def test_a_journal_is_a_plain_study_of_optuna(study, tmp_path):
    """Opened as Optuna's users and its dashboard open it, by another lock and without our code."""
    tune(study, tmp_path)
    path = tmp_path / "state" / read_json(tmp_path / "worker1.json")["state"] / "journal.jsonl"
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    plain = optuna.load_study(study_name=None, storage=storage)
    best = read_json(tmp_path / "best.json")[0]
    assert plain.best_trial.number == best["trial"] and plain.best_value == best["value"]
    assert len(open_study(path.parent, plain.study_name).trials) == len(plain.trials) == 4


def test_tuning_has_an_end_by_default():
    assert Tuning().trials == 8
