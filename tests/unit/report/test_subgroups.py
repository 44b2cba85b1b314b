"""Sections on subgroups and on the labels of each patient."""

import pandas as pd
import pytest

from eegwf.report.labels import cautions, label_table
from eegwf.report.subgroups import parts
from eegwf.storage.files import read_json, read_table, write_json, write_table
from tests.helpers.report_page import column, report_data, table_of, text_of, write_report
from tests.helpers.report_study import changed, write_study


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    results = tmp_path_factory.mktemp("study")
    study = write_study(results)
    path = results / "vit_mel_2class/metrics.json"
    metrics = read_json(path)
    entry = {"value": 0.75, "low": 0.5, "high": 0.9, "undefined": 0, "reason": None}
    none = {"value": None, "low": None, "high": None, "undefined": 0, "reason": "4 patients"}
    metrics["subgroups"]["columns"] = {
        "s<e>x": [
            {"group": name, "n_patients": n, "n_windows": 30 * n}
            | dict.fromkeys(("balanced_accuracy", "auroc", "detection_auroc"), score)
            | {"per_class": {label: {"n_patients": n, "n_windows": 9, "recall": score} for label in metrics["classes"]}}
            for name, n, score in (("f & g", 5, entry), ("unknown", 4, none))
        ]
    }
    write_json(path, metrics)
    return results, study, *write_report(study, results)


def test_scores_of_groups_are_shown_with_numbers_of_patients(finished):
    _, _, page, tables = finished
    table = table_of(tables, "Scores by s<e>x: ensemble, with 95 % confidence intervals")
    assert column(table, "patients") == {"f & g": "5", "unknown": "4"}
    expected = {"f & g": "0.750 0.500 to 0.900", "unknown": "not computed: 4 patients"}
    assert column(table, "balanced accuracy") == expected
    assert column(table, "recall of seizure")["f & g"] == "0.750 0.500 to 0.900, 5 patients"
    assert "detection AUROC" not in table[0]  # with two classes it is the AUROC
    assert "The subgroups by s<e>x were declared in the configuration" in text_of(page)
    assert "<e>" not in page


def test_scores_of_seizure_types_equal_metrics_json(finished):
    results, _, _, tables = finished
    (row,) = read_json(results / "vit_mel_2class/metrics.json")["subgroups"]["seizure_types"]
    table = table_of(tables, "Scores by event type")
    recall, sensitivity = row["recall"], row["sensitivity"]
    assert column(table, "recall of windows")["sz"] == (
        f"{recall['value']:.3f} {recall['low']:.3f} to {recall['high']:.3f}, 8 patients"
    )
    assert column(table, "sensitivity for seizures")["sz"].startswith(f"{sensitivity['value']:.3f} ")
    assert column(table, "annotated seizures")["sz"] == str(row["n_seizures"])


def test_metrics_of_earlier_versions_have_no_subgroups(finished):
    results, study, _, _ = finished
    run = report_data(study, results)
    del run.metrics["subgroups"]
    found = parts(run)
    assert found["subgroup_tables"] == [] and found["seizure_type_table"] is None
    assert "No column of participants.tsv was declared" in found["subgroups"]


def labeled(tmp_path, expected=None):
    """A study with few seizures: one with a scored window, one without, one that the class set excludes."""
    study = write_study(tmp_path)
    dataset = {"kind": "bids", "root": "x", "event_types": ["bckg", "sz", "disputed"]}
    if expected is not None:
        dataset["expected_seizures"] = expected
    events = [
        ["sub-02 rec", 25.0, 5.0, "sz"],  # the window from 25 s is scored as seizure
        ["sub-02 rec", 35.0, 5.0, "sz"],  # the window from 35 s is borderline
        ["sub-02 rec", 10.0, 5.0, "disputed"],
        ["sub-03 rec", 0.0, 5.0, "sz"],  # the window from 0 s is background
    ]
    table = pd.DataFrame(events, columns=["recording", "onset", "duration", "label"])
    write_table(tmp_path / "data/events.tsv", table)
    return changed(study, {"dataset": dataset})


def test_labels_of_each_patient_are_counted(tmp_path):
    study = labeled(tmp_path, {"sub-02": 2, "sub-04": 1})
    run = report_data(study, tmp_path)
    table = label_table(run)
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    shown = ["seizures annotated", "expected", "of a class", "with scored windows", "excluded recordings"]
    assert {name: [rows[name][key] for key in shown] for name in ("sub-02", "sub-03", "sub-04", "sub-99")} == {
        "sub-02": ["2", "2", "2", "1", "0"],
        "sub-03": ["1", "", "1", "0", "0"],
        "sub-04": ["0", "1", "0", "0", "0"],
        "sub-99": ["0", "", "0", "0", "1"],
    }
    assert rows["sub-99"]["fold"] == "none" and rows["sub-02"]["fold"] == "2"
    predictions = read_table(tmp_path / "vit_mel_2class/predictions.tsv", text=("label", "member", "patient"))
    predictions = predictions[(predictions["member"] == "ensemble") & (predictions["label"] != "")]
    for label in ("background", "seizure"):
        counts = predictions[predictions["label"] == label].groupby("patient").size()
        assert {name: int(rows[name][f"windows of {label}"]) for name in counts.index} == counts.to_dict()
        assert rows["all"][f"windows of {label}"] == f"{counts.sum():,d}"
    assert rows["all"]["seizures annotated"] == "3"


def test_other_numbers_than_expected_are_warned_about(tmp_path):
    study = labeled(tmp_path, {"sub-02": 2, "sub-03": 4, "sub-99": 2, "sub-77": 1})
    lines = [
        "sub-03: 1 seizure annotated, 4 expected (dataset.expected_seizures).",
        "sub-99: 0 seizures annotated, 2 expected (dataset.expected_seizures).",
        "sub-77: 1 seizure expected, but no such patient is in the data set (dataset.expected_seizures).",
    ]
    assert cautions(report_data(study, tmp_path)) == lines
    page, _ = write_report(study, tmp_path)
    assert all(line in page for line in lines)
    assert cautions(report_data(labeled(tmp_path), tmp_path)) == []


def test_seizures_are_not_counted_in_arrays(tmp_path):
    study = write_study(tmp_path)
    files = {"data": "x{fold}.npy", "labels": "y{fold}.npy", "patients": "p{fold}.npy"}
    arrays = {"kind": "fold_arrays", "arrays": {"mel": files}, "label_names": {0: "bckg"}}
    table = label_table(report_data(changed(study, {"dataset": arrays}), tmp_path))
    assert "seizures annotated" not in table.columns and "windows of seizure" in table.columns
    assert "Seizures" not in table.note
