"""The tuning task of the default study, for benchmarks of tuning."""

from functools import cached_property
from pathlib import Path
from typing import Any

from eegwf.config.paths import ResultPaths
from eegwf.config.study import Study
from eegwf.dag.flow_reading import read_flow
from eegwf.data.splits import WindowSet, load_window_set
from eegwf.provenance.git import ROOT
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.tuning.budget import TrialBudget
from eegwf.tuning.task import TuningTask


class Tuned:
    """`vit_mel_3class` of the default configuration.

    Parameters
    ----------
    results
        Results folder with its data and spectrograms.
    training
        Settings of `training` that differ from the configuration.
    **tuning
        Settings of `tuning` that differ from the configuration, such as `n_trials`.
    """

    def __init__(self, results: Path, training: dict[str, Any] | None = None, **tuning: Any):
        overrides = {"tuning": tuning, "training": training or {}}
        self.study: Study = read_flow(ROOT / "config" / "config.yaml", overrides=overrides).study
        self.results = results

    @cached_property
    def dataset(self) -> SpectrogramDataset:
        """Its spectrograms."""
        paths = ResultPaths(self.results)
        return SpectrogramDataset([paths.spectrogram("mel")], paths.data.windows)

    @cached_property
    def window_set(self) -> WindowSet:
        """Its windows."""
        data = ResultPaths(self.results).data
        classes = self.study.model_dump(mode="json")["classes"]["3class"]
        return load_window_set(data.windows, data.folds, classes)

    def task(self, fold: int, name: str, seed: int | None = None) -> TuningTask:
        """Make the tuning task of an outer fold.

        Parameters
        ----------
        fold
            Number of the test fold.
        name
            Name of the Optuna study.
        seed
            Random seed; None for that of the configuration.

        Returns
        -------
        TuningTask
            On the CPU.
        """
        return TuningTask(
            name=name,
            model="vit",
            space=self.study.models["vit"],
            dataset=self.dataset,
            window_set=self.window_set.excluding_fold(fold),
            test_fold=fold,
            training=self.study.training,
            tuning=self.study.tuning,
            budget=TrialBudget(self.study.retrain.n_best, self.study.tuning),
            seed=self.study.seed if seed is None else seed,
            device="cpu",
        )
