"""The job of one worker of a study: from files to a state folder."""

import sys
from pathlib import Path
from typing import Any

from eegwf.compute.device import prepare
from eegwf.config.training import Training
from eegwf.config.tuning import Model, Tuning
from eegwf.data.splits import load_cohort
from eegwf.storage.files import digest_file
from eegwf.storage.job_state import library_versions, state_folder
from eegwf.storage.locks import held
from eegwf.training.spectrogram_dataset import Inputs
from eegwf.tuning.budget import Budget
from eegwf.tuning.journal import JOURNAL, write_pointer
from eegwf.tuning.search import search
from eegwf.tuning.task import Task

# What ends a study, and not what its trials are: a raised budget goes on with the trials there are.
LIMITS = ("trials", "epochs", "minutes")


def search_study(
    name: str,
    fold: int,
    worker: int,
    config: dict[str, Any],
    code: str,
    windows: str,
    folds: str,
    arrays: list[str],
    state: str,
    output: str,
) -> None:
    """Run trials of a study until it has none left to begin, and write where its state lies.

    Parameters
    ----------
    name, fold
        Name of the study, and the outer fold that it must not see; 0 if it tunes on reserved patients.
    worker
        Number of this worker. A second process of the same number waits, so that a study with one worker has one, even
        if an earlier one has outlived its Snakemake.
    config
        Slice of the configuration: what decides the trials.
    code
        Digest of the code.
    windows, folds, arrays
        The study's tables and spectrograms.
    state
        Folder of unfinished work. The study's own folder in it is named after all that decides its trials, without the
        budget.
    output
        File to write: the study's name and its state folder.
    """
    device = prepare(config["device"], config["threads"], config["deterministic"])
    inputs = Inputs(arrays)
    cohort = load_cohort(Path(windows), Path(folds), config["classes"], reserved=fold == 0)
    if config["permute_labels"]:
        cohort = cohort.permuted(fold, config["seed"])
    tuning = Tuning.model_validate(config["tuning"])
    task = Task(
        name=name,
        model=config["model"],
        space=Model.model_validate(config["space"]),
        inputs=inputs,
        # The view without the test fold: what is not there can't leak.
        cohort=cohort.without(fold),
        test_fold=fold,
        training=Training.model_validate(config["training"]),
        tuning=tuning,
        budget=Budget.of(tuning, config["retrain"]["top"]),
        seed=config["seed"],
        device=device,
    )
    decisive = {key: value for key, value in config.items() if key != "retrain"}
    decisive["tuning"] = {key: value for key, value in config["tuning"].items() if key not in LIMITS}
    data = [digest_file(windows), digest_file(folds), *inputs.identity()]
    folder = state_folder(Path(state), "tune", name, decisive, data, code, device, library_versions())
    print(f"{name}: the study's journal is {folder / JOURNAL}", file=sys.stderr, flush=True)
    with held(folder, f"worker{worker}.lock"):
        search(task, folder)
    write_pointer(output, name, folder)
