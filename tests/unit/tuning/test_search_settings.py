"""Budgets, starting sets, samplers, pruners, failures and costs of an Optuna study."""

import json

import numpy as np
import optuna
import pytest
import torch
from optuna.trial import TrialState, create_trial

from eegwf.config.training import Training
from eegwf.config.tuning import Budget, Model, Tuning
from eegwf.errors import InputError
from eegwf.storage.files import read_json, read_table
from eegwf.training.cost_record import COST_FILE, read_costs, record_cost, seconds_per_unit
from eegwf.tuning.budget import USAGE_AT_START, BudgetUsage, TrialBudget, mostly_failed
from eegwf.tuning.journal import open_study
from eegwf.tuning.proposals import starting_set
from eegwf.tuning.pruning import worse_than_best
from tests.helpers.study import tune_config, write_study
from tests.helpers.tuning import run_study, run_worker


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


def trials_of(folder):
    return read_table(folder / "trials.tsv", text=("reason",))


def make(folder, name):
    (folder / name).mkdir()
    return folder / name


@pytest.mark.parametrize(
    ("usage", "allowed"),
    [
        (BudgetUsage(3, 30, 90.0, 3), True),
        (BudgetUsage(4, 30, 90.0, 3), False),
        (BudgetUsage(3, 40, 90.0, 3), False),
        (BudgetUsage(3, 30, 120.0, 3), False),
        (BudgetUsage(9, 90, 900.0, 1), True),  # fewer complete trials than are retrained
    ],
)
def test_first_limit_ends_a_study_once_enough_trials_are_complete(usage, allowed):
    budget = TrialBudget(2, Budget(n_trials=4, n_epochs=40, timeout_minutes=2.0))
    assert budget.allows_trial(usage) is allowed


@pytest.mark.slow
def test_changed_budget_in_epochs_gives_the_files_of_a_new_study(study, tmp_path):
    config = tune_config()
    config["tuning"] |= {"n_trials": None, "n_epochs": 10}
    new = run_study(study, make(tmp_path, "new"), config)
    assert len(trials_of(tmp_path / "new")) == 4  # three epochs each: the fourth trial starts after 9 epochs
    more = json.loads(json.dumps(config))
    more["tuning"]["n_epochs"] = 20
    continued = make(tmp_path, "continued")
    run_study(study, continued, config)
    after = run_study(study, continued, more)
    assert after == run_study(study, make(tmp_path, "larger"), more)
    epochs = trials_of(continued)["epochs"]
    assert epochs[:-1].sum() < 20 <= epochs.sum()
    assert run_study(study, continued, config) == new


def test_timeout_ends_a_study(study, tmp_path):
    config = tune_config()
    config["tuning"] |= {"n_trials": None, "timeout_minutes": 1e-6}
    run_study(study, tmp_path, config)
    assert len(trials_of(tmp_path)) == 2  # the minimum number of complete trials


def test_trials_that_started_within_the_budget_are_kept():
    trials = [create_trial(value=0.5, user_attrs={USAGE_AT_START: [number, 3 * number, 0.0, 9]}) for number in range(6)]
    assert len(TrialBudget(2, Budget(n_trials=4)).within(trials)) == 4
    assert len(TrialBudget(2, Budget(n_trials=None, n_epochs=7)).within(trials)) == 3


def test_starting_sets_are_first_and_their_missing_parameters_are_drawn(study, tmp_path):
    config = tune_config()
    config["space"]["start"] = ["defaults", {"depth": 2, "lr": 4e-3}]
    run_study(study, tmp_path, config)
    trials = trials_of(tmp_path)
    defaults = {"lr": Training().lr, "dropout": 0.1, "depth": 2}  # of the settings and of the ViT's constructor
    assert {name: trials[f"param_{name}"][0] for name in defaults} == defaults
    assert (trials["param_depth"][1], trials["param_lr"][1]) == (2, 4e-3)
    assert 0 <= trials["param_dropout"][1] <= 0.3 and trials["param_lr"][2] not in (1e-3, 4e-3)


