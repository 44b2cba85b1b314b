"""What the rules of the external tests call: paths, settings and inputs of their jobs."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from eegwf.config.data import RecordedDataset
from eegwf.config.data_paths import DataPaths, ExternalPaths
from eegwf.config.external import read_externals
from eegwf.config.paths import Combination, ExternalRunPaths, ResultPaths, RunPaths
from eegwf.config.study import Study
from eegwf.dag.input_arrays import array_axes, input_arrays
from eegwf.dag.stage_config import data_digest, stage_config
from eegwf.errors import InputError


class ExternalFlow:
    """The external data sets of a study as the workflow sees them.

    Parameters
    ----------
    study
        The validated configuration.
    paths
        All files of the study.
    run
        Files of a combination, with wildcards in place of its names.
    folds
        Numbers of the outer folds.

    Attributes
    ----------
    sets
        The data sets by name.
    paths, data, run
        Files of a data set, of its tables, and of the test of a combination on it, with wildcards.

    Raises
    ------
    InputError
        If the configuration file of a data set is wrong.
    """

    def __init__(self, study: Study, paths: ResultPaths, run: RunPaths, folds: Iterable[int]):
        self._study, self._results, self._internal, self._folds = study, paths, run, folds
        self.sets = read_externals(study)
        self.paths: ExternalPaths = paths.external("{external}")
        self.data: DataPaths = self.paths.data
        self.run: ExternalRunPaths = run.external("{external}")

    def check_target(self, name: str, target: str) -> None:
        """Refuse a data set that the configuration does not have.

        Parameters
        ----------
        name
            Name of the data set.
        target
            The target that names it.

        Raises
        ------
        InputError
            Naming those that it has.
        """
        if name not in self.sets:
            known = f"known are {', '.join(self.sets)}; add" if self.sets else "add"
            raise InputError(
                f"{target}: no external data set {name!r}; {known} it to the configuration, as in `external: {{{name}: "
                "{configfile: config/datasets/NAME.yaml, root: FOLDER}}`"
            )

    # Files, for the rules.

    def _of_all(self, combinations: Iterable[Combination], file: Callable[[ExternalRunPaths], Path]) -> list[str]:
        names = self._study.external_sets
        runs = [self._results.run(one).external(name) for one in combinations for name in names(one.classes)]
        return [str(file(run)) for run in runs]

    def reports(self, combinations: Iterable[Combination]) -> list[str]:
        """Report of every combination on every data set."""
        return self._of_all(combinations, lambda run: run.report)

    def all_metrics(self, combinations: Iterable[Combination]) -> list[str]:
        """Scores of every combination on every data set."""
        return self._of_all(combinations, lambda run: run.metrics)

    def root(self, wildcards: Any) -> str:
        """Root of a data set, also of a synthetic one."""
        dataset = self.sets[wildcards.external].dataset
        if isinstance(dataset, RecordedDataset):
            return dataset.root
        return str(self._results.external(wildcards.external).data.bids)

    def dataset_inputs(self, wildcards: Any) -> list[str]:
        """Inputs of the windows of a data set: the synthetic one; changes of recordings are found by `data_digest`."""
        return [] if isinstance(self.sets[wildcards.external].dataset, RecordedDataset) else [self.root(wildcards)]

    def arrays(self, wildcards: Any) -> list[str]:
        """Arrays of a data set that a model reads."""
        files = self._results.external(wildcards.external)
        return input_arrays(files, wildcards.spectrogram, self._study.spectrograms)

    def axes(self, wildcards: Any) -> list[str]:
        """Descriptions of the arrays of a data set that a model reads."""
        return array_axes(self.arrays(wildcards))

    def models(self) -> list[Path]:
        """Files of the models of each fold that predict: those of the primary member, with wildcards."""
        primary = self._study.evaluation.primary
        ranks = self._study.retrain.ranks if primary == "ensemble" else [int(primary[4:])]
        folds = [self._internal.fold(fold) for fold in self._folds]
        models = [fold.rank(rank) for fold in folds for rank in ranks]
        return [fold.best for fold in folds] + [
            file for model in models for file in (model.weights, model.model, model.calibration)
        ]

    # Values of the rules' `params`: a job is repeated when one of them changes.

    def settings(self, stage: str) -> Callable[[Any], str]:
        """Settings that decide the result of a stage's job, as JSON."""

        def of_job(wildcards: Any) -> str:
            external = self.sets[wildcards.external]
            return stage_config(self._study, stage, wildcards, external=external).model_dump_json()

        return of_job

    def data_digest(self, wildcards: Any) -> str:
        """Digest that changes when a file of a data set does (name, size or time)."""
        return data_digest(self.sets[wildcards.external].dataset)

    def configfile(self, wildcards: Any) -> str:
        """Configuration file of a data set, which messages name."""
        return self._study.external[wildcards.external].configfile
