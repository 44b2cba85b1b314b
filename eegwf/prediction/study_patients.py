"""Choice of the models for a recording: never those that were trained on its patient."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from eegwf.config.load import validate_record
from eegwf.config.paths import ResultPaths, RunPaths
from eegwf.data.overlap import in_fingerprints, window_fingerprints
from eegwf.errors import InputError
from eegwf.prediction.source import Source
from eegwf.storage.files import read_array, read_json, read_table


class ModelChoice(NamedTuple):
    """Models for a recording.

    Attributes
    ----------
    fold
        Outer fold whose models predict; None for the final models.
    reason
        Why.
    """

    fold: int | None
    reason: str


class StudyPatients:
    """The patients on whom the models of a source were trained.

    Parameters
    ----------
    source
        Run or bundle.

    Raises
    ------
    InputError
        If a file is missing.
    """

    def __init__(self, source: Source):
        self._fingerprints = read_array(source.final.fingerprints)
        self._run = source.run
        self._fold_of: dict[str, int] = {}
        self._names: dict[str, str] = {}
        if source.run is not None:
            folds = read_table(ResultPaths(source.run.folder.parent).data.folds, text=("patient",))
            self._fold_of = dict(zip(folds["patient"], folds["fold"].astype(int), strict=True))
            self._names = _same_persons(source.run)

    def choose(self, subject: str) -> ModelChoice:
        """Choose the models for a recording by the id of its patient.

        Parameters
        ----------
        subject
            Id of the patient, such as `sub-01`; empty if it is not known.

        Returns
        -------
        ModelChoice
            The models of the fold that tests this patient, if the study has a patient of this id.

        Raises
        ------
        InputError
            If the patient was reserved for tuning, so that all models have seen the patient.
        """
        patient = self._names.get(subject, subject)
        if patient not in self._fold_of:
            return ModelChoice(None, "no patient of the study has this id" if subject else "the patient is not known")
        return self._of_patient(patient, f"patient {patient} is in the study")

    def contains(self, windows: np.ndarray) -> bool:
        """Whether the study has the samples of any of the windows, float16 `(n_windows, n_chans, n_times)`."""
        found = window_fingerprints(windows, np.arange(len(windows)))
        return bool(in_fingerprints(found, self._fingerprints).any())

    def choose_by_samples(self, windows: np.ndarray) -> ModelChoice:
        """Choose the models for a recording of which the study has samples.

        Parameters
        ----------
        windows
            Windows for which `contains` is true.

        Returns
        -------
        ModelChoice
            The models of the fold that tests the patient who has these samples.

        Raises
        ------
        InputError
            If the source is a bundle, or the arrays of the run are no longer there.
        """
        if self._run is None:
            raise InputError(
                "its samples are among those on which the models of this bundle were trained; predict it with the "
                "folder of the run (--run), which has models without this patient"
            )
        data = ResultPaths(self._run.folder.parent).data
        if not data.windows_array.is_file():
            raise InputError(
                f"its samples are among those of the study, and {data.windows_array} is missing, so that its patient "
                "is not known; name the patient by --patient, or create the file again"
            )
        table = read_table(data.windows, text=("patient", "recording", "label"))
        theirs = window_fingerprints(read_array(data.windows_array), table["window"].to_numpy())
        ours = np.sort(window_fingerprints(windows, np.arange(len(windows))))
        found = table[in_fingerprints(theirs, ours)]
        if found.empty:
            raise InputError(
                "its samples are not among those of the study, but among those of the study from whose weights all "
                "models were fine-tuned (training.init); no prediction without this leak is possible"
            )
        patient = _first(found)
        return self._of_patient(patient, f"its samples are those of patient {patient} of the study")

    def _of_patient(self, patient: str, reason: str) -> ModelChoice:
        fold = self._fold_of[patient]
        if fold == 0:
            raise InputError(
                f"{reason}, and was reserved for tuning, so that the parameters of all models were chosen with this "
                "patient; no prediction without this leak is possible"
            )
        return ModelChoice(fold, reason)


def _first(rows: pd.DataFrame) -> str:
    return str(rows["patient"].iloc[0])


def _same_persons(run: RunPaths) -> dict[str, str]:
    """Ids that belong to the same person, in the configuration of a run."""
    path: Path = run.run_record
    if not path.is_file():
        raise InputError(f"{path}: no such file; the run has not finished, so finish it first")
    return validate_record(read_json(path)["config"], path).patients
