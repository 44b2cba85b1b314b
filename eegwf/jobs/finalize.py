"""Train the final models of a combination on all patients, and describe how they are used."""

from pathlib import Path

import numpy as np

from eegwf.compute.device import prepare
from eegwf.config.data_paths import DataPaths, InitPaths
from eegwf.config.final_paths import FinalPaths
from eegwf.config.paths import RunPaths
from eegwf.config.stages.model import FinalizeSettings
from eegwf.data.overlap import NO_FINGERPRINT, window_fingerprints
from eegwf.data.splits import load_window_set
from eegwf.prediction.describe import describe_final_models
from eegwf.prediction.input_statistics import fit_input_statistics
from eegwf.storage.files import digest_file, read_array, read_json, read_table, write_array, write_json
from eegwf.storage.job_state import library_versions
from eegwf.training.final_models import FinalTask, train_final_models, windows_of_all_patients
from eegwf.training.final_sets import choose_final_sets, read_retrained_sets
from eegwf.training.initial_weights import InitialWeights
from eegwf.training.spectrogram_dataset import SpectrogramDataset


def run(
    settings: FinalizeSettings,
    name: str,
    code: str,
    data: Path,
    arrays: list[Path],
    state: Path,
    output: Path,
    init: Path | None = None,
) -> None:
    """Write the final models, their description, the statistics of their input and the fingerprints of the windows.

    Parameters
    ----------
    settings
        Model, training, classes, and how recordings are read.
    name
        Name of the combination.
    code
        Digest of the code.
    data
        Folder of the tables and of the windows.
    arrays
        Spectrograms of the study.
    state
        Folder of unfinished work.
    output
        Folder of the combination, with the results of cross-validation.
    init
        Folder of the initial weights; None for random ones.

    Raises
    ------
    InputError
        If a training diverges, or files of cross-validation do not fit each other.
    """
    device = prepare(settings.device, settings.threads, settings.deterministic)
    tables, combination = DataPaths(data), RunPaths(output)
    paths: FinalPaths = combination.final
    dataset = SpectrogramDataset(arrays, tables.windows)
    outer = load_window_set(tables.windows, tables.folds, settings.classes)
    reserved = load_window_set(tables.windows, tables.folds, settings.classes, True) if settings.reserved else None
    window_set = windows_of_all_patients(outer, reserved)
    if settings.permute_labels:
        window_set = window_set.permuted(0, settings.seed)
    training = settings.training
    if settings.epochs is not None:
        training = training.model_copy(update={"epochs": settings.epochs})
    initial = InitialWeights.read(InitPaths(init), settings.classes) if init else None
    digests = [digest_file(tables.windows), digest_file(tables.folds), *dataset.identity()]
    digests += [initial.identity] if initial else []
    task = FinalTask(
        name=name,
        model=settings.model,
        dataset=dataset,
        window_set=window_set,
        training=training,
        run=combination,
        folds=settings.folds,
        seed=settings.seed,
        device=device,
        initial=initial,
        identity=[name, settings.training_identity(), digests, code, device, library_versions()],
    )
    retrained = read_retrained_sets(combination, settings.folds, settings.ranks)
    sets = choose_final_sets(retrained, settings.n_best, settings.n_seeds)
    train_final_models(task, sets, paths, state)
    windows, axes = read_table(tables.windows, text=("recording", "patient", "label")), read_json(tables.windows_axes)
    samples = read_array(tables.windows_array)
    fit_input_statistics(windows, samples, axes["ch_names"], axes["sfreq"]).write(paths.input_statistics)
    found = window_fingerprints(samples, windows["window"].to_numpy())
    if init:  # the weights have seen the patients of both studies
        found = np.concatenate([found, read_array(InitPaths(init).fingerprints)])
    write_array(paths.fingerprints, np.unique(found[found != NO_FINGERPRINT]))
    description = describe_final_models(name, settings, tables, combination, window_set, len(sets))
    write_json(paths.description, description.model_dump(mode="json"))
