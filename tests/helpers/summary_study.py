"""A finished study of many combinations, for tests of the summary: predictions of any quality."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from sklearn.metrics import balanced_accuracy_score

from eegwf.config.paths import Combination, ResultPaths
from eegwf.report.summary import summarize
from eegwf.storage.files import read_json, read_table, write_json, write_table
from tests.helpers.report_study import write_study


def write_matrix(
    results: Path,
    models: Sequence[str] = ("vit", "lstm", "swin"),
    spectrograms: Sequence[str] = ("mel", "cwt"),
    classes: Sequence[str] = ("2class",),
    explained: bool = True,
) -> list[Combination]:
    """Write the files of finished combinations that the summary reads.

    Parameters
    ----------
    results
        Folder to fill.
    models, spectrograms, classes
        Names; every combination of them is written, the first model being the best.
    explained
        Whether the combinations have attribution maps; to judge them is most of the time of a summary.

    Returns
    -------
    list of Combination
        The combinations.
    """
    rng = np.random.default_rng(0)
    written = []
    for class_set in classes:
        base = results.parent / f"base-{class_set}"
        study = write_study(base, class_set)
        source = base / f"vit_mel_{class_set}"
        write_json(source / "run.json", {"config": study.model_dump(mode="json")})
        save_file({"weights": torch.zeros(100)}, source / "fold1/retrain/rank1/model.safetensors")
        folds = sorted(source.glob("fold*")) if explained else [source / "fold1"]
        if not explained:
            shutil.rmtree(source / "fold1/explain")
        for number, model in enumerate(models):
            for spectrogram in spectrograms:
                combination = Combination(model, spectrogram, class_set)
                folder = results / combination.name
                folder.mkdir(parents=True)
                shutil.copy(source / "run.json", folder)
                for fold in folds:
                    (folder / fold.name).symlink_to(fold)
                _write_scores(source, folder, 0.6 * number / len(models), rng)
                _write_ledger(folder, 3600 / (number + 1), on_gpu=number % 2 == 0)
                written.append(combination)
    return written


def _write_scores(source: Path, folder: Path, wrong: float, rng: np.random.Generator) -> None:
    """Predictions of which a fraction is drawn at random, and their balanced accuracy."""
    predictions = read_table(source / "predictions.tsv", text=("patient", "recording", "label", "predicted", "member"))
    metrics = read_json(source / "metrics.json")
    drawn = rng.random(len(predictions)) < wrong
    predictions.loc[drawn, "predicted"] = rng.choice(metrics["classes"], drawn.sum())
    scored = predictions[(predictions["member"] == metrics["primary"]) & (predictions["label"] != "")]
    value = balanced_accuracy_score(scored["label"], scored["predicted"])
    entry = {"value": value, "low": value - 0.05, "high": value + 0.05}
    metrics["members"][metrics["primary"]]["balanced_accuracy"] |= entry
    write_table(folder / "predictions.tsv", predictions)
    write_json(folder / "metrics.json", metrics)


def _write_ledger(folder: Path, seconds: float, on_gpu: bool) -> None:
    stages = pd.DataFrame({"stage": ["tune", "retrain"], "seconds": [seconds, seconds / 4]})
    write_table(folder / "ledger.tsv", stages.assign(gpu_seconds=stages["seconds"] * on_gpu))


def write_summary(results: Path, combinations: list[Combination], output: Path | None = None) -> str:
    """Write the summary of combinations, and read its page.

    Parameters
    ----------
    results
        Results folder of the study.
    combinations
        The combinations.
    output
        Folder of the summary; by default that of the results.

    Returns
    -------
    str
        The page.
    """
    files = [(output or results) / name for name in ("summary.tsv", "comparison.tsv", "summary.html")]
    summarize(ResultPaths(results), combinations, *files)
    return files[2].read_text(encoding="utf-8")
