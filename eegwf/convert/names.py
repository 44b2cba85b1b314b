"""Paths of converted recordings."""

import re
from pathlib import Path

from eegwf.convert.corpora import Corpus
from eegwf.data.bids import Recording
from eegwf.data.signals.file_names import recording_stem, recording_suffix

TASK = "szMonitoring"
PREFIX = "sub-"


def participant_of(recording: Recording) -> str:
    """Id of the patient of a recording in the result: numbers have at least two digits (`sub-04` for `eeg4.edf`)."""
    label = recording.patient.removeprefix(PREFIX)
    return f"{PREFIX}{label.zfill(2) if label.isdecimal() else label}"


def target_of(recording: Recording, source: Path, corpus: Corpus) -> Path:
    """Path of a converted recording.

    Parameters
    ----------
    recording
        A recording of the corpus.
    source
        Folder of the corpus.
    corpus
        The corpus.

    Returns
    -------
    Path
        Relative to the result: `sub-01/eeg/sub-01_task-szMonitoring_run-03_eeg.edf` for `chb01/chb01_03.edf`. The label
        that distinguishes the recordings of a patient is the run if it is a number, otherwise the acquisition: letters
        and digits of `a_03` give `acq-a03`, and `+` is written `plus`. Names of BIDS are kept.
    """
    if not corpus.names:
        return recording.path.relative_to(source)
    participant, stem = participant_of(recording), recording_stem(recording.path)
    match = re.fullmatch(corpus.names, stem)
    groups = match.groupdict() if match else {"label": stem}
    session, label = _label(groups.get("session") or ""), _label(groups["label"])
    is_number = groups["label"].strip("_-") == label and label.isdecimal()
    entities = {"ses": session, "task": TASK, "run" if is_number else "acq": label}
    folder = Path(participant, f"ses-{session}", "eeg") if session else Path(participant, "eeg")
    parts = [participant, *(f"{key}-{value}" for key, value in entities.items() if value)]
    return folder / f"{'_'.join(parts)}_eeg{recording_suffix(recording.path)}"


def _label(text: str) -> str:
    return "".join(character for character in text.replace("+", "plus") if character.isascii() and character.isalnum())
