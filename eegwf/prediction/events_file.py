"""Prediction of one recording into one file of detected events, as SzCORE runs a detector."""

import logging
from pathlib import Path

import pandas as pd

from eegwf.config.channels import Channels
from eegwf.config.patients import normalize_id
from eegwf.errors import InputError
from eegwf.prediction.inputs import InputRecording
from eegwf.prediction.recording import ShorterThanWindow
from eegwf.prediction.source import open_source
from eegwf.prediction.source_models import SECONDS_OF_PROGRESS, SourceModels
from eegwf.prediction.szcore import COLUMNS, events_of
from eegwf.storage.files import write_table

logger = logging.getLogger(__name__)


def write_events(
    path: Path,
    recording: InputRecording,
    events: Path,
    patient: str = "",
    device: str = "cpu",
    channels: Channels | None = None,
) -> None:
    """Predict a recording and write its detected events, and no other file.

    Parameters
    ----------
    path
        Folder of a combination, or zip file of its final models.
    recording
        The recording. If it is shorter than a window, no events are written, with a warning.
    events
        Table to write.
    patient
        Id of the patient; empty to take it from the name of the recording.
    device
        `cpu`, `cuda` or `auto`.
    channels
        Names of the channels of the recording; None for those of the study.

    Raises
    ------
    InputError
        If the source can't be used, its models can't detect events, or the recording can't be predicted.
    """
    with open_source(path) as source:
        source.check_complete(path)
        models = SourceModels(source, device, channels)
        if models.description.operating_point is None:
            raise InputError(
                f"{path}: its class set has no background, so that its models have no operating point and detect no "
                "events; use a run whose class set has one"
            )
        try:
            _, ensemble, result = models.predict(recording, normalize_id(patient), SECONDS_OF_PROGRESS)
        except ShorterThanWindow as error:
            logger.warning("warning: %s; the table of events is empty", error)
            table = pd.DataFrame(columns=list(COLUMNS))
        else:
            assert ensemble.point is not None, "the description has one"
            table = events_of(models.description, ensemble.point, result)
    write_table(events, table)
