"""Retrain the best parameter sets of an outer fold."""

from pathlib import Path

from eegwf.compute.device import prepare
from eegwf.config.data_paths import InitPaths
from eegwf.config.fold_paths import RetrainPaths
from eegwf.config.stages.model import RetrainSettings
from eegwf.data.splits import load_window_set
from eegwf.storage.files import digest_file, read_json
from eegwf.storage.job_state import library_versions
from eegwf.training.initial_weights import InitialWeights
from eegwf.training.retrain import RetrainTask, retrain_ranks
from eegwf.training.spectrogram_dataset import SpectrogramDataset


def run(
    settings: RetrainSettings,
    name: str,
    fold: int,
    code: str,
    windows: Path,
    folds: Path,
    arrays: list[Path],
    best: Path,
    state: Path,
    output: Path,
    init: Path | None = None,
) -> None:
    """Retrain parameter sets and write the files of each rank, and of further seeds of rank 1.

    Parameters
    ----------
    settings
        Model, training and classes.
    name, fold
        Name of the combination with its outer fold, and the fold.
    code
        Digest of the code.
    windows, folds, arrays
        Tables and spectrograms of the study.
    best
        The best parameter sets, as `select_best` writes them.
    state
        Folder of unfinished work. Each rank has a folder in it, named after all that decides its weights, so that
        other ranks don't matter to it.
    output
        Folder of the ranks.
    init
        Folder of the initial weights; None for random ones.

    Raises
    ------
    InputError
        If the data do not fit, or a parameter set can't be trained.
    """
    device = prepare(settings.device, settings.threads, settings.deterministic)
    dataset = SpectrogramDataset(arrays, windows)
    initial = InitialWeights.read(InitPaths(init), settings.classes) if init else None
    data = [digest_file(windows), digest_file(folds), *dataset.identity(), *([initial.identity] if initial else [])]
    window_set = load_window_set(windows, folds, settings.classes)
    if settings.permute_labels:
        window_set = window_set.permuted(fold, settings.seed)
    task = RetrainTask(
        name=name,
        model=settings.model,
        dataset=dataset,
        window_set=window_set,
        test_fold=fold,
        training=settings.training,
        epochs=settings.epochs,
        seed=settings.seed,
        device=device,
        n_seeds=settings.seeds,
        at_once=settings.ranks_per_gpu if device == "cuda" else 1,
        initial=initial,
        identity=[name, settings.identity(), data, code, device, library_versions()],
    )
    retrain_ranks(task, read_json(best), RetrainPaths(output), state)
