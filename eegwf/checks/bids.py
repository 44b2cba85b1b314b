"""Check of a data set of recordings."""

from collections import Counter
from pathlib import Path

from eegwf.checks.events import check_expected_seizures, check_seizures, describe_events
from eegwf.checks.findings import Findings, format_duration
from eegwf.checks.initialization import check_shared_ids
from eegwf.checks.inputs import check_disk, check_grids
from eegwf.checks.labels import check_classes, study_folds
from eegwf.checks.recordings import Survey, survey
from eegwf.checks.signal_augmentation import check_signal_augmentation
from eegwf.checks.subgroups import check_subgroups
from eegwf.config.data import RecordedDataset
from eegwf.dag.flow import Flow
from eegwf.data.patients import compare_mapping, lost_ids
from eegwf.data.reading_settings import ReadingSettings
from eegwf.data.signals.derivations import SHOWN
from eegwf.errors import format_names
from eegwf.plan.sizes import Sizes


def check_bids(flow: Flow, findings: Findings, samples: bool | None = None) -> None:
    """Read the headers and events of all recordings, and count the windows of the study.

    Parameters
    ----------
    flow
        A study of recordings.
    findings
        Receives the lines.
    samples
        As in `eegwf.checks.recordings.survey`.

    Raises
    ------
    InputError
        If the recordings can't be listed.
    """
    study = flow.study
    dataset = study.dataset
    assert isinstance(dataset, RecordedDataset)
    reading = ReadingSettings(Path(dataset.root), dataset, study.signals, study.windows, study.patients, study.channels)
    surveyed = survey(reading, samples)
    findings.facts.append(
        f"data set: {dataset.root}: {len(surveyed.recordings)} recordings, {len(surveyed.headers)} of them fit for "
        f"use, of {len(surveyed.patients)} patients, {format_duration(sum(head.duration for head in surveyed.headers))}"
    )
    if dataset.exclude:
        findings.facts.append(f"not read, as dataset.exclude: {', '.join(dataset.exclude)}")
    if surveyed.problem:
        findings.problems.append(surveyed.problem)
    if study.signals.on_bad_recording == "exclude":
        findings.warnings += [f"will be excluded: {fault}" for fault in surveyed.faults]
    else:
        findings.problems += surveyed.faults
    findings.warnings += [*surveyed.warnings, *(f"will be excluded: {fault}" for fault in surveyed.excluded)]
    if surveyed.unread_bytes:
        findings.facts.append(
            f"samples: {surveyed.unread_bytes / 1e9:.2g} GB, not read; `eegwf check --samples` reads them, to find "
            "values that are not finite, flat channels and wrong units"
        )
    mapping = compare_mapping(study.patients, {recording.patient for recording in surveyed.recordings})
    findings.facts += mapping.notes
    findings.warnings += [*surveyed.ignored, *mapping.warnings]
    if not surveyed.headers:
        if not findings.problems:
            findings.problems.append(f"{dataset.root}: no recording can be used; see the warnings")
        return
    sfreq = _check_rates(flow, surveyed, findings)
    if surveyed.dropped:
        findings.facts.append(
            f"channels: in no derivation: {format_names(list(surveyed.dropped), SHOWN)}; data/recordings.tsv will list "
            "them for each recording"
        )
    describe_events(dataset, surveyed, findings)
    check_seizures(surveyed, findings)
    check_expected_seizures(dataset, study.patients, surveyed, findings)
    check_subgroups(flow, surveyed.patients, findings)
    n_windows = sum(surveyed.windows.values())
    n_borderline = sum(number for (_, label), number in surveyed.windows.items() if not label)
    findings.facts.append(
        f"windows: {n_windows} of {study.windows.length:g} s, one every {study.windows.step:g} s, {n_borderline} of "
        "them borderline"
    )
    if not n_windows:
        findings.problems.append(
            f"windows.length: no recording contains a usable window of {study.windows.length:g} s; choose a shorter "
            "length"
        )
        return
    n_times = study.windows.n_stored(sfreq)
    check_grids(flow, sfreq, n_times, {head.sfreq for head in surveyed.headers}, findings)
    check_signal_augmentation(flow, surveyed.derivations, findings)
    check_disk(flow, Sizes(study, n_windows, len(surveyed.derivations), n_times, flow.n_folds, None), findings)
    patient_of = [(item.patient, study.patients.get(item.patient, item.patient)) for item in surveyed.recordings]
    lost = lost_ids(patient_of, {patient for patient, _ in surveyed.windows})
    check_shared_ids(flow, {name for pair in patient_of for name in pair}, findings)
    folds = study_folds(flow, surveyed.windows, findings, lost)
    if folds is not None:
        check_classes(flow, surveyed.windows, folds, findings, surveyed.seizures_by_type())


def _check_rates(flow: Flow, surveyed: Survey, findings: Findings) -> float:
    """Report the sampling rates; returns that of the study in Hz."""
    signals = flow.study.signals
    rates = Counter(head.sfreq for head in surveyed.headers)
    listing = ", ".join(f"{rate:g} Hz ({number} recordings)" for rate, number in sorted(rates.items()))
    target = signals.target_sfreq(min(rates))
    findings.facts.append(
        f"signals: {len(surveyed.derivations)} derivations ({signals.montage}), recorded at {listing}"
        + ("" if set(rates) == {target} else f", resampled to {target:g} Hz")
    )
    return target
