"""Section on the threshold: the embedded numbers, against an independent computation."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from eegwf.report.formats import number, score
from eegwf.report.threshold import DATA, parts
from tests.helpers.report_page import column, report_data, table_of, text_of, write_report
from tests.helpers.report_study import changed, write_study
from tests.helpers.thresholds import scores_at


@pytest.fixture(scope="module", params=["2class", "3class"])
def classes(request):
    return request.param


@pytest.fixture(scope="module")
def study(tmp_path_factory, classes):
    """Results and configuration of a study."""
    results = tmp_path_factory.mktemp("study")
    return results, write_study(results, classes)


@pytest.fixture(scope="module")
def report(study, classes):
    """The page and its tables."""
    return write_report(study[1], study[0], classes=classes)


def embedded(page):
    return json.loads(re.search(rf'id="{DATA}">(.*?)</script>', page, flags=re.DOTALL)[1])


def test_numbers_of_the_slider_are_those_of_a_recomputation(study, report, classes):
    run, data = report_data(study[1], study[0], classes=classes), embedded(report[0])
    last = len(data["thresholds"]) - 1
    seen = set()
    for index in (0, last // 4, last // 2, 3 * last // 4, last):
        # Thresholds that were not chosen on validation have four decimals.
        found = scores_at(run, float(data["thresholds"][index]))
        recall, specificity = found["tp"] / (found["tp"] + found["fn"]), found["tn"] / (found["tn"] + found["fp"])
        events = [score(found["sensitivity"]), number(found["false_alarms_per_hour"])]
        assert data["values"][index] == [score(recall), score(specificity), *events]
        assert [sum(counts) for counts in data["correct"][index]] == [found["tp"], found["tn"]]
        assert data["events"][index] == pytest.approx([found["false_alarms_per_hour"], found["sensitivity"]])
        seen.add(tuple(data["values"][index]))
    assert len(seen) == 5
    assert [sum(counts) for counts in data["totals"]] == [found["tp"] + found["fn"], found["tn"] + found["fp"]]


def test_counts_of_patients_are_theirs(study, report, classes):
    run, data = report_data(study[1], study[0], classes=classes), embedded(report[0])
    index = len(data["thresholds"]) // 3
    table = run.predictions[(run.predictions["member"] == "ensemble") & (run.predictions["label"] != "")]
    above = 1 - table["p_background"] > float(data["thresholds"][index])
    for n, patient in enumerate(data["patients"]):
        own = table["patient"] == patient
        seizure = table["label"] != "background"
        assert data["totals"][0][n] == (own & seizure).sum() and data["totals"][1][n] == (own & ~seizure).sum()
        assert data["correct"][index][0][n] == (own & seizure & above).sum()
        assert data["correct"][index][1][n] == (own & ~seizure & ~above).sum()
    assert len(data["patients"]) == 9 and data["totals"][0].count(0) == 1


def test_result_has_the_threshold_of_each_fold(study, report, classes):
    page, tables = report
    run, data = report_data(study[1], study[0], classes=classes), embedded(page)
    points = {entry["fold"]: entry["threshold"] for entry in run.metrics["events"]["operating_points"]}
    assert len(set(points.values())) > 1
    table = run.predictions[(run.predictions["member"] == "ensemble") & (run.predictions["label"] != "")]
    above = 1 - table["p_background"] > table["fold"].map(
        {fold: np.inf if t is None else t for fold, t in points.items()}
    )
    seizure = table["label"] != "background"
    expected = [score(above[seizure].mean()), score(1 - above[~seizure].mean())]
    found = run.metrics["events"]["detectors"]["operating_point"]
    rate = found["false_alarms_per_day"]["value"] / 24
    expected += [score(found["sensitivity"]["value"]), number(rate)]
    rows = table_of(tables, "Scores at thresholds")
    assert rows[1] == ["operating points, chosen on validation", *expected]
    assert list(column(table_of(tables, "Scores at the threshold"), "result").values()) == expected
    assert data["point"] == [rate, found["sensitivity"]["value"]]
    # Every chosen threshold is a position of the slider.
    for fold, value in points.items():
        if value is not None:
            position = re.search(rf'<option value="(\d+)">fold {fold}: {value:.4f}<', page)[1]
            assert data["thresholds"][int(position)] == f"{value:.4f}"


def test_page_without_scripts_has_a_few_thresholds_and_the_caution(study, report, classes):
    page, tables = report
    rows, run = table_of(tables, "Scores at thresholds"), report_data(study[1], study[0], classes=classes)
    assert [row[0] for row in rows[2:]] == ["0.1000", "0.3000", "0.5000", "0.7000", "0.9000"]
    for row in rows[2:]:
        found = scores_at(run, float(row[0]))
        assert row[1] == score(found["tp"] / (found["tp"] + found["fn"]))
        assert row[4] == number(found["false_alarms_per_hour"])
    assert re.search(r'<div id="threshold-panel" class="panel" hidden>', page)
    assert "A threshold that is chosen here is no result" in text_of(page)
    name = {"2class": "probability of seizure", "3class": "probability of any class but background"}[classes]
    assert name in text_of(page)


def test_windows_alone_without_recording_times(tmp_path):
    page, tables = write_report(write_study(tmp_path, timed=False), tmp_path)
    rows, data = table_of(tables, "Scores at thresholds"), embedded(page)
    assert rows[0] == ["threshold", "sensitivity, windows", "specificity, windows"]
    assert rows[1][0] == "class of largest probability"
    run = json.loads((tmp_path / "vit_mel_2class/metrics.json").read_text())
    per_class = run["members"]["ensemble"]["per_class"]["seizure"]
    assert rows[1][1:] == [score(per_class["recall"]["value"]), score(per_class["specificity"]["value"])]
    assert data["events"] == [] and data["point"] is None and len(data["values"][0]) == 2
    assert "threshold-events" not in page and "threshold-choice" not in page


def test_no_section_for_three_classes_without_background(study, classes):
    run = report_data(study[1], study[0], classes=classes)
    seizures = {name: [f"sz_{name[:3]}"] for name in run.classes}
    without = replace(run, study=changed(study[1], {"classes": {classes: seizures}}))
    assert (parts(without)["threshold"] is None) == (classes == "3class")
