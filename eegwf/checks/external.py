"""Check of the external data sets of a study."""

from collections import Counter
from pathlib import Path

from eegwf.checks.findings import Findings, format_duration, format_names
from eegwf.checks.labels import WindowCounts
from eegwf.checks.recordings import survey
from eegwf.checks.synthetic import synthetic_labels
from eegwf.config.data import RecordedDataset, Synthetic
from eegwf.config.external import ExternalData
from eegwf.dag.flow import Flow
from eegwf.data.events import classify
from eegwf.data.inspection import inspect_dataset
from eegwf.data.reading_settings import ReadingSettings
from eegwf.errors import InputError


def check_external(flow: Flow, findings: Findings, samples: bool | None = None) -> None:
    """Read the headers and events of every external data set, and look for the classes of the study in it.

    Parameters
    ----------
    flow
        The study.
    findings
        Receives the lines.
    samples
        As in `eegwf.checks.recordings.survey`.
    """
    for name, data in flow.external.sets.items():
        try:
            labels = _recorded(flow, name, data, findings, samples) or _synthetic(flow, name, data, findings)
        except InputError as error:
            findings.problems.append(f"external data set {name}: {error}")
            continue
        if labels:
            _check_classes(flow, name, labels, findings)


def _synthetic(flow: Flow, name: str, data: ExternalData, findings: Findings) -> WindowCounts:
    if not isinstance(data.dataset, Synthetic):
        return Counter()
    labels = synthetic_labels(data.dataset)
    n_patients = len({patient for patient, _ in labels})
    findings.facts.append(f"external data set {name}: synthetic, will be generated: {n_patients} patients")
    return labels


def _recorded(flow: Flow, name: str, data: ExternalData, findings: Findings, samples: bool | None) -> WindowCounts:
    """Windows of a data set of recordings by patient and label; none if it can't be used."""
    dataset, study = data.dataset, flow.study
    if not isinstance(dataset, RecordedDataset):
        return Counter()
    reading = ReadingSettings(Path(dataset.root), dataset, study.signals, study.windows, data.patients, data.channels)
    surveyed = survey(_as_study(flow, reading), samples)
    seconds = format_duration(sum(head.duration for head in surveyed.headers))
    findings.facts.append(
        f"external data set {name}: {dataset.root}: {len(surveyed.recordings)} recordings, {len(surveyed.headers)} of "
        f"them fit to be read as those of the study, of {len(surveyed.patients)} patients, {seconds}"
    )
    problems = [*([surveyed.problem] if surveyed.problem else []), *surveyed.faults]
    if study.signals.on_bad_recording == "exclude" and surveyed.headers:
        findings.warnings += [f"external data set {name}: will be excluded: {fault}" for fault in problems]
    else:
        findings.problems += [f"external data set {name}: {fault}" for fault in problems]
    findings.warnings += [f"external data set {name}: {line}" for line in (*surveyed.warnings, *surveyed.ignored)]
    return surveyed.windows


def _as_study(flow: Flow, reading: ReadingSettings) -> ReadingSettings:
    """Settings with the derivations and the rate of the study, where they depend on its recordings."""
    study, dataset = flow.study, flow.study.dataset
    signals = study.signals
    given = signals.montage != "as recorded" and signals.missing != "exclude" and signals.sfreq != "as recorded"
    if given or not isinstance(dataset, RecordedDataset):
        return reading
    own = ReadingSettings(Path(dataset.root), dataset, signals, study.windows, study.patients, study.channels)
    found = inspect_dataset(own)
    rates = [signals.target_sfreq(item.head.sfreq) for item in found.usable if item.head]
    return reading.as_study(found.derivations, max(set(rates), key=rates.count)) if rates else reading


def _check_classes(flow: Flow, name: str, labels: WindowCounts, findings: Findings) -> None:
    """Report the windows of each class, and find class sets of the matrix with an empty class."""
    types = sorted({label for _, label in labels if label})
    empty = {
        key: [one for one in classes if not any(classify(label, classes) == one for label in types)]
        for key, classes in flow.study.classes.items()
    }
    fitting = [key for key, classes in empty.items() if not classes]
    findings.facts.append(
        f"external data set {name}: event types {format_names(types)}; class sets that they fill: "
        f"{format_names(fitting) or 'none'}"
    )
    advice = "map its labels in dataset.event_map"
    if fitting:
        advice = f"use a class set such as {fitting[0]}, with external.{name}.classes: [{fitting[0]}]"
    tested = [key for key in flow.study.matrix.classes if name in flow.study.external_sets(key)]
    for key in tested:
        for one in empty[key]:
            entries = ", ".join(flow.study.classes[key][one])
            findings.problems.append(
                f"external data set {name} has no events of class {one} ({entries}) of the class set {key}; its event "
                f"types: {format_names(types)}; {advice}"
            )