def test_defaults_outside_the_search_space_are_omitted():
    space = Model(search={"depth": {"low": 5, "high": 9}, "dropout": {"low": 0, "high": 0.5}}, start=["defaults"])
    first = starting_set("vit", space, Training(), 0)
    assert "depth" not in first and "dropout" in first
    assert starting_set("vit", space, Training(), 1) == {}


@pytest.mark.parametrize("sampler", ["random", "gp", "tpe"])
def test_each_sampler_is_reproducible(study, tmp_path, sampler):
    config = tune_config()
    config["tuning"] |= {"sampler": sampler}
    first, second = (run_study(study, make(tmp_path, name), config) for name in ("first", "second"))
    assert first == second and len(trials_of(tmp_path / "first")) == 4


def test_samplers_differ_after_the_startup_trials(study, tmp_path):
    parameters = {}
    for sampler in ("random", "gp", "tpe"):
        config = tune_config()
        config["tuning"] |= {"sampler": sampler}
        run_study(study, make(tmp_path, sampler), config)
        parameters[sampler] = trials_of(tmp_path / sampler)["param_lr"].tolist()
    assert len({tuple(values[2:]) for values in parameters.values()}) == 3


@pytest.mark.slow
def test_hyperband_prunes_trials_at_its_rungs(study, tmp_path):
    config = tune_config()
    config["training"] |= {"epochs": 9, "patience": 9}
    config["tuning"] |= {"n_trials": 12, "pruner": "hyperband", "pruner_n_warmup_epochs": 0}
    config["space"]["search"]["lr"] = {"low": 1e-6, "high": 1e-2, "log": True}
    run_study(study, tmp_path, config)
    trials = trials_of(tmp_path)
    pruned = trials[trials["state"] == "pruned"]
    assert len(pruned) and set(pruned["epochs"]) <= {2, 4}  # the epochs after the rungs at 1 and 3 epochs
    assert (trials["epochs"][trials["state"] == "complete"] == 9).all()


def study_with_best(values):
    study = optuna.create_study(direction="maximize")
    study.add_trial(create_trial(value=float(np.mean(values)), user_attrs={"values": values}))
    return study


def test_wilcoxon_prunes_a_trial_that_is_worse_in_all_folds_only():
    study = study_with_best([0.8, 0.7, 0.75, 0.9, 0.85])
    worse = [0.6, 0.5, 0.65, 0.8]
    assert worse_than_best(study, worse, 0.1)
    assert not worse_than_best(study, worse[:3], 0.1), "the smallest p value of three folds is 0.125"
    assert not worse_than_best(study, [0.9, 0.5, 0.8, 0.95], 0.1)
    assert not worse_than_best(study, worse, 0.0)
    assert not worse_than_best(optuna.create_study(direction="maximize"), worse, 0.1)


@pytest.mark.slow
def test_wilcoxon_prunes_after_the_first_inner_folds(tmp_path):
    study = write_study(tmp_path, n_patients=10, per_label=4)
    table = read_table(study / "folds.tsv", text=("patient",))
    table["fold"] = [number % 5 + 1 for number in range(10)]
    table.to_csv(study / "folds.tsv", sep="\t", index=False)
    config = tune_config()
    config["tuning"] |= {"inner_folds": 4, "pruner": "none", "n_trials": 5, "wilcoxon_p_threshold": 0.5}
    config["space"]["search"]["lr"] = {"low": 1e-7, "high": 1e-2, "log": True}
    run_study(study, tmp_path, config)
    trials = trials_of(tmp_path)
    pruned = trials[trials["state"] == "pruned"]
    assert len(pruned) and (pruned["epochs"] < 12).all() and pruned["value_inner2"].notna().all()


