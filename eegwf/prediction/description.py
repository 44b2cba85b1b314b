"""Description of final models, `models.json`: all that predicting a recording needs besides the weights."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from eegwf.config.channels import Channels
from eegwf.config.data import ClassSet, Signals
from eegwf.config.final_paths import FORMAT
from eegwf.config.section import Section
from eegwf.config.spectrograms import Spectrograms
from eegwf.config.windows import Windows
from eegwf.data.events import matches
from eegwf.errors import InputError
from eegwf.evaluation.detector import OperatingPoint
from eegwf.storage.files import read_json


class Reading(Section):
    """How a recording is read and transformed.

    Attributes
    ----------
    signals, windows, channels, spectrograms
        Sections of the configuration.
    sfreq
        Sampling rate in Hz after resampling.
    n_times
        Samples of a window with its context.
    ch_names
        Names of the derivations, in the order of the arrays.
    """

    signals: Signals
    windows: Windows
    channels: Channels
    spectrograms: Spectrograms
    sfreq: float
    n_times: int
    ch_names: list[str]

    @property
    def resampled(self) -> Signals:
        """Settings of the signals with the sampling rate of the study, also if it was that of its recordings."""
        return self.signals.model_copy(update={"sfreq": self.sfreq})


class ChosenPoint(Section):
    """Operating point of the detector, from the validation predictions of all folds.

    Attributes
    ----------
    threshold
        Probability of a seizure above which a detection begins; None for a detector that never alarms.
    smoothing, min_duration
        Seconds, as in `OperatingPoint`.
    reason
        Why the target was not reached, or why the default is used; otherwise empty.
    """

    threshold: float | None
    smoothing: float
    min_duration: float
    reason: str = ""

    @property
    def point(self) -> OperatingPoint:
        """The operating point."""
        return OperatingPoint.read(self.model_dump())


class FinalDescription(Section):
    """Content of `models.json`.

    Attributes
    ----------
    format
        Version of the format.
    scored
        False: no patient is left on whom these models could be scored.
    run, model, spectrogram
        Names of the combination, of its model and of its spectrogram.
    classes
        Event types of each class, the background first.
    primary
        Member that predicts: `ensemble`, or `rank1` for the first model, ...
    models
        Names of the folders of the models.
    reading
        How a recording is read and transformed.
    operating_point
        None if the class set has no background, so that no detector is defined.
    trained_on
        Numbers of patients, recordings, windows and hours, and of windows of each class.
    cross_validation
        Scores of the primary member of the study with their intervals, which estimate the performance of the procedure.
    versions
        Versions of the libraries.
    """

    format: Literal[1] = FORMAT
    scored: Literal[False] = False
    run: str
    model: str
    spectrogram: Literal["mel", "stft", "cwt", "acf", "concat", "raw"]
    classes: ClassSet
    primary: str = Field(pattern=r"^(ensemble|rank[1-9][0-9]*)$")
    models: list[str] = Field(min_length=1)
    reading: Reading
    operating_point: ChosenPoint | None
    trained_on: dict[str, Any]
    cross_validation: dict[str, Any]
    versions: dict[str, Any]

    @model_validator(mode="after")
    def _primary_has_a_model(self) -> "FinalDescription":
        if self.primary.startswith("rank") and int(self.primary.removeprefix("rank")) > len(self.models):
            raise ValueError(f"primary is {self.primary}, but there are {len(self.models)} models")
        return self

    @property
    def seizure_classes(self) -> list[str]:
        """Classes other than the background."""
        return list(self.classes)[1:]

    def event_type(self, name: str) -> str:
        """Event type that a detection of a class has: the only one of the class if it is a seizure, else `sz`."""
        entries = self.classes[name]
        return entries[0] if len(entries) == 1 and matches("sz", entries[0]) else "sz"


def read_description(path: Path) -> FinalDescription:
    """Read `models.json`.

    Raises
    ------
    InputError
        If the file has another format.
    """
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else None
        raise InputError(f"{path}: format {found!r}, expected {FORMAT}; use the version of eegwf that wrote it")
    try:
        return FinalDescription.model_validate(content)
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"]))
        found = f"{place}: {detail['msg']}" if place else detail["msg"]
        raise InputError(f"{path}: {found}; write it anew with this version of eegwf") from None
