"""Prediction of many recordings, with the files of each; recordings that are already predicted are skipped."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from eegwf.config.channels import Channels
from eegwf.config.patients import normalize_id
from eegwf.data.signals.channel_table import channel_table_path
from eegwf.data.signals.file_names import recording_files
from eegwf.errors import InputError
from eegwf.prediction.inputs import InputRecording
from eegwf.prediction.outputs import OutputPaths, write_prediction
from eegwf.prediction.source import Source, open_source
from eegwf.prediction.source_models import SECONDS_OF_PROGRESS, SourceModels
from eegwf.progress import Progress
from eegwf.storage.files import digest, read_json, write_json, write_table
from eegwf.storage.job_state import library_versions
from eegwf.storage.worker_pool import worker_pool

logger = logging.getLogger(__name__)
QUALITY = "input_quality.tsv"
INCOMPLETE: list[str] = []
"""Stamp of a recording whose files are being written."""


@dataclass(frozen=True)
class PredictionTask:
    """What is the same for all recordings.

    Attributes
    ----------
    source
        Run or bundle.
    identity
        Digest of the models, the device, the names of the channels and the versions of the libraries.
    output
        Folder of the output files.
    patient
        Id of the patient of all recordings; empty to take it from their names.
    device
        `cpu`, `cuda` or `auto`.
    channels
        Names of the channels of the recordings; None for those of the study.
    detects
        Whether the models have an operating point, so that events are written.
    several
        Whether other recordings are predicted beside one, so that its own progress is not logged.
    """

    source: Source
    identity: str
    output: Path
    patient: str = ""
    device: str = "cpu"
    channels: Channels | None = None
    detects: bool = True
    several: bool = False


def predict_from(
    path: Path,
    recordings: Sequence[InputRecording],
    output: Path,
    patient: str = "",
    device: str = "cpu",
    channels: Channels | None = None,
    workers: int = 1,
) -> list[tuple[InputRecording, str]]:
    """Predict recordings with the models of a run or a bundle.

    Parameters
    ----------
    path
        Folder of a combination, or zip file of its final models.
    recordings
        The recordings.
    output
        Folder of the output files.
    patient
        Id of the patient of all recordings; empty to take it from their names.
    device
        `cpu`, `cuda` or `auto`.
    channels
        Names of the channels of the recordings; None for those of the study.
    workers
        Number of processes.

    Returns
    -------
    list
        As from `predict_recordings`.

    Raises
    ------
    InputError
        If the source can't be used.
    """
    with open_source(path) as source:
        source.check_complete(path)
        named = channels.model_dump(mode="json") if channels else None
        identity = digest([source.digest(), device, named, library_versions()])
        detects, several = source.description().operating_point is not None, len(recordings) > 1
        task = PredictionTask(source, identity, output, normalize_id(patient), device, channels, detects, several)
        return predict_recordings(recordings, task, workers)


def predict_recordings(
    recordings: Sequence[InputRecording], task: PredictionTask, workers: int = 1
) -> list[tuple[InputRecording, str]]:
    """Predict recordings and write their files, and the table of the input quality.

    Parameters
    ----------
    recordings
        The recordings.
    task
        Models and output folder.
    workers
        Number of processes; the results do not depend on it.

    Returns
    -------
    list
        Recordings that can't be predicted, each with the reason in one line.

    Raises
    ------
    InputError
        If the source can't be used.
    """
    started = time.monotonic()
    failed: list[tuple[InputRecording, str]] = []
    done: list[dict[str, Any]] = []
    finished = {item.path: _finished(item, task) for item in recordings}
    waiting = [item for item in recordings if finished[item.path] is None]
    # A folder that can't be written to is found before the first prediction.
    _write_quality(recordings, finished, task)
    progress = Progress("prediction", len(recordings))
    progress.skip(len(recordings) - len(waiting))
    if len(waiting) < len(recordings):
        logger.info("%d recording(s) are already predicted", len(recordings) - len(waiting))
    if workers <= 1 or len(waiting) <= 1:
        predictor = Predictor(task)
        for item in waiting:
            _collect(item, predictor.predict(item), finished, failed, done)
            progress.step(item.name)
    else:
        with worker_pool(min(workers, len(waiting))) as pool:
            futures = {pool.submit(_predict_in_worker, task, item): item for item in waiting}
            for future in as_completed(futures):
                _collect(futures[future], future.result(), finished, failed, done)
                progress.step(futures[future].name)
    _write_quality(recordings, finished, task)
    hours = sum(row["quality"]["seconds"] for row in done) / 3600
    if hours:
        logger.info("%.1f s for each hour of EEG (%.2f h)", (time.monotonic() - started) / hours, hours)
    order = {item.path: number for number, item in enumerate(recordings)}
    return sorted(failed, key=lambda pair: order[pair[0].path])


def _write_quality(
    recordings: Sequence[InputRecording], finished: dict[Path, dict[str, Any] | None], task: PredictionTask
) -> None:
    rows = [record["quality"] for item in recordings if (record := finished[item.path]) is not None]
    write_table(task.output / QUALITY, pd.DataFrame(rows) if rows else pd.DataFrame(columns=["recording", "models"]))


def _collect(
    item: InputRecording,
    result: dict[str, Any] | str,
    finished: dict[Path, dict[str, Any] | None],
    failed: list[tuple[InputRecording, str]],
    done: list[dict[str, Any]],
) -> None:
    if isinstance(result, str):
        failed.append((item, result))
        logger.warning("warning: %s", result)
    else:
        finished[item.path] = result
        done.append(result)


def _stamp(item: InputRecording, task: PredictionTask) -> list[Any]:
    """Stamp that changes with the recording, the table of its channels, the models and the patient."""
    files = [file for file in (*recording_files(item.path), channel_table_path(item.path)) if file.is_file()]
    facts = [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    return [task.identity, task.patient, facts]


def _finished(item: InputRecording, task: PredictionTask) -> dict[str, Any] | None:
    """Record of a recording whose files are complete; None if it must be predicted."""
    paths = OutputPaths.of(item, task.output)
    if not paths.stamp.is_file():
        if paths.events.is_file():
            raise InputError(
                f"{paths.events}: not of a prediction, such as annotations, which would be replaced; choose another "
                "--output"
            )
        return None
    if read_json(paths.stamp) != _stamp(item, task) or not paths.record.is_file():
        return None
    record = read_json(paths.record)
    files = [paths.probabilities, *((paths.events, paths.figure) if task.detects else ())]
    return record if all(path.is_file() for path in files) else None


class Predictor:
    """Predicts recordings with the models of a source, which are kept in memory, and writes their files.

    Parameters
    ----------
    task
        Models and output folder.
    """

    def __init__(self, task: PredictionTask):
        self.task = task
        self._models = SourceModels(task.source, task.device, task.channels)

    def predict(self, item: InputRecording) -> dict[str, Any] | str:
        """Predict a recording and write its files.

        Parameters
        ----------
        item
            The recording.

        Returns
        -------
        dict or str
            Its record, or why it can't be predicted.
        """
        stamp = _stamp(item, self.task)
        try:
            interval = float("inf") if self.task.several else SECONDS_OF_PROGRESS
            choice, ensemble, result = self._models.predict(item, self.task.patient, interval)
        except InputError as error:
            return str(error)
        description = self._models.description
        record = {
            "recording": item.name,
            "models": ensemble.name,
            "reason": choice.reason,
            "run": description.run,
            "quality": {"recording": item.name, "models": ensemble.name, **result.quality},
        }
        paths = OutputPaths.of(item, self.task.output)
        # Files of two predictions are not mixed if this process ends between them.
        write_json(paths.stamp, INCOMPLETE)
        write_prediction(paths, description, ensemble, result)
        write_json(paths.record, record)
        write_json(paths.stamp, stamp)
        return record


_predictors: dict[str, Predictor] = {}


def _predict_in_worker(task: PredictionTask, item: InputRecording) -> dict[str, Any] | str:
    """Predict a recording in a worker process, which keeps the models for the next one."""
    return _predictors.setdefault(task.identity, Predictor(task)).predict(item)
