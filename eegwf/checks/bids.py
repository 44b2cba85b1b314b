"""The check of a BIDS data set."""

from collections import Counter
from pathlib import Path

from eegwf.checks.findings import Findings, span
from eegwf.checks.inputs import check_grids, check_space
from eegwf.checks.labels import check_classes, study_folds
from eegwf.checks.recordings import Survey, survey
from eegwf.config.data import Bids
from eegwf.dag.flow import Flow
from eegwf.data.dataset import Reading


def check_bids(flow: Flow, findings: Findings) -> None:
    """Look at every header and table of events, and count the windows they will give.

    Raises
    ------
    InputError
        If no recordings can be listed.
    """
    study = flow.study
    dataset: Bids = study.dataset
    found = survey(Reading(Path(dataset.root), dataset, study.signals, study.windows, study.patients))
    findings.facts.append(
        f"data set: {dataset.root}: {len(found.recordings)} recordings, {len(found.heads)} of them fit for use, of "
        f"{len(found.patients)} patients, {span(sum(head.duration for head in found.heads))}"
    )
    if study.signals.on_bad_recording == "exclude":
        findings.warnings += [f"will be left out: {fault}" for fault in found.faults]
    else:
        findings.problems += found.faults
    named = {recording.patient for recording in found.recordings}
    findings.warnings += [
        f"patients.{alias}: no such patient in the data set; if that is a slip, one person may be in two folds"
        for alias in study.patients
        if alias not in named
    ]
    if not found.heads:
        if not findings.problems:
            findings.problems.append(f"{dataset.root}: no recording can be used; see the warnings")
        return
    rate = _check_rates(flow, found, findings)
    _describe_events(dataset, found, findings)
    n_windows = sum(found.windows.values())
    borderline = sum(number for (_, label), number in found.windows.items() if not label)
    findings.facts.append(
        f"windows: {n_windows} of {study.windows.length:g} s, one every {study.windows.step:g} s, {borderline} of them "
        "borderline"
    )
    if not n_windows:
        findings.problems.append(
            f"windows.length: no recording gives a window of {study.windows.length:g} s; choose a shorter length"
        )
        return
    length = round(study.windows.length * rate)
    check_grids(flow, rate, length, min(head.sfreq for head in found.heads), findings)
    check_space(flow, n_windows, len(found.derivations), length, findings)
    folds = study_folds(flow, found.windows, findings)
    if folds is not None:
        check_classes(flow, found.windows, folds, findings)


def _check_rates(flow: Flow, found: Survey, findings: Findings) -> float:
    """Say the sampling rates; returns the study's, in Hz."""
    signals = flow.study.signals
    rates = Counter(head.sfreq for head in found.heads)
    told = ", ".join(f"{rate:g} Hz ({number} recordings)" for rate, number in sorted(rates.items()))
    wanted = min(rates) if signals.sfreq == "as recorded" else float(signals.sfreq)
    findings.facts.append(
        f"signals: {len(found.derivations)} derivations ({signals.montage}), recorded at {told}"
        + ("" if set(rates) == {wanted} else f", resampled to {wanted:g} Hz")
    )
    if signals.sfreq == "as recorded" and len(rates) > 1:
        findings.problems.append(f"signals.sfreq: 'as recorded', but the rates differ: {told}; give one rate in Hz")
    return wanted


def _describe_events(dataset: Bids, found: Survey, findings: Findings) -> None:
    parts = [
        f"{name} {span(seconds)} ({len(found.holders[name])} patients)"
        for name, seconds in sorted(found.seconds.items())
        if name
    ]
    if rest := found.seconds.get("", 0.0):
        meant = "borderline" if dataset.unannotated is None else f"taken for {dataset.unannotated}"
        parts.append(f"without event {span(rest)}, {meant}")
    findings.facts.append(f"events: {', '.join(parts)}")
