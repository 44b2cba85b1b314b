"""The check of a data set that is still to be generated."""

from collections import Counter

from eegwf.checks.findings import Findings, span
from eegwf.checks.inputs import check_grids, check_space
from eegwf.checks.labels import check_classes
from eegwf.config.data import Synthetic
from eegwf.dag.flow import Flow
from eegwf.data.signals.montage import MONTAGES
from eegwf.data.synthetic.recording import draw_cases
from eegwf.data.synthetic.scalp import N_ELECTRODES
from eegwf.data.synthetic.seizure import FOCAL, GENERALIZED
from eegwf.data.synthetic.signal import SFREQ
from eegwf.data.windows import window_starts

SEIZURES = {
    "focal": ("with focal seizures", (FOCAL,)),
    "generalized": ("with generalized seizures", (GENERALIZED,)),
    "both": ("with both", (FOCAL, GENERALIZED)),
    "none": ("without seizures", ()),
}


def check_synthetic(flow: Flow, findings: Findings) -> None:
    """Say what will be generated, and whether it is enough.

    Raises
    ------
    InputError
        If the generator can't make it.
    """
    study = flow.study
    dataset: Synthetic = study.dataset
    cases = draw_cases(dataset)
    groups = Counter(case.group for case in cases)
    told = ", ".join(f"{groups[group]} {words}" for group, (words, _) in SEIZURES.items() if groups[group])
    findings.facts.append(
        f"data set: synthetic, will be generated: {len(cases)} patients ({told}), each with one recording of "
        f"{span(cases[0].n_seconds)} at {SFREQ:g} Hz, {dataset.seizures} seizures in it where there are any"
    )
    rate = float(SFREQ if study.signals.sfreq == "as recorded" else study.signals.sfreq)
    length, step = round(study.windows.length * rate), max(round(study.windows.step * rate), 1)
    n_windows = len(cases) * len(window_starts(round(cases[0].n_seconds * rate), length, step))
    findings.facts.append(
        f"windows: {n_windows} of {study.windows.length:g} s, one every {study.windows.step:g} s, with the borderline"
    )
    if not n_windows:
        findings.problems.append(
            f"windows.length: {study.windows.length:g} s is more than a recording has; choose a shorter length"
        )
        return
    check_grids(flow, rate, length, float(SFREQ), findings)
    check_space(flow, n_windows, len(MONTAGES.get(study.signals.montage, range(N_ELECTRODES))), length, findings)
    if flow.n_folds > len(cases):
        findings.problems.append(
            f"folds: {flow.n_folds} folds can't be made of {len(cases)} patients; use {len(cases)} or fewer"
        )
    findings.facts.append(f"folds: {flow.n_folds}")
    labels = Counter(
        (case.patient, label) for case in cases for label in (dataset.unannotated, *SEIZURES[case.group][1])
    )
    check_classes(flow, labels, None, findings)
