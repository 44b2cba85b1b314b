"""Models of a source, loaded when they are needed, and the choice between them for a recording."""

from functools import cached_property
from typing import NamedTuple

from eegwf.compute.device import prepare
from eegwf.config.channels import Channels
from eegwf.errors import InputError
from eegwf.prediction.description import FinalDescription
from eegwf.prediction.ensemble import Ensemble, load_final_models, load_fold_models
from eegwf.prediction.input_statistics import InputStatistics, read_input_statistics
from eegwf.prediction.inputs import InputRecording
from eegwf.prediction.recording import RecordingPrediction, ShorterThanWindow, StudySamples, predict_recording
from eegwf.prediction.source import Source
from eegwf.prediction.study_patients import ModelChoice, StudyPatients
from eegwf.spectrograms.input_transform import InputTransform

# Seconds between two lines of progress of one recording.
SECONDS_OF_PROGRESS = 5.0


class ChosenPrediction(NamedTuple):
    """Prediction of a recording, and the models that were chosen for it.

    Attributes
    ----------
    choice
        Fold of the models, and the reason.
    ensemble
        The models.
    result
        Probabilities and quality.
    """

    choice: ModelChoice
    ensemble: Ensemble
    result: RecordingPrediction


class SourceModels:
    """Models of a source, loaded when they are needed.

    Parameters
    ----------
    source
        Run or bundle.
    device
        `cpu`, `cuda` or `auto`.
    channels
        Names of the channels of the recordings; None for those of the study.
    """

    def __init__(self, source: Source, device: str = "cpu", channels: Channels | None = None):
        self._source, self._device_name, self._channels = source, device, channels
        self._ensembles: dict[int | None, Ensemble] = {}

    @cached_property
    def description(self) -> FinalDescription:
        """Description of the final models, with the names of the channels of the recordings."""
        description = self._source.description()
        if self._channels is None:
            return description
        reading = description.reading.model_copy(update={"channels": self._channels})
        return description.model_copy(update={"reading": reading})

    @cached_property
    def _device(self) -> str:
        # One thread, since the last bits of the spectrograms depend on the number of threads.
        return prepare(self._device_name, 1, deterministic=True)

    @cached_property
    def _transform(self) -> InputTransform:
        reading = self.description.reading
        name = self.description.spectrogram
        grids = {} if name == "raw" else reading.spectrograms.grids(name).by_name
        return InputTransform(grids, reading.sfreq, reading.n_times)

    @cached_property
    def _statistics(self) -> InputStatistics:
        return read_input_statistics(self._source.final.input_statistics)

    @cached_property
    def _patients(self) -> StudyPatients:
        return StudyPatients(self._source)

    def predict(self, item: InputRecording, patient: str = "", interval: float = float("inf")) -> ChosenPrediction:
        """Predict a recording.

        Parameters
        ----------
        item
            The recording.
        patient
            Id of its patient; empty to take it from its name.
        interval
            Seconds between two lines of progress; infinity for none.

        Returns
        -------
        ChosenPrediction
            Its prediction, by models that were trained without its patient.

        Raises
        ------
        InputError
            If it can't be predicted; the message names it.
        ShorterThanWindow
            If it is shorter than a window.
        """
        try:
            return self._predict_unseen(item, self._patients.choose(patient or item.subject, bool(patient)), interval)
        except ShorterThanWindow:
            raise
        except InputError as error:
            text = str(error)
            raise InputError(text if str(item.path) in text else f"{item.path}: {text}") from None

    def _predict_unseen(self, item: InputRecording, choice: ModelChoice, interval: float) -> ChosenPrediction:
        """Predict by the chosen models or, if the samples are of another patient, by those without this patient."""
        try:
            return self._predict_by(choice, item, interval)
        except StudySamples as found:
            choice = self._patients.choose_by_samples(found.windows)
        try:
            return self._predict_by(choice, item, interval)
        except StudySamples:
            raise InputError(
                f"it has samples of patient {choice.patient} and of other patients of the study, so that no models are "
                "without all of them; divide the file"
            ) from None

    def _predict_by(self, choice: ModelChoice, item: InputRecording, interval: float) -> ChosenPrediction:
        ensemble = self._ensemble(choice.fold)
        reading, transform, statistics = self.description.reading, self._transform, self._statistics
        result = predict_recording(item, reading, transform, ensemble, statistics, self._patients, choice, interval)
        return ChosenPrediction(choice, ensemble, result)

    def _ensemble(self, fold: int | None) -> Ensemble:
        if fold not in self._ensembles:
            source = self._source
            if fold is None:
                self._ensembles[fold] = load_final_models(source.final, self.description, self._device)
            else:
                assert source.run is not None, "a bundle has no folds"
                self._ensembles[fold] = load_fold_models(source.run, fold, self.description, self._device)
        return self._ensembles[fold]
