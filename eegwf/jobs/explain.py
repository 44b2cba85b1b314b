"""Explain the test predictions of an outer fold, and measure how far each method can be believed."""

from pathlib import Path

from eegwf.attribution.explain import explain
from eegwf.attribution.files import write_attribution
from eegwf.attribution.fold import FoldTask
from eegwf.compute.device import prepare
from eegwf.config.fold_paths import AttributionPaths
from eegwf.config.stages.model import ExplainSettings
from eegwf.data.splits import load_window_set
from eegwf.training.classifier import load_classifier
from eegwf.training.spectrogram_dataset import SpectrogramDataset


def run(
    settings: ExplainSettings,
    name: str,
    fold: int,
    windows: Path,
    folds: Path,
    arrays: list[Path],
    models: list[Path],
    output: Path,
    signals: Path | None = None,
    truth: Path | None = None,
) -> None:
    """Write the maps of each method, averaged over test windows and of examples, and the evidence of each method.

    Parameters
    ----------
    settings
        Classes, device, seed, explained rank, number of windows and settings of the methods.
    name, fold
        Name of the combination with its outer fold, and the fold.
    windows, folds, arrays
        Tables and spectrograms of the study.
    models
        Description of each retrained model, with its weights beside it, rank 1 first.
    output
        Folder of the files, see `eegwf.config.fold_paths.AttributionPaths`.
    signals
        Samples of the windows; None for imported arrays.
    truth
        Ground truth of a synthetic data set; None for others.

    Raises
    ------
    InputError
        If a file is broken.
    """
    device = prepare(settings.device, settings.threads, settings.deterministic)
    loaded = [load_classifier(model.parent, device) for model in models]
    task = FoldTask(
        name=name,
        fold=fold,
        dataset=SpectrogramDataset(arrays, windows),
        window_set=load_window_set(windows, folds, settings.classes),
        classifiers=[classifier for classifier, _ in loaded],
        descriptions=[description for _, description in loaded],
        rank=settings.rank,
        settings=settings.explanation,
        seed=settings.seed,
        device=device,
        signals=signals,
        truth=truth,
    )
    write_attribution(AttributionPaths(output), task, explain(task))
