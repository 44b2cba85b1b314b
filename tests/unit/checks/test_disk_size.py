"""Disk sizes of `eegwf check` and `eegwf plan` are the same."""

import pytest

from eegwf.checks import bids as checks_bids
from eegwf.checks import inputs
from eegwf.checks import synthetic as checks_synthetic
from eegwf.checks.study import check_study
from eegwf.dag.flow_reading import read_flow
from eegwf.plan.sizes import estimate_sizes
from tests.helpers.bids_folder import ELECTRODES, EVENTS, write_recording


def check_with_sizes(flow, monkeypatch):
    """Check a study; returns the findings, and the final and peak bytes on the disk of `check_disk`."""
    reported = []

    def check_disk(flow, sizes, findings):
        reported.append(sizes.disk(inputs.grids_of(flow)))
        inputs.check_disk(flow, sizes, findings)

    for module in (checks_bids, checks_synthetic):
        monkeypatch.setattr(module, "check_disk", check_disk)
    findings = check_study(flow)
    assert len(reported) == 1
    return findings, reported[0]


def assert_disk_size_of_plan(flow, findings, reported):
    """Compare the reported size with the estimate of `eegwf plan`, exactly and as printed."""
    final, peak = estimate_sizes(flow.study).disk(inputs.grids_of(flow))
    assert reported == (final, peak) and 0 < final <= peak
    line = next(line for line in findings.facts if line.startswith("disk: "))
    assert line.startswith(f"disk: {final / 1e9:.2g} GB for windows and ")
    assert f"at most {peak / 1e9:.2g} GB" in line


def test_disk_size_of_synthetic_study_equals_the_plan(root, tmp_path, monkeypatch):
    flow = read_flow(root / "config/config.yaml", [], {"results": str(tmp_path)})
    findings, reported = check_with_sizes(flow, monkeypatch)
    assert_disk_size_of_plan(flow, findings, reported)
    # 28 recordings of 48 windows of 15 s, 20 derivations at 256 Hz, 2 bytes per value, without the spectrograms.
    n_windows = 28 * 48
    values = 20 * (3840 + sum(grid.n_freqs * grid.n_frames for grid in inputs.grids_of(flow).values()))
    assert reported[0] == 2 * n_windows * values


@pytest.mark.parametrize(
    ("signals", "n_chans", "sfreq"),
    [({"missing": "exclude"}, 18, 64), ({"sfreq": "as recorded"}, 20, 80)],
    ids=["missing: exclude", "sfreq: as recorded"],
)
def test_disk_size_of_bids_study_equals_the_plan(flow_of, bids, monkeypatch, signals, n_chans, sfreq):
    for patient, events in EVENTS.items():
        write_recording(bids, patient, events, sfreq=80)
    if "missing" in signals:
        write_recording(bids, "sub-02", [], sfreq=80, names=[name for name in ELECTRODES if name != "Cz"])
    flow = flow_of(signals=signals)
    findings, reported = check_with_sizes(flow, monkeypatch)
    assert not findings.problems
    assert_disk_size_of_plan(flow, findings, reported)
    # 6 recordings of 10 windows of 2 s.
    values = n_chans * (2 * sfreq + sum(grid.n_freqs * grid.n_frames for grid in inputs.grids_of(flow).values()))
    assert reported[0] == 2 * 60 * values
