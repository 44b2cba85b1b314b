"""Conversion of a corpus."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from eegwf.convert import texts
from eegwf.convert.corpora import Corpus
from eegwf.convert.names import participant_of, target_of
from eegwf.convert.participants import NO_VALUE, Table
from eegwf.convert.report import Outcome, conversion_table, counts_table, report_lines
from eegwf.convert.transfer import copy_file, link_file, write_changed
from eegwf.data.annotations.reading import recording_events
from eegwf.data.bids import Discovery, Recording, discover
from eegwf.data.bids_folders import entries
from eegwf.data.events import SEIZURE, EventRules
from eegwf.data.signals.file_names import recording_name
from eegwf.data.signals.header import header
from eegwf.errors import InputError
from eegwf.progress import Progress
from eegwf.storage.files import read_json, write_table

DESCRIPTION = "dataset_description.json"
SIDECARS = ("_eeg.json", "_channels.tsv")


def convert(corpus: Corpus, source: Path, destination: Path, link: bool) -> tuple[list[Outcome], list[str]]:
    """Convert a corpus to BIDS with SzCORE events.

    Files that are there already are not written again, so that an interrupted conversion is continued.

    Parameters
    ----------
    corpus
        The corpus.
    source
        Its folder, which is only read.
    destination
        Folder of the result.
    link
        Whether the recordings are links to those of the corpus, not copies.

    Returns
    -------
    outcomes
        What became of each recording, also of those that the corpus lists, but does not contain.
    lines
        Lines for the user.

    Raises
    ------
    InputError
        If the folders can't be used, or the corpus contains no recordings.
    """
    _check_folders(corpus, source, destination)
    try:
        found = discover(source, corpus.dataset.annotations, corpus.dataset.layout)
    except InputError:
        raise InputError(
            f"{source}: no recordings of {corpus.title}; expected files such as {corpus.example} in it; give the "
            "folder that contains them"
        ) from None
    write_changed(destination / DESCRIPTION, texts.json_text(texts.description(corpus)))
    known = corpus.read_participants(source)
    outcomes = [*_convert_all(corpus, source, destination, link, found, known), *_missing(corpus, source, found)]
    participants = {
        outcome.participant: corpus.source_id.format(label=recording.patient.removeprefix("sub-"))
        for recording, outcome in zip(found.recordings, outcomes, strict=False)
        if not outcome.fault
    }
    write_changed(destination / "participants.tsv", texts.participants_table(participants, known))
    write_changed(destination / "events.json", texts.json_text(texts.EVENTS_JSON))
    write_changed(destination / "README", texts.readme(corpus))
    counts = counts_table(outcomes, corpus)
    write_table(destination / "code/conversion.tsv", conversion_table(outcomes))
    write_table(destination / "code/counts.tsv", counts)
    lines = [f"not read: {line}" for line in found.ignored] + _leftover(destination, outcomes)
    return outcomes, lines + report_lines(outcomes, counts, corpus)


def _check_folders(corpus: Corpus, source: Path, destination: Path) -> None:
    """Refuse folders within each other, and a destination that is not empty and holds something else."""
    if not source.is_dir():
        raise InputError(f"{source}: no such folder; expected that of {corpus.title}")
    inner, outer = (Path(os.path.realpath(path)) for path in (destination, source))
    if inner == outer or outer in inner.parents or inner in outer.parents:
        raise InputError(
            f"{destination}: within the folder of the corpus, {source}, or around it; choose a folder beside it"
        )
    if destination.exists() and not destination.is_dir():
        raise InputError(f"{destination}: a file, expected a folder; choose another name")
    if not any(not name.startswith(".") for name in entries(destination)):
        return
    path = destination / DESCRIPTION
    content = read_json(path) if path.is_file() else {}
    generators = content.get("GeneratedBy") if isinstance(content, dict) else None
    ours = isinstance(generators, list) and any(
        isinstance(generator, dict) and generator.get("Name") == texts.GENERATOR for generator in generators
    )
    if not ours or content.get("Name") != corpus.title:
        name = content.get("Name") if isinstance(content, dict) else None
        found = f"the data set {name!r}" if name else f"other files, and no {DESCRIPTION}"
        raise InputError(
            f"{destination}: contains {found}, not a conversion of {corpus.title}; choose a new or empty folder"
        )


def _convert_all(
    corpus: Corpus, source: Path, destination: Path, link: bool, found: Discovery, known: Table
) -> Iterator[Outcome]:
    """Convert the recordings one after the other; one with a fault does not stop the others."""
    targets = {recording.recording: target_of(recording, source, corpus) for recording in found.recordings}
    times = Counter(target.as_posix().casefold() for target in targets.values())
    progress = Progress(f"converting {corpus.title}", len(found.recordings))
    for recording in found.recordings:
        target, file = targets[recording.recording], recording.path.relative_to(source).as_posix()
        outcome = Outcome(file, participant=participant_of(recording))
        fault = found.faults.get(recording.recording, "")
        if not fault and times[target.as_posix().casefold()] > 1:
            fault = f"{recording.path}: another recording would have the same name, {target.name}; rename one of them"
        try:
            if fault:
                raise InputError(fault)
            _check_place(destination, target)
            outcome = _convert_recording(corpus, recording, destination / target, link, known, outcome)
            outcome = replace(outcome, recording=target.as_posix())
        except InputError as error:
            outcome = replace(outcome, fault=_reason(str(error)))
        progress.step(file)
        yield outcome


def _convert_recording(
    corpus: Corpus, recording: Recording, target: Path, link: bool, known: Table, outcome: Outcome
) -> Outcome:
    """Write the files of a recording, the recording itself last, so that it is never there without its events."""
    head = header(recording.path)
    notes: list[str] = []
    events = recording_events(recording, head.span, EventRules.of(corpus.dataset), notes)
    seizure_type = known.get(outcome.participant, {}).get("seizure_type", NO_VALUE)
    if seizure_type != NO_VALUE:
        events = [replace(event, label=seizure_type) if event.label == SEIZURE else event for event in events]
    base = target.with_name(recording_name(target))
    write_changed(base.with_name(f"{base.name}_events.tsv"), texts.events_table(events, head))
    for ending, text in zip(SIDECARS, (texts.eeg_sidecar(head, corpus), texts.channels_table(head)), strict=True):
        given = recording.path.with_name(f"{recording_name(recording.path)}{ending}")
        if given.is_file():
            copy_file(given, base.with_name(f"{base.name}{ending}"))
        elif text:
            write_changed(base.with_name(f"{base.name}{ending}"), text)
    (link_file if link else copy_file)(recording.path, target)
    n_seizures = corpus.count_seizures(recording, events)
    return replace(outcome, seconds=head.span, n_seizures=n_seizures, notes=tuple(notes))


def _check_place(destination: Path, target: Path) -> None:
    """Refuse a folder of the result that is a link, possibly into the corpus."""
    for folder in list(target.parents)[:-1]:
        if (destination / folder).is_symlink():
            raise InputError(
                f"{destination / folder}: a link, so that files outside of the result would be written; remove it"
            )


def _missing(corpus: Corpus, source: Path, found: Discovery) -> Iterator[Outcome]:
    """Recordings that the files of annotations name, and that are not there."""
    pattern, read_names = corpus.lists
    files = {os.path.realpath(recording.path).casefold() for recording in found.recordings}
    for path in sorted(source.glob(pattern)):
        try:
            names = read_names(path)
        except InputError:  # named for each of its recordings
            continue
        there = {name.casefold() for name in entries(path.parent)}
        for name in names:
            file = path.with_name(name)
            if name.casefold() not in there and str(file).casefold() not in files:
                fault = f"{file}: no such file, although {path.name} names it; fetch it"
                yield Outcome(file.relative_to(source).as_posix(), fault=fault)


def _leftover(destination: Path, outcomes: list[Outcome]) -> list[str]:
    """Lines about recordings in the result that this conversion did not write."""
    written = {outcome.recording for outcome in outcomes if not outcome.fault}
    found = sorted(path.relative_to(destination).as_posix() for path in destination.glob("sub-*/**/*_eeg.edf*"))
    return [
        f"left from an earlier conversion: {name}; remove it with its tables, unless it belongs to the data set"
        for name in found
        if name not in written
    ]


def _reason(text: str) -> str:
    """A fault without advice about the configuration, which the conversion does not have."""
    line = re.sub(r" \(dataset\.[^)]*\)", "", " ".join(text.split()))
    return re.sub(r"(; |, or |\. )[^;]*dataset\.[^;]*$", r"; fetch the file again, or correct it", line)
