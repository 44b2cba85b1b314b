"""Run the two jobs of hyperparameter tuning as their scripts run them."""

from pathlib import Path

from eegwf.jobs import select_best, tune
from tests.helpers.study import select_best_settings, tune_config, tune_settings


def run_worker(
    study: Path,
    folder: Path,
    config: dict | None = None,
    arrays: Path | None = None,
    code: str = "code",
    worker: int = 1,
    fold: int = 1,
) -> Path:
    """Run the trials of an Optuna study as one worker.

    Parameters
    ----------
    study
        Folder of the windows, folds and spectrograms.
    folder
        Folder of the outputs, and of the state folder `state`.
    config
        Settings as `tune_config` returns them; None for its defaults.
    arrays
        Spectrograms; None for those of the study.
    code
        Digest of the code.
    worker
        Number of the worker.
    fold
        Outer fold, or 0 for a study on the reserved patients.

    Returns
    -------
    Path
        File that the worker wrote.
    """
    output = folder / f"worker{worker}.json"
    tune.run(
        settings=tune_settings(config or tune_config()),
        name=f"vit_mel_3class_fold{fold}" if fold else "vit_mel_3class_reserved",
        fold=fold,
        worker=worker,
        code=code,
        windows=study / "windows.tsv",
        folds=study / "folds.tsv",
        arrays=[arrays or study / "mel.npy"],
        state=folder / "state",
        output=output,
    )
    return output


def run_study(
    study: Path,
    folder: Path,
    config: dict | None = None,
    arrays: Path | None = None,
    code: str = "code",
    fold: int = 1,
) -> bytes:
    """Run one worker, then select the best parameter sets.

    Parameters
    ----------
    study, folder, config, arrays, code, fold
        As in `run_worker`.

    Returns
    -------
    bytes
        Contents of `trials.tsv` and `best.json`. The durations in `timing.tsv` differ between runs.
    """
    output = run_worker(study, folder, config, arrays, code, fold=fold)
    trials, best = folder / "trials.tsv", folder / "best.json"
    settings = select_best_settings(config or tune_config())
    select_best.run(settings, [output], folder / "state", trials, best, folder / "timing.tsv")
    return trials.read_bytes() + best.read_bytes()
