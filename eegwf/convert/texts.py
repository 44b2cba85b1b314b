"""Texts of the result: tables of events, sidecars, and the description of the data set."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import eegwf
from eegwf.convert.corpora import Corpus
from eegwf.convert.names import TASK
from eegwf.convert.participants import NO_VALUE
from eegwf.data.events import BACKGROUND, Event
from eegwf.data.signals.header import Header
from eegwf.data.start_times import header_start

# The columns of SzCORE (Dan et al. 2024, Epilepsia, doi:10.1111/epi.18113).
EVENT_COLUMNS = ("onset", "duration", "eventType", "confidence", "channels", "dateTime", "recordingDuration")
GENERATOR = "eegwf convert"
EVENTS_JSON: dict[str, Any] = {
    "onset": {"Description": "Start of the event, from the start of the recording.", "Units": "s"},
    "duration": {"Description": "Duration of the event.", "Units": "s"},
    "eventType": {
        "Description": "bckg: no seizure; sz: seizure, with subtypes such as sz_foc_ia (SzCORE, after the ILAE "
        "classification of 2017); disputed: experts disagree; impd: impedance check."
    },
    "confidence": {"Description": "Confidence in the event type, from 0 to 1."},
    "channels": {"Description": "Channels of the event."},
    "dateTime": {"Description": "Start of the recording in the header of its file."},
    "recordingDuration": {"Description": "Duration of the recording.", "Units": "s"},
}


def events_table(events: Sequence[Event], head: Header) -> str:
    """Table of the events of a recording, in the form of SzCORE.

    Parameters
    ----------
    events
        Its events. Without events, the table has one of the type `bckg`, as long as the recording.
    head
        Its header.

    Returns
    -------
    str
        Tab-separated text.
    """
    started = header_start(head)
    rest = (NO_VALUE, NO_VALUE, f"{started:%Y-%m-%d %H:%M:%S}" if started else NO_VALUE, f"{head.span:.10g}")
    rows = [EVENT_COLUMNS]
    for event in events or (Event(0.0, head.span, BACKGROUND),):
        rows.append((f"{event.onset:.10g}", f"{event.duration:.10g}", event.label, *rest))
    return _table(rows)


def eeg_sidecar(head: Header, corpus: Corpus) -> str:
    """Text of the `_eeg.json` of a recording.

    Parameters
    ----------
    head
        Its header.
    corpus
        The corpus.

    Returns
    -------
    str
        JSON.
    """
    counts = Counter(channel_type(head, index) for index in range(len(head.names)))
    return json_text(
        {
            "TaskName": TASK,
            "SamplingFrequency": head.sfreq,
            "PowerLineFrequency": corpus.power_line,
            "EEGReference": NO_VALUE,
            "SoftwareFilters": NO_VALUE,
            "EEGChannelCount": counts["EEG"],
            "ECGChannelCount": counts["ECG"],
            "MiscChannelCount": counts["MISC"],
            "RecordingDuration": head.span,
            "RecordingType": "continuous" if len(head.stretches) == 1 else "discontinuous",
        }
    )


def channels_table(head: Header) -> str:
    """Text of the `_channels.tsv` of a recording; empty if names occur several times, which BIDS does not allow."""
    if len(set(head.names)) < len(head.names):
        return ""
    rows = [("name", "type", "units")]
    for index, (name, unit) in enumerate(zip(head.names, head.units, strict=True)):
        rows.append((name or NO_VALUE, channel_type(head, index), unit or NO_VALUE))
    return _table(rows)


def channel_type(head: Header, index: int) -> str:
    """Type of a channel in BIDS.

    Parameters
    ----------
    head
        Header of the recording.
    index
        Index of the channel.

    Returns
    -------
    str
        `EEG`, `ECG` or `MISC`.
    """
    if head.channels[index] is not None:
        return "EEG"
    return "ECG" if any(part in head.names[index].upper() for part in ("ECG", "EKG")) else "MISC"


def participants_table(participants: Mapping[str, str], known: Mapping[str, Mapping[str, str]]) -> str:
    """Text of `participants.tsv`.

    Parameters
    ----------
    participants
        Id in the corpus of each participant.
    known
        Further columns by participant.

    Returns
    -------
    str
        Tab-separated text.
    """
    columns = dict.fromkeys(name for row in known.values() for name in row)
    columns = {name: None for name in columns if name != "participant_id"}
    rows = [("participant_id", "source_id", *columns)]
    for participant in sorted(participants):
        row = known.get(participant, {})
        rows.append((participant, participants[participant], *(row.get(name, NO_VALUE) for name in columns)))
    return _table(rows)


def description(corpus: Corpus) -> dict[str, Any]:
    """Content of `dataset_description.json`."""
    return {
        "Name": corpus.title,
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "License": corpus.license,
        "Authors": list(corpus.authors),
        "HowToAcknowledge": corpus.reference,
        "GeneratedBy": [{"Name": GENERATOR, "Version": eegwf.__version__}],
    }


def readme(corpus: Corpus) -> str:
    """Text of `README`."""
    lines = [
        corpus.title,
        "",
        f"Converted to BIDS with SzCORE events by {GENERATOR} {eegwf.__version__}. The recordings are unchanged.",
        f"Cite: {corpus.reference}. License: {corpus.license}.",
        "code/conversion.tsv lists the original file of each recording, and what was not converted.",
        "code/counts.tsv compares the converted with the published numbers.",
        *corpus.remarks,
    ]
    return "\n".join(lines) + "\n"


def json_text(value: Any) -> str:
    """JSON with a stable layout."""
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows)
