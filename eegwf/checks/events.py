"""Checks of the events of a data set: their types and corrections, and seizures that no window carries."""

from collections.abc import Mapping

from eegwf.checks.findings import Findings, format_duration, format_names
from eegwf.checks.recordings import Survey
from eegwf.config.data import RecordedDataset
from eegwf.data.seizure_counts import SeizureCounts, compare_expected

ADVICE = "decrease windows.length or windows.min_overlap, or set windows.min_event_overlap"


def describe_events(dataset: RecordedDataset, surveyed: Survey, findings: Findings) -> None:
    """Report the duration and the patients of each event type, and the corrections of events.

    Parameters
    ----------
    dataset
        Settings of the data set.
    surveyed
        Contents of the data set.
    findings
        Receives the lines.
    """
    parts = [
        f"{name} {format_duration(seconds)} ({len(surveyed.event_patients[name])} patients)"
        for name, seconds in sorted(surveyed.event_seconds.items())
        if name
    ]
    if rest := surveyed.event_seconds.get("", 0.0):
        label = "borderline" if dataset.unannotated is None else f"labeled as {dataset.unannotated}"
        parts.append(f"without event {format_duration(rest)}, {label}")
    findings.facts.append(f"events: {', '.join(parts)}")
    if surveyed.notes:
        number = sum(len(notes) for notes in surveyed.notes.values())
        name, notes = next(iter(surveyed.notes.items()))
        findings.facts.append(
            f"events: {number} correction{'s' * (number > 1)} in {len(surveyed.notes)} "
            f"recording{'s' * (len(surveyed.notes) > 1)}, which data/recordings.tsv will list; the first: {name}: "
            f"{notes[0]}"
        )


def check_seizures(surveyed: Survey, findings: Findings) -> None:
    """Report how many annotated seizures no window carries, and how many have no length.

    Parameters
    ----------
    surveyed
        Contents of the data set.
    findings
        Receives a fact, and warnings for seizures that no window carries and for those of no length.
    """
    totals = {name: sum(counts.values(), SeizureCounts()) for name, counts in surveyed.seizures.items()}
    total = sum(totals.values(), SeizureCounts())
    unlabeled = [f"{name}: {counts.n_unlabeled}" for name, counts in totals.items() if counts.n_unlabeled]
    opened = [f"{name}: {counts.n_open}" for name, counts in totals.items() if counts.n_open]
    listing = f" ({format_names(unlabeled)})" if unlabeled else ""
    findings.facts.append(f"seizures: {total.n_seizures} annotated, {total.n_unlabeled} of them in no window{listing}")
    n_short = total.n_unlabeled - total.n_open
    if n_short:
        short = [f"{name}: {counts.n_unlabeled - counts.n_open}" for name, counts in totals.items()]
        short = [text for text in short if not text.endswith(": 0")]
        findings.warnings.append(
            f"seizures: no window has the label of {n_short} of {total.n_seizures} annotated seizures "
            f"({format_names(short)}); {ADVICE}"
        )
    if opened:
        findings.warnings.append(
            f"seizures: {total.n_open} of {total.n_seizures} have no length ({format_names(opened)}); they label no "
            "window, and the time after their onset is not background; write their durations"
        )


def check_expected_seizures(
    dataset: RecordedDataset, patients: Mapping[str, str], surveyed: Survey, findings: Findings
) -> None:
    """Find patients with another number of annotated seizures than `dataset.expected_seizures`.

    Parameters
    ----------
    dataset
        Settings of the data set.
    patients
        Id of the patient for each further id of the same person.
    surveyed
        Contents of the data set.
    findings
        Receives a warning for each difference.
    """
    annotated: dict[str, int] = {}
    for recording in surveyed.recordings:
        patient = patients.get(recording.patient, recording.patient)
        counts = sum(surveyed.seizures.get(recording.recording, {}).values(), SeizureCounts())
        annotated[patient] = annotated.get(patient, 0) + counts.n_seizures
    findings.warnings += [
        f"dataset.expected_seizures: {line}" for line in compare_expected(dataset.expected_seizures, annotated)
    ]
