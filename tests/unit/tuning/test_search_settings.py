"""Budgets, starting sets, samplers and costs of an Optuna study."""

import json

import optuna
import pytest
from optuna.trial import create_trial

from eegwf.config.training import Training
from eegwf.config.tuning import Budget, Model, Tuning
from eegwf.storage.files import read_json, read_table
from eegwf.training.cost_record import COST_FILE, read_costs, record_cost, seconds_per_unit
from eegwf.tuning.budget import USAGE_AT_START, BudgetUsage, TrialBudget
from eegwf.tuning.journal import open_study
from eegwf.tuning.proposals import starting_set
from tests.helpers.study import tune_config, write_study
from tests.helpers.tuning import run_study


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
    columns = ["trial", "seconds", "epochs", "windows", "windows_per_second", "device"]
    assert timing.columns.tolist() == [*columns, "cpu_joules", "gpu_joules", "gpu_processes"]
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
