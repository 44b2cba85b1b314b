"""Choice of the models for a recording: never those that were trained on its patient."""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eegwf.config.data_paths import DataPaths
from eegwf.config.load import validate_record
from eegwf.config.paths import ResultPaths, RunPaths
from eegwf.data.context import n_context, without_context
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
    patient
        Patient of the study; empty for the final models.
    """

    fold: int | None
    reason: str
    patient: str = ""


class StudyPatients:
    """The patients on whom the models of a source were trained.

    Parameters
    ----------
    source
        Run or bundle.

    Raises
    ------
    InputError
        If a file is missing, or the fingerprints are damaged.
    """

    def __init__(self, source: Source):
        self._fingerprints = _read_fingerprints(source.final.fingerprints)
        self._own_fingerprints: dict[str, np.ndarray] = {}
        self._data: DataPaths | None = None
        self._fold_of: dict[str, int] = {}
        self._names: dict[str, str] = {}
        if source.run is not None:
            self._data = ResultPaths(source.run.folder.parent).data
            if not self._data.folds.is_file():
                raise InputError(
                    f"{self._data.folds}: no such file, without which the patients of the study are not known; copy "
                    "the folder of all results, or use a bundle"
                )
            folds = read_table(self._data.folds, text=("patient",))
            self._fold_of = dict(zip(folds["patient"], folds["fold"].astype(int), strict=True))
            self._names = _same_persons(source.run)

    def choose(self, subject: str, named: bool = False) -> ModelChoice:
        """Choose the models for a recording by the id of its patient.

        Parameters
        ----------
        subject
            Id of the patient, such as `sub-01`; empty if it is not known. Upper and lower case are the same, unless the
            study has two patients who differ in case only.
        named
            Whether the user names a patient of the study (`--patient`), so that another id is an error.

        Returns
        -------
        ModelChoice
            The models of the fold that tests this patient, if the study has a patient of this id.

        Raises
        ------
        InputError
            If the patient was reserved for tuning, so that all models have seen the patient; if the user names a
            patient whom the study does not have.
        """
        patient = self._patient(subject)
        if patient is None:
            if named and self._data is not None:
                raise InputError(
                    f"--patient {subject}: the study has no such patient; give an id of {self._data.folds}, or no "
                    "--patient for a patient who is not in the study"
                )
            return ModelChoice(None, "no patient of the study has this id" if subject else "the patient is not known")
        return self._of_patient(patient, f"patient {patient} is in the study")

    def have_seen(self, windows: np.ndarray, choice: ModelChoice) -> bool:
        """Whether chosen models may have been trained on the samples of any of the windows.

        Parameters
        ----------
        windows
            float16 `(n_windows, n_chans, n_times)`, without their context.
        choice
            The models.

        Returns
        -------
        bool
            Whether the study has such samples, and not from the patient without whom the models were trained. If the
            windows of the study have been removed, the id of this patient is trusted.
        """
        found = window_fingerprints(windows, np.arange(len(windows)))
        found = found[in_fingerprints(found, self._fingerprints)]
        if not len(found) or not choice.patient:
            return len(found) > 0
        if self._data is None or not self._data.windows_array.is_file():
            return False
        return not in_fingerprints(found, self._fingerprints_of(choice.patient)).all()

    def choose_by_samples(self, windows: np.ndarray) -> ModelChoice:
        """Choose the models for a recording of which the study has samples.

        Parameters
        ----------
        windows
            Windows for which `have_seen` is true.

        Returns
        -------
        ModelChoice
            The models of the fold that tests the patient who has these samples.

        Raises
        ------
        InputError
            If the source is a bundle, or the arrays of the run are no longer there or have changed.
        """
        if self._data is None:
            raise InputError(
                "its samples are among those on which the models of this bundle were trained; predict it with the "
                "folder of the run (--run), which has models without this patient"
            )
        if not self._data.windows_array.is_file():
            raise InputError(
                f"its samples are among those of the study, and {self._data.windows_array} is missing, so that its "
                "patient is not known; name the patient by --patient, or create the file again"
            )
        ours = np.sort(window_fingerprints(windows, np.arange(len(windows))))
        for patient in self._fold_of:
            if in_fingerprints(ours, self._fingerprints_of(patient)).any():
                return self._of_patient(patient, f"its samples are those of patient {patient} of the study")
        raise InputError(
            "its samples are among those on which the final models were trained, but not among the windows of the "
            "study: they are of the study from whose weights the models were fine-tuned (training.init), or the "
            "windows have changed since then and `finalize` must run again; no prediction without this leak is possible"
        )

    def _fingerprints_of(self, patient: str) -> np.ndarray:
        """Sorted fingerprints of the windows of a patient of the study."""
        if patient not in self._own_fingerprints:
            rows = self._rows_of.get(patient, np.zeros(0, dtype=int))
            self._own_fingerprints[patient] = np.sort(window_fingerprints(self._windows, rows))
        return self._own_fingerprints[patient]

    @cached_property
    def _windows(self) -> np.ndarray:
        assert self._data is not None, "a bundle has no windows"
        axes = read_json(self._data.windows_axes)
        return without_context(read_array(self._data.windows_array), n_context(axes))

    @cached_property
    def _rows_of(self) -> dict[str, np.ndarray]:
        """Rows of the windows of each patient."""
        assert self._data is not None, "a bundle has no windows"
        table = read_table(self._data.windows, text=("patient", "recording", "label"))
        return {str(patient): part["window"].to_numpy() for patient, part in table.groupby("patient")}

    def _patient(self, subject: str) -> str | None:
        """Name in the study of the patient with an id; None if there is none."""
        person_of = {name: name for name in self._fold_of} | self._names
        lower_case = {name.lower(): person for name, person in person_of.items()}
        person = person_of.get(subject, lower_case.get(subject.lower(), subject))
        return person if person in self._fold_of else None

    def _of_patient(self, patient: str, reason: str) -> ModelChoice:
        fold = self._fold_of[patient]
        if fold == 0:
            raise InputError(
                f"{reason}, and was reserved for tuning, so that the parameters of all models were chosen with this "
                "patient; no prediction without this leak is possible"
            )
        return ModelChoice(fold, reason, patient)


def _read_fingerprints(path: Path) -> np.ndarray:
    found = read_array(path)
    if found.ndim != 1 or found.dtype != np.uint64 or (found[1:] < found[:-1]).any():
        raise InputError(f"{path}: not a sorted array of fingerprints; run `finalize`, or make the bundle, again")
    return found


def _same_persons(run: RunPaths) -> dict[str, str]:
    """Ids that belong to the same person, in the configuration of a run."""
    path: Path = run.run_record
    if not path.is_file():
        raise InputError(
            f"{path}: no such file, since the run has not finished; finish it with `snakemake {run.report}` and its "
            "configuration"
        )
    return validate_record(read_json(path)["config"], path).patients
