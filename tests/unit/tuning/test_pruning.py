"""Pruning of trials by epoch and by inner fold."""

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from eegwf.config.training import Training
from eegwf.config.tuning import TrialSettings
from eegwf.storage.files import read_table
from eegwf.tuning.pruning import epoch_pruner, n_unpruned_epochs, worse_than_best
from tests.helpers.study import tune_config, write_study
from tests.helpers.tuning import run_study

EPOCHS = 4
COMPLETE = [[0.5, 0.6, 0.6, 0.6], [0.5, 0.7, 0.7, 0.7], [0.5, 0.7, 0.8, 0.8]]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


def trials_of(folder):
    return read_table(folder / "trials.tsv", text=("reason",))


def median_prunes(values, others, pruned=(), n_startup=3, inner_folds=2):
    """Whether the median pruner stops a trial with these values, one per epoch, after its last one."""
    study = optuna.create_study(direction="maximize")
    for curve, state in [(c, TrialState.COMPLETE) for c in others] + [(c, TrialState.PRUNED) for c in pruned]:
        steps = dict(enumerate(curve)) if isinstance(curve, list) else curve
        study.add_trial(create_trial(state=state, value=max(steps.values()), intermediate_values=steps))
    settings = TrialSettings(
        pruner="median", pruner_n_startup_trials=n_startup, pruner_n_warmup_epochs=0, inner_folds=inner_folds
    )
    trial = create_trial(state=TrialState.RUNNING, intermediate_values=dict(enumerate(values)))
    trial.number = len(study.trials)
    return epoch_pruner(settings, EPOCHS).prune(study, trial)


def test_trial_below_the_median_at_its_epoch_is_pruned():
    assert median_prunes([0.5, 0.69], COMPLETE)
    assert not median_prunes([0.5, 0.7], COMPLETE)
    assert not median_prunes([0.5, 0.5], COMPLETE, n_startup=4)


def test_high_value_of_the_first_inner_fold_does_not_prevent_pruning_in_the_second():
    others = [[*curve, 0.70, 0.72, 0.74, 0.76] for curve in COMPLETE]
    good_then_bad = [0.6, 0.8, 0.9, 0.9, 0.60, 0.65]
    assert median_prunes(good_then_bad, others)
    assert not median_prunes([0.6, 0.8, 0.9, 0.9, 0.70, 0.73], others)


def test_first_inner_fold_of_the_others_is_not_compared_with_the_second():
    stopped_early = {0: 0.9, 1: 0.9, EPOCHS: 0.6, EPOCHS + 1: 0.62}
    assert not median_prunes([0.9, 0.9, 0.9, 0.9, 0.6, 0.62], [stopped_early] * 3)
    assert median_prunes([0.9, 0.9, 0.9, 0.9, 0.6, 0.61], [stopped_early] * 3)
    only_first_fold = [[0.9, 0.9]] * 5
    assert not median_prunes([0.9, 0.9, 0.9, 0.9, 0.6], [stopped_early] * 3, only_first_fold)


def test_pruned_and_early_stopped_trials_are_compared_at_later_epochs():
    better = [[0.5, 0.7, 0.8, 0.8]] * 3
    assert median_prunes([0.5, 0.7, 0.75], better)
    assert not median_prunes([0.5, 0.7, 0.75], better, pruned=[[0.3], [0.3, 0.4], [0.4, 0.5], [0.2]])
    assert median_prunes([0.5, 0.7, 0.75], [[0.8]] * 3), "a trial that stopped early keeps its last value"


def test_trial_is_not_pruned_during_the_warmup_of_its_learning_rate():
    settings = TrialSettings(pruner_n_warmup_epochs=3)
    assert n_unpruned_epochs(settings, Training(epochs=20, patience=10, warmup_fraction=0.3)) == 6
    assert n_unpruned_epochs(settings, Training(epochs=20, patience=10, warmup_fraction=0.0)) == 3


@pytest.mark.slow
def test_search_prunes_no_trial_before_its_learning_rate_has_risen(study, tmp_path):
    config = tune_config()
    config["training"] |= {"epochs": 8, "patience": 8, "warmup_fraction": 0.7}
    config["tuning"] |= {"n_trials": 10, "n_startup_trials": 10, "pruner_n_warmup_epochs": 0}
    config["space"]["search"]["lr"] = {"low": 1e-6, "high": 1e-2, "log": True}
    run_study(study, tmp_path, config)
    trials = trials_of(tmp_path)
    pruned = trials[trials["state"] == "pruned"]
    assert len(pruned) and set(pruned["epochs"]) <= {7}


@pytest.mark.slow
@pytest.mark.parametrize(("pruner", "epochs"), [("hyperband", {2, 3}), ("asha", {2, 4})])
def test_successive_halving_prunes_after_its_rungs(study, tmp_path, pruner, epochs):
    config = tune_config()
    config["training"] |= {"epochs": 9, "patience": 9}
    config["tuning"] |= {"n_trials": 12, "pruner": pruner, "pruner_n_warmup_epochs": 0}
    config["space"]["search"]["lr"] = {"low": 1e-6, "high": 1e-2, "log": True}
    run_study(study, tmp_path, config)
    trials = trials_of(tmp_path)
    pruned = trials[trials["state"] == "pruned"]
    assert len(pruned) and set(pruned["epochs"]) <= epochs
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
