"""Inputs of the report: the samples of the windows, where it shows EEG."""

import pytest

from eegwf.dag.flow_reading import read_flow

SAMPLES = ["results/data/windows.npy", "results/data/windows.json"]


@pytest.mark.parametrize(("settings", "expected"), [
    ({}, SAMPLES),
    ({"report": {"max_snippets": 3}}, SAMPLES),
    ({"report": {"include_eeg": False}}, []),
])  # fmt: skip
def test_the_report_depends_on_the_samples_only_if_it_shows_them(root, settings, expected):
    flow = read_flow(root / "config/config.yaml", [], settings)
    assert flow.report_files(None) == expected


def test_given_arrays_have_no_samples(root):
    files = {"data": "x{fold}.npy", "labels": "y{fold}.npy", "patients": "p{fold}.npy"}
    arrays = {"kind": "fold_arrays", "arrays": {"mel": files}, "label_names": {0: "bckg"}, "window_length": 20.0}
    flow = read_flow(root / "config/config.yaml", [], {"dataset": arrays})
    assert flow.report_files(None) == []
