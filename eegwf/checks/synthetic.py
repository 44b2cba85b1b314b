"""Check of a synthetic data set, which the workflow generates."""

from collections import Counter

from eegwf.checks.findings import Findings, format_duration
from eegwf.checks.initialization import check_shared_ids
from eegwf.checks.inputs import check_disk, check_grids
from eegwf.checks.labels import WindowCounts, check_classes
from eegwf.config.data import Synthetic
from eegwf.dag.flow import Flow
from eegwf.data.synthetic.recording import draw_cases
from eegwf.data.synthetic.seizure import FOCAL, GENERALIZED
from eegwf.plan.sizes import estimate_sizes

SEIZURES = {
    "focal": ("with focal seizures", (FOCAL,)),
    "generalized": ("with generalized seizures", (GENERALIZED,)),
    "both": ("with both", (FOCAL, GENERALIZED)),
    "none": ("without seizures", ()),
}


def check_synthetic(flow: Flow, findings: Findings) -> None:
    """Report what will be generated, and check that it is sufficient for the study.

    Parameters
    ----------
    flow
        A study of a synthetic data set.
    findings
        Receives the lines.

    Raises
    ------
    InputError
        If the data set can't be generated.
    """
    study = flow.study
    dataset = study.dataset
    assert isinstance(dataset, Synthetic)
    cases, sfreq = draw_cases(dataset), float(dataset.amplifier.sfreq)
    groups = Counter(case.group for case in cases)
    listing = ", ".join(f"{groups[group]} {words}" for group, (words, _) in SEIZURES.items() if groups[group])
    findings.facts.append(
        f"data set: synthetic, will be generated: {len(cases)} patients ({listing}), each with one recording of "
        f"{format_duration(cases[0].n_seconds)} at {sfreq:g} Hz; {dataset.seizures} seizures per recording of a "
        "patient with seizures"
    )
    sizes = estimate_sizes(study)
    findings.facts.append(
        f"windows: {sizes.n_windows} of {study.windows.length:g} s, one every {study.windows.step:g} s, including "
        "borderline windows"
    )
    if not sizes.n_windows:
        findings.problems.append(
            f"windows.length: {study.windows.length:g} s is longer than a recording; choose a shorter length"
        )
        return
    check_shared_ids(flow, {case.patient for case in cases}, findings)
    check_grids(flow, study.signals.target_sfreq(sfreq), sizes.n_times, {sfreq}, findings)
    check_disk(flow, sizes, findings)
    if flow.n_folds > len(cases):
        findings.problems.append(
            f"folds: {flow.n_folds} folds can't be made of {len(cases)} patients; use {len(cases)} or fewer"
        )
    findings.facts.append(f"folds: {flow.n_folds}")
    check_classes(flow, synthetic_labels(dataset), None, findings)


def synthetic_labels(dataset: Synthetic) -> WindowCounts:
    """Event types of each patient of a synthetic data set, each counted once."""
    return Counter(
        (case.patient, label)
        for case in draw_cases(dataset)
        for label in (dataset.unannotated, *SEIZURES[case.group][1])
    )
