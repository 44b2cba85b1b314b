"""Patients of a report: intervals, order, and influence on the headline score."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from eegwf.report.figures_patients import INFLUENTIAL
from eegwf.report.formats import difference, score
from eegwf.report.patients import parts
from tests.helpers.report_page import column, report_data, table_of, text_of, write_report
from tests.helpers.report_study import write_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Results and configuration of a study."""
    results = tmp_path_factory.mktemp("study")
    return results, write_study(results)


def labeled(results):
    """Labeled windows of the primary member."""
    table = pd.read_csv(results / "vit_mel_2class/predictions.tsv", sep="\t").dropna(subset="label")
    return table[table["member"] == "ensemble"]


def test_influence_is_the_change_of_the_headline(study):
    results, settings = study
    page, tables = write_report(settings, results)
    windows = labeled(results)
    headline = balanced_accuracy_score(windows["label"], windows["predicted"])
    rows = table_of(tables, "Scores by patient")
    without, change = column(rows, "balanced accuracy without the patient"), column(rows, "change without the patient")
    values = {}
    for patient in windows["patient"].unique():
        others = windows[windows["patient"] != patient]
        values[patient] = balanced_accuracy_score(others["label"], others["predicted"])
        assert without[patient] == score(values[patient])
        assert change[patient] == difference(values[patient] - headline)
    assert len(values) == 9
    first, second = sorted(values, key=lambda name: -abs(values[name] - headline))[:2]
    assert (
        f"Without {first}, the patient with the largest influence, the balanced accuracy of the ensemble is "
        f"{score(values[first])} instead of {score(headline)} ({difference(values[first] - headline)}); without any "
        f"other patient it changes by at most {score(abs(values[second] - headline))}."
    ) in text_of(page)
    label = re.search(r'aria-label="(Balanced accuracy of ensemble without each of 9 patients[^"]*)"', page)[1]
    assert f"it is {score(headline)}. {first} {score(values[first])}" in label


def test_only_the_most_influential_of_many_patients_are_drawn(tmp_path):
    settings = write_study(tmp_path, patients=[f"p{number}" for number in range(INFLUENTIAL + 5)])
    run = report_data(settings, tmp_path)
    figures = parts(run)["patient_figures"].figures
    assert figures[1].title == "Balanced accuracy without a patient, 20 of 25 patients"
    assert len(set(re.findall(r">(p\d+)<", figures[1].svg))) == INFLUENTIAL
    assert len(set(re.findall(r">(p\d+) \(\d+\)<", figures[0].svg))) == 25


def test_patients_with_several_recordings_have_an_interval(study):
    run = report_data(study[1], study[0])
    own = run.predictions["patient"] == "sub-03"
    names = ("rec " + (run.predictions["window"] % 4).astype(str)).where(own, run.predictions["recording"])
    split = replace(run, predictions=run.predictions.assign(recording=names))
    for data, expected in ((run, 0), (split, 1)):
        found = parts(data)
        place = found["patient_table"].columns.index("balanced accuracy")
        cells = {row[0]: row[place] for row in found["patient_table"].rows}
        bounds = {name: cell[1] for name, cell in cells.items() if cell[1]}
        assert list(bounds) == ["sub-03"][:expected]
        assert f"{expected} with an interval. mean of patients " in found["patient_figures"].figures[0].alt
    low, high = map(float, bounds["sub-03"].split(" to "))
    assert low < float(cells["sub-03"][0]) < high


def test_influence_is_undefined_without_the_only_patient_of_a_class(tmp_path):
    run = report_data(write_study(tmp_path, patients=["a", "b", "c"]), tmp_path)
    no_seizure = (run.predictions["patient"] == "c") & (run.predictions["label"] == "seizure")
    found = parts(replace(run, predictions=run.predictions[~no_seizure]))
    assert "It is undefined without 1 patient, because no other patient has windows of" in found["influence"]
    last = {row[0]: row[-1] for row in found["patient_table"].rows}
    assert last["b"] == "undefined" and "undefined" not in (last["a"], last["c"])
