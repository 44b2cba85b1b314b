"""The two jobs of a tuning, called as their scripts call them."""

from eegwf.jobs.select_best import tune_fold
from eegwf.jobs.tune import search_study
from tests.helpers.study import tune_config


def work(study, folder, config=None, arrays=None, code="code", worker=1, fold=1):
    """What one worker does."""
    output = folder / f"worker{worker}.json"
    search_study(
        name=f"vit_mel_3class_fold{fold}" if fold else "vit_mel_3class_reserved",
        fold=fold,
        worker=worker,
        config=config or tune_config(),
        code=code,
        windows=str(study / "windows.tsv"),
        folds=str(study / "folds.tsv"),
        arrays=[str(arrays or study / "mel.npy")],
        state=str(folder / "state"),
        output=str(output),
    )
    return output


def tune(study, folder, config=None, arrays=None, code="code", fold=1):
    """What one worker and the gathering do; the bytes that they write, times left out."""
    output = work(study, folder, config, arrays, code, fold=fold)
    files = {name: str(folder / f"{name}.{end}") for name, end in (("trials", "tsv"), ("best", "json"))}
    timing = str(folder / "timing.tsv")
    tune_fold(config or tune_config(), [str(output)], str(folder / "state"), **files, timing=timing)
    return (folder / "trials.tsv").read_bytes() + (folder / "best.json").read_bytes()
