"""A tiny finished run with final models: the jobs of the workflow on synthetic recordings, in this process."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from eegwf.config.layers import merge
from eegwf.config.load import load_study
from eegwf.config.paths import Combination, ResultPaths, RunPaths
from eegwf.config.stages.base import StageSettings
from eegwf.config.study import Study
from eegwf.dag.stage_config import stage_config
from eegwf.jobs import evaluate, finalize, folds, retrain, select_best, spectrogram, synthesize, tune, windows
from eegwf.provenance.run_record import describe_run
from eegwf.storage.files import write_json

ROOT = Path(__file__).resolve().parents[2]
BANDPOWER = {"relative": False, "channels": "each", "bands": "classical", "time_features": False}
SETTINGS: dict[str, Any] = {
    "dataset": {"kind": "synthetic", "n_focal": 6, "n_generalized": 0, "n_both": 0, "n_none": 0, "minutes": 3.0},
    "folds": 3,
    "threads": 1,
    "windows": {"length": 4.0, "step": 4.0},
    "spectrograms": {"mel": {"n_freqs": 12, "n_frames": 10}},
    # The trials of the model of most tests, whose detector then has events.
    "models": {"bandpower": {"start": [{"C": 0.1, **BANDPOWER}, {"C": 1.0, **BANDPOWER}]}},
    "tuning": {"n_trials": 2, "n_startup_trials": 1},
    "retrain": {"n_best": 2},
    "evaluation": {"n_bootstrap": 100, "operating_point": {"smoothing": [0.0], "min_duration": [8.0]}},
}


def small_study(results: Path, settings: dict[str, Any] | None = None) -> Study:
    """Configuration of the run.

    Parameters
    ----------
    results
        Results folder.
    settings
        Changes of `SETTINGS`; sections are merged key by key.

    Returns
    -------
    Study
        The configuration.
    """
    overrides = merge(SETTINGS, settings or {}) | {"results": str(results)}
    return load_study(ROOT / "config/config.yaml", [], overrides)


def write_final_run(results: Path, name: str = "bandpower_mel_2class", settings: dict[str, Any] | None = None) -> Path:
    """Run all stages to final models, without maps and report.

    Parameters
    ----------
    results
        Results folder.
    name
        Name of the combination.
    settings
        As for `small_study`.

    Returns
    -------
    Path
        Folder of the combination.
    """
    study, combination, paths = small_study(results, settings), Combination.parse(name), ResultPaths(results)
    run = paths.run(combination)

    def of(stage: str) -> StageSettings:
        return stage_config(study, stage, SimpleNamespace(**combination._asdict()))

    array = _write_data(of, paths, combination.spectrogram)
    for fold in range(1, study.folds + 1):
        _train(of, paths, run, array, fold)
    tests = [run.fold(fold).rank(rank).test for fold in range(1, study.folds + 1) for rank in study.retrain.ranks]
    data = paths.data
    evaluate.run(of("evaluate"), tests, data.windows, data.recordings, data.events, run.folder)
    finalize.run(of("finalize"), name, "code", data.folder, [array], paths.state, run.folder)
    write_json(run.run_record, describe_run(study.design(), combination))
    return run.folder


def _write_data(of, paths: ResultPaths, name: str) -> Path:
    data = paths.data
    synthesize.run(of("synthesize"), data.bids)
    windows.run(of("windows"), "code", data.bids, paths.state, data.folder)
    folds.run(of("folds"), data.windows, data.windows_array, data.folds, data.leakage)
    if name == "raw":
        return data.windows_array
    array = paths.spectrogram(name)
    spectrogram.run(of("spectrogram"), name, "code", data.windows_array, paths.state, array, array.with_suffix(".json"))
    return array


def _train(of, paths: ResultPaths, run: RunPaths, array: Path, fold: int) -> None:
    study, files = f"{run.folder.name}_fold{fold}", run.fold(fold)
    inputs = {"windows": paths.data.windows, "folds": paths.data.folds, "arrays": [array], "state": paths.state}
    worker = run.worker(f"fold{fold}", 1)
    tune.run(of("tune"), study, fold, 1, "code", **inputs, output=worker)
    select_best.run(of("select_best"), [worker], paths.state, files.trials, files.best, files.tuning_timing)
    retrain.run(of("retrain"), study, fold, "code", **inputs, best=files.best, output=files.retrained.folder)
