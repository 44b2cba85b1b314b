"""The default study as tuning sees it, opened for measurements of tuning itself."""

from functools import cached_property
from pathlib import Path
from typing import Any

from eegwf.config.study import Study
from eegwf.dag.flow import ROOT, read_flow
from eegwf.data.splits import Cohort, load_cohort
from eegwf.training.spectrogram_dataset import Inputs
from eegwf.tuning.budget import Budget
from eegwf.tuning.task import Task


class Tuned:
    """`vit_mel_3class` of the default configuration.

    Parameters
    ----------
    results
        Folder with its data and spectrograms.
    training
        Settings of training that differ.
    **tuning
        Settings of tuning that differ.
    """

    def __init__(self, results: Path, training: dict[str, Any] | None = None, **tuning: Any):
        changed = {"tuning": tuning, "training": training or {}}
        self.study: Study = read_flow(ROOT / "config" / "config.yaml", overrides=changed).study
        self.results = results

    @cached_property
    def inputs(self) -> Inputs:
        """Its spectrograms."""
        return Inputs([self.results / "spectrograms" / "mel.npy"])

    @cached_property
    def cohort(self) -> Cohort:
        """Its windows."""
        data = self.results / "data"
        classes = self.study.model_dump(mode="json")["classes"]["3class"]
        return load_cohort(data / "windows.tsv", data / "folds.tsv", classes)

    def task(self, fold: int, name: str, seed: int | None = None) -> Task:
        """The tuning of an outer fold."""
        return Task(
            name=name,
            model="vit",
            space=self.study.models["vit"],
            inputs=self.inputs,
            cohort=self.cohort.without(fold),
            test_fold=fold,
            training=self.study.training,
            tuning=self.study.tuning,
            budget=Budget.of(self.study.tuning, self.study.retrain.top),
            seed=self.study.seed if seed is None else seed,
            device="cpu",
        )
