"""The tuning job of one outer fold: from files to files."""

from pathlib import Path
from typing import Any

from eegwf.config.training import Retrain, Training
from eegwf.config.tuning import Model, Tuning
from eegwf.files import digest_file, write_json, write_table
from eegwf.state import held, library_versions, state_folder
from eegwf.training.cohort import load_cohort
from eegwf.training.device import prepare
from eegwf.training.inputs import Inputs
from eegwf.tuning.search import Task, search
from eegwf.tuning.selection import best_sets, trials_table


def tune_fold(
    name: str,
    fold: int,
    config: dict[str, Any],
    code: str,
    windows: str,
    folds: str,
    arrays: list[str],
    state: str,
    trials: str,
    best: str,
) -> None:
    """Tune a model for one outer fold and write `trials.tsv` and `best.json`.

    Parameters
    ----------
    name, fold
        Name of the study and the outer fold.
    config
        Slice of the configuration: what decides the trials.
    code
        Digest of the code.
    windows, folds, arrays
        The study's tables and spectrograms.
    state
        Folder of unfinished work. The study's own folder in it is named after the configuration without the number of
        trials, so that a raised budget goes on with the trials there are.
    trials, best
        Files to write.
    """
    device = prepare(config["device"], config["threads"], config["deterministic"])
    inputs = Inputs(arrays)
    task = Task(
        name=name,
        model=config["model"],
        space=Model.model_validate(config["space"]),
        inputs=inputs,
        # The view without the test fold: what is not there can't leak.
        cohort=load_cohort(Path(windows), Path(folds), config["classes"]).without(fold),
        test_fold=fold,
        training=Training.model_validate(config["training"]),
        tuning=Tuning.model_validate(config["tuning"]),
        retrain=Retrain.model_validate(config["retrain"]),
        seed=config["seed"],
        device=device,
    )
    unbudgeted = {**config, "tuning": {**config["tuning"], "trials": None}}
    data = [digest_file(windows), digest_file(folds), *inputs.identity()]
    folder = state_folder(Path(state), "tune", name, unbudgeted, data, code, device, library_versions())
    with held(folder):
        found = search(task, folder)
    write_table(trials, trials_table(found, task.space.fixed, task.tuning.inner_folds))
    write_json(best, [{"study": name, **entry} for entry in best_sets(found, task.space.fixed, task.retrain.top)])