def test_study_whose_trials_fail_ends_with_the_last_reason(study, tmp_path):
    config = tune_config()
    config["space"]["search"] = {"heads": {"choices": [3, 5, 6, 7, 9, 11]}}  # no divisor of the width
    del config["space"]["fixed"]["heads"]
    with pytest.raises(InputError, match=r"5 of 5 trials failed, the last one: ValueError: .*heads"):
        run_worker(study, tmp_path, config)


def test_few_failures_do_not_end_a_study():
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
def test_trial_without_enough_memory_is_recorded_and_replaced(study, tmp_path, monkeypatch, error):
    import eegwf.tuning.trial as module

    calls, train = [], module.train

    def fail_second_call(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise error
        return train(*arguments, **options)

    monkeypatch.setattr(module, "train", fail_second_call)
    config = tune_config()
    config["tuning"]["pruner"] = "none"
    run_study(study, tmp_path, config)
    trials = trials_of(tmp_path)
    assert trials["state"].tolist() == ["complete", "fail", "complete", "complete", "complete"]
    assert trials["reason"][1].startswith(type(error).__name__)


def test_other_errors_end_the_job(study, tmp_path, monkeypatch):
    import eegwf.tuning.trial as module

    def fail(*_arguments, **_options):
        raise RuntimeError("device-side assert triggered")

    monkeypatch.setattr(module, "train", fail)
    with pytest.raises(RuntimeError, match="device-side"):
        run_worker(study, tmp_path)


def test_costs_are_read_despite_a_partial_line(tmp_path):
    with record_cost(tmp_path, 0, 100, "cpu", lambda history: None) as on_trained_epoch:
        on_trained_epoch([])
        on_trained_epoch([])
    with open(tmp_path / COST_FILE, "a") as file:
        file.write('\n{"unit": 1, "seconds": 3.')  # as of a killed process
    with (
        pytest.raises(ZeroDivisionError),
        record_cost(tmp_path, 1, 50, "cpu", lambda history: None) as on_trained_epoch,
    ):
        on_trained_epoch([])
        raise ZeroDivisionError
    table = read_costs(tmp_path)
    assert table[["unit", "epochs", "windows"]].to_numpy().tolist() == [[0, 2, 200], [1, 1, 50]]


def test_seconds_are_summed_over_devices(tmp_path):
    assert seconds_per_unit(read_costs(tmp_path)) == {}
    records = [(0, 1.5, "cpu"), (2, 4.0, "cpu"), (0, 2.0, "GPU")]
    lines = [
        json.dumps({"unit": unit, "seconds": seconds, "epochs": 1, "windows": 10, "device": device})
        for unit, seconds, device in records
    ]
    (tmp_path / COST_FILE).write_text("\n".join(lines))
    assert seconds_per_unit(read_costs(tmp_path)) == {0: 3.5, 2: 4.0}


def test_timing_has_a_row_for_each_trial_with_its_epochs(study, tmp_path):
    run_study(study, tmp_path)
    timing, trials = read_table(tmp_path / "timing.tsv"), trials_of(tmp_path)
    assert timing.columns.tolist() == ["trial", "seconds", "epochs", "windows", "windows_per_second", "device"]
    assert timing["trial"].tolist() == trials["trial"].tolist() and (timing["epochs"] == trials["epochs"]).all()
    assert (timing["seconds"] > 0).all() and (timing["device"] == "cpu").all()


def test_optuna_reads_the_journal(study, tmp_path):
    """The journal is loaded with Optuna's lock, as its dashboard loads it."""
    run_study(study, tmp_path)
    path = tmp_path / "state" / read_json(tmp_path / "worker1.json")["state"] / "journal.jsonl"
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    loaded = optuna.load_study(study_name=None, storage=storage)
    best = read_json(tmp_path / "best.json")[0]
    assert loaded.best_trial.number == best["trial"] and loaded.best_value == best["value"]
    assert len(open_study(path.parent, loaded.study_name).trials) == len(loaded.trials) == 4


def test_default_budget_is_eight_trials():
    assert Tuning().n_trials == 8
