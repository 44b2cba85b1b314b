"""Content of the report of an external test, read from the files of the study and of the data set."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from eegwf.config.data_paths import DataPaths
from eegwf.config.paths import Combination, ResultPaths
from eegwf.data.events import classify
from eegwf.evaluation.external_predictions import FINAL
from eegwf.report.formats import number
from eegwf.storage.files import read_json, read_table

TEXT = ("recording", "patient", "label", "member", "path", "excluded", "notes", "dropped", "event_type", "class")


@dataclass(frozen=True)
class DataSet:
    """Tables of a data set.

    Attributes
    ----------
    recordings, windows
        `recordings.tsv`, without the excluded recordings, and `windows.tsv`.
    n_excluded
        Number of excluded recordings.
    """

    recordings: pd.DataFrame
    windows: pd.DataFrame
    n_excluded: int


@dataclass(frozen=True)
class ExternalReportData:
    """Content of the report of an external test.

    Attributes
    ----------
    name, study
        Names of the external data set, and of the study.
    combination
        Model, spectrogram and class set.
    class_set
        Event types of each class, the background first.
    metrics, mapping, per_patient
        Results of the test.
    data
        The data set of the study, and the external one, by the names `internal` and `external`.
    leakage
        Results of the leakage checks across the two data sets.
    """

    name: str
    study: str
    combination: Combination
    class_set: dict[str, list[str]]
    metrics: dict[str, Any]
    mapping: pd.DataFrame
    per_patient: pd.DataFrame
    data: dict[str, DataSet]
    leakage: dict[str, Any]

    @property
    def classes(self) -> list[str]:
        """Names of the classes, the background first."""
        return self.metrics["classes"]

    @property
    def folds(self) -> list[str]:
        """Names of the members of the outer folds."""
        return [name for name in self.metrics["members"] if name != FINAL]

    @property
    def shown(self) -> str:
        """Member of which confusion matrix and calibration are shown: that of the final models, if there are any."""
        return self.metrics["primary"]

    @property
    def shown_title(self) -> str:
        """Its name in sentences."""
        return "the final models" if self.shown == FINAL else f"the models of {self.shown}"

    @property
    def level(self) -> str:
        """Level of the intervals, as text."""
        return f"{number(round(100 * self.metrics['interval']['confidence'], 6))} %"

    def class_windows(self, part: str) -> dict[str, int]:
        """Number of windows of each class in a data set."""
        counts = dict.fromkeys(self.classes, 0)
        for label, n in self.data[part].windows["label"].value_counts().items():
            name = classify(str(label), self.class_set) if label else None
            if name is not None:
                counts[name] += int(n)
        return counts


def collect_external(
    paths: ResultPaths, name: str, combination: Combination, class_set: dict[str, list[str]]
) -> ExternalReportData:
    """Read the files of an external test.

    Parameters
    ----------
    paths
        Files of the study.
    name
        Name of the data set.
    combination
        Model, spectrogram and class set.
    class_set
        Event types of each class.

    Returns
    -------
    ExternalReportData

    Raises
    ------
    InputError
        If a file is invalid.
    """
    run, external = paths.run(combination).external(name), paths.external(name).data
    return ExternalReportData(
        name=name,
        study=paths.root.name,
        combination=combination,
        class_set=class_set,
        metrics=read_json(run.metrics),
        mapping=read_table(run.mapping, text=TEXT),
        per_patient=read_table(run.per_patient, text=TEXT),
        data={"internal": _data_set(paths.data), "external": _data_set(external)},
        leakage=read_json(external.leakage),
    )


def _data_set(files: DataPaths) -> DataSet:
    recordings = read_table(files.recordings, text=TEXT)
    kept = recordings[recordings["excluded"] == ""]
    return DataSet(kept, read_table(files.windows, text=TEXT), len(recordings) - len(kept))
