"""Files of a predicted recording."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from eegwf.evaluation.predictions import probability_columns, raw_columns
from eegwf.prediction.description import FinalDescription
from eegwf.prediction.ensemble import Ensemble
from eegwf.prediction.figure import timeline_figure
from eegwf.prediction.inputs import InputRecording
from eegwf.prediction.recording import RecordingPrediction
from eegwf.prediction.szcore import events_of
from eegwf.storage.files import write_table, write_text


@dataclass(frozen=True)
class OutputPaths:
    """Files of a predicted recording.

    Attributes
    ----------
    folder
        Their folder.
    name
        Name of the recording.
    """

    folder: Path
    name: str

    @classmethod
    def of(cls, recording: InputRecording, output: Path) -> "OutputPaths":
        """Files of a recording in an output folder."""
        return cls(output / recording.folder, recording.name)

    def _file(self, ending: str) -> Path:
        return self.folder / f"{self.name}_{ending}"

    @property
    def events(self) -> Path:
        """Detected events in the form of SzCORE."""
        return self._file("events.tsv")

    @property
    def probabilities(self) -> Path:
        """Probabilities of the windows."""
        return self._file("probabilities.tsv")

    @property
    def figure(self) -> Path:
        """Probability over time."""
        return self._file("timeline.svg")

    @property
    def record(self) -> Path:
        """Models that predicted, why these, and the quality of the input."""
        return self._file("prediction.json")

    @property
    def stamp(self) -> Path:
        """Hidden file that marks a complete prediction of this recording by these models."""
        return self.folder / f".{self.name}_prediction.stamp.json"


def write_prediction(
    paths: OutputPaths, description: FinalDescription, ensemble: Ensemble, result: RecordingPrediction
) -> None:
    """Write probabilities, events and figure.

    Parameters
    ----------
    paths
        Files to write.
    description
        Description of the models.
    ensemble
        Models that predicted, with their operating point; without one, there are no events and no figure.
    result
        Prediction of the recording.
    """
    classes = list(description.classes)
    length = description.reading.windows.length
    write_table(paths.probabilities, _probabilities(result, classes, length))
    if ensemble.point is None:
        return
    events = events_of(description, ensemble.point, result)
    write_table(paths.events, events)
    p_seizure, end = 1 - result.calibrated[:, 0], result.onset + length
    write_text(paths.figure, timeline_figure(paths.name, result.onset, end, p_seizure, ensemble.point, events))


def _probabilities(result: RecordingPrediction, classes: list[str], length: float) -> pd.DataFrame:
    """Table with a row for each window: calibrated probabilities `p_`, and the mean softmax of the models `raw_`."""
    table = pd.DataFrame({"onset": result.onset, "duration": length})
    table["predicted"] = np.asarray(classes, dtype=object)[result.raw.argmax(axis=1)]
    calibrated = pd.DataFrame(result.calibrated, columns=probability_columns(classes))
    return pd.concat([table, calibrated, pd.DataFrame(result.raw, columns=raw_columns(classes))], axis=1)
