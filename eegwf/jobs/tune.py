"""Run the trials of an Optuna study as one of its workers."""

import logging
from pathlib import Path

from eegwf.compute.device import prepare
from eegwf.config.data_paths import InitPaths
from eegwf.config.stages.model import TuneSettings
from eegwf.data.splits import load_window_set
from eegwf.storage.files import digest_file
from eegwf.storage.job_state import library_versions, state_folder
from eegwf.storage.locks import exclusive_lock
from eegwf.training.initial_weights import InitialWeights
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.tuning.budget import TrialBudget
from eegwf.tuning.journal import JOURNAL, write_pointer
from eegwf.tuning.search import search
from eegwf.tuning.task import TuningTask

logger = logging.getLogger(__name__)


def run(
    settings: TuneSettings,
    name: str,
    fold: int,
    worker: int,
    code: str,
    windows: Path,
    folds: Path,
    arrays: list[Path],
    state: Path,
    output: Path,
    init: Path | None = None,
) -> None:
    """Run trials until the study's budget is used, and write where its state is.

    Parameters
    ----------
    settings
        Model, search space, training, tuning and classes.
    name, fold
        Name of the study, and the outer fold whose windows it must not see; 0 if it tunes on reserved patients.
    worker
        Number of this worker. A second process with the same number waits, so that a study with one worker has one
        even if an earlier process has outlived its Snakemake.
    code
        Digest of the code.
    windows, folds, arrays
        Tables and spectrograms of the study.
    state
        Folder of unfinished work. The study has a folder in it, named after all that decides its trials.
    output
        File to write: name and state folder of the study.
    init
        Folder of the initial weights; None for random ones.

    Raises
    ------
    InputError
        If the data do not fit, most trials fail, or the search space has too few distinct parameter sets.
    """
    device = prepare(settings.device, settings.threads, settings.deterministic)
    dataset = SpectrogramDataset(arrays, windows)
    window_set = load_window_set(windows, folds, settings.classes, reserved=fold == 0)
    if settings.permute_labels:
        window_set = window_set.permuted(fold, settings.seed)
    initial = InitialWeights.read(InitPaths(init), settings.classes) if init else None
    if initial:
        initial.check(settings.model, settings.space, dataset, settings.training)
    task = TuningTask(
        name=name,
        model=settings.model,
        space=settings.space,
        dataset=dataset,
        # Without the windows of the test fold, so that no code behind this line can use them.
        window_set=window_set.excluding_fold(fold),
        test_fold=fold,
        training=settings.training,
        tuning=settings.tuning,
        budget=TrialBudget(settings.n_best, settings.tuning),
        seed=settings.seed,
        device=device,
        initial=initial,
    )
    data = [digest_file(windows), digest_file(folds), *dataset.identity(), *([initial.identity] if initial else [])]
    folder = state_folder(state, "tune", name, settings.identity(), data, code, device, library_versions())
    logger.info("%s: the journal of the study is %s", name, folder / JOURNAL)
    with exclusive_lock(folder, f"worker{worker}.lock"):
        search(task, folder)
    write_pointer(output, name, folder)
