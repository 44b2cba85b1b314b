"""Inspection of the samples of a data set, which `eegwf check` reads if there are few."""

from dataclasses import replace

from eegwf.data.amplitude import implausible_amplitudes
from eegwf.data.inspection import InspectedRecording, Inspection
from eegwf.data.opened_recording import open_recording
from eegwf.data.reading_settings import ReadingSettings
from eegwf.data.signals.file_names import recording_files
from eegwf.data.signals.signal import FlatChannels
from eegwf.errors import InputError
from eegwf.progress import Progress


def n_bytes(inspection: Inspection) -> int:
    """Size of the usable recordings: all files on which they depend."""
    paths = {file for item in inspection.usable for file in recording_files(item.recording.path)}
    return sum(path.stat().st_size for path in paths)


def inspect_samples(inspection: Inspection, reading: ReadingSettings) -> Inspection:
    """Read the samples of all usable recordings, as the run does, without writing windows.

    Parameters
    ----------
    inspection
        Result of `inspect_dataset`.
    reading
        Its settings.

    Returns
    -------
    Inspection
        With the faults of samples, and remarks about amplitudes among the notes.
    """
    if inspection.fault:
        return inspection
    progress = Progress(f"samples of {reading.root}", len(inspection.usable))
    items, deviations = [], {}
    for item in inspection.items:
        if not item.fault:
            try:
                opened = open_recording(item.recording, inspection.requested, reading, [])
                for _ in opened.read():
                    pass
                if opened.kept.any():
                    deviations[item.recording.recording] = opened.deviation
            except InputError as error:
                item = replace(item, fault=str(error), excluded_anyway=isinstance(error, FlatChannels))
            progress.step(item.recording.recording)
        items.append(item)
    found = implausible_amplitudes(deviations)
    return replace(inspection, items=[_with_amplitude(item, found, reading) for item in items])


def _with_amplitude(item: InspectedRecording, found: dict[str, str], reading: ReadingSettings) -> InspectedRecording:
    sentence = found.get(item.recording.recording)
    if sentence is None:
        return item
    if reading.signals.on_implausible_amplitude == "error":
        return replace(item, fault=f"{item.recording.path}: {sentence}")
    return replace(item, warnings=(f"{item.recording.path}: {sentence}",))
