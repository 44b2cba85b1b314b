"""Source of initial weights: the final models of another study, in the folder of its run or in a bundle of it."""

import io
import json
import zipfile
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.final_paths import FORMAT, FinalPaths
from eegwf.config.paths import ResultPaths, RunPaths
from eegwf.config.patients import normalize_id
from eegwf.config.tuning import Model
from eegwf.data.overlap import WindowedSignals
from eegwf.errors import InputError
from eegwf.storage.files import read_table
from eegwf.storage.model_archive import DAMAGED, FOLDER, model_entries

REMEDY = (
    "write the folder of a run with final models (snakemake RUN/final/models.json), or a bundle of them (eegwf bundle "
    "RUN --weights)"
)
NEEDED = ("format", "run", "model", "spectrogram", "classes", "reading", "trained_on")


class InitSource:
    """Final models of another study.

    Parameters
    ----------
    path
        Folder of a run with final models, or a bundle of it.

    Raises
    ------
    InputError
        If it has no final models, or another version of eegwf wrote them.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.is_bundle = self.path.is_file()
        self.description = self._read_description()

    @property
    def reading(self) -> dict[str, Any]:
        """How the source's study read recordings: `signals`, ..., `spectrograms`, `sfreq` and `ch_names`."""
        return self.description["reading"]

    @property
    def name(self) -> str:
        """Name of the run, for messages."""
        return f"{self.path} ({self.description['run']})" if self.is_bundle else str(self.path)

    def read(self, name: str) -> bytes:
        """Contents of a file in `final/`, such as `model1/model.json`.

        Raises
        ------
        InputError
            If there is no such file, or it can't be read.
        """
        try:
            if not self.is_bundle:
                return (RunPaths(self.path).final.folder / name).read_bytes()
            with zipfile.ZipFile(self.path) as archive:
                entries = {entry.filename: entry for entry in model_entries(self.path, archive)}
                return archive.read(entries[f"{FOLDER}/{name}"])
        except InputError as error:
            raise InputError(f"training.init: {error}") from None
        except (OSError, KeyError, *DAMAGED) as error:
            raise InputError(f"training.init: {self.path}: no final/{name} ({error}); {REMEDY}") from None

    def read_json(self, name: str) -> Any:
        """Contents of a JSON file in `final/`.

        Raises
        ------
        InputError
            If there is no such file, or it is no JSON.
        """
        try:
            return json.loads(self.read(name))
        except ValueError as error:
            raise InputError(f"training.init: {self.path}: final/{name} is no JSON ({error}); {REMEDY}") from None

    @cached_property
    def fingerprints(self) -> np.ndarray:
        """Fingerprints of all windows of the source's study, sorted uint64."""
        name = FinalPaths(Path()).fingerprints.name
        try:
            array = np.load(io.BytesIO(self.read(name)), allow_pickle=False)
        except ValueError as error:
            raise InputError(f"training.init: {self.path}: final/{name} is no array ({error}); {REMEDY}") from None
        if array.dtype != np.uint64 or array.ndim != 1:
            raise InputError(
                f"training.init: {self.path}: final/{name} has {array.dtype} {array.shape}, expected a list of uint64; "
                f"{REMEDY}"
            )
        return np.sort(array)

    @cached_property
    def windows(self) -> pd.DataFrame | None:
        """`windows.tsv` of the source's study; None if it is not there, as for a bundle."""
        path = ResultPaths(self.path.parent).data.windows
        if self.is_bundle or not path.is_file():
            return None
        return read_table(path, ("window", "recording", "patient", "onset", "duration"), text=("recording", "patient"))

    @cached_property
    def ids(self) -> dict[str, str]:
        """Patient of each id of the source's study, as `ids_of_patients` returns them; empty if unknown."""
        data = ResultPaths(self.path.parent).data
        return {} if self.windows is None else ids_of_patients(self.windows["patient"], data.recordings)

    @property
    def signals(self) -> WindowedSignals | None:
        """Windows of the source's study with their samples; None if they are not there."""
        data = ResultPaths(self.path.parent).data
        if self.windows is None or not (data.windows_array.is_file() and data.windows_axes.is_file()):
            return None
        return WindowedSignals.read(self.windows, data.windows_array)

    def _read_description(self) -> dict[str, Any]:
        if not self.path.exists():
            raise InputError(f"training.init: {self.path}: no such run or bundle; {REMEDY}")
        name = FinalPaths(Path()).description.name
        description = self.read_json(name)
        missing = [key for key in NEEDED if not isinstance(description, dict) or key not in description]
        if missing or description["format"] != FORMAT:
            fault = f"no {missing[0]}" if missing else f"format {description['format']}, expected {FORMAT}"
            raise InputError(
                f"training.init: {self.path}: final/{name}: {fault}; another version of eegwf wrote it: finalize the "
                "run again"
            )
        return description


def ids_of_patients(present: Iterable[str], recordings: Path) -> dict[str, str]:
    """Ids of patients: their names, and the ids of their folders before `patients` of the configuration is applied.

    Parameters
    ----------
    present
        Names of the patients.
    recordings
        Table of the recordings; it may be missing.

    Returns
    -------
    dict
        Patient of each id.
    """
    names = set(present)
    ids = {name: name for name in sorted(names)}
    if recordings.is_file():
        table = read_table(recordings, ("patient", "path"), text=("patient", "path"))
        for patient, path in zip(table["patient"], table["path"], strict=True):
            folder = next((part for part in path.split("/") if part.startswith("sub-")), "")
            if patient in names and folder:
                ids.setdefault(normalize_id(folder), patient)
    return ids


def normalization_problems(run: str, theirs: str | None, model: str, space: Model, default: str) -> list[str]:
    """Find values of `training.normalization` that are not that of the source, whose weights expect its input.

    Parameters
    ----------
    run
        Name of the source.
    theirs
        Its normalization.
    model
        Name of the model.
    space
        Its fixed parameters and search space in this study, which can contain the normalization.
    default
        `training.normalization` of this study.

    Returns
    -------
    list of str
        A line for each other value.
    """
    place, values = space.setting_values("normalization", default)
    key = f" ({'.'.join(('models', model, *place))})" if place else ""
    return [
        f"training.init: {run} has the training.normalization {theirs}, this study has {ours}{key}; make them equal"
        for ours in values
        if ours != theirs
    ]
