"""`eegwf check` of subgroups and of expected seizures."""

import pytest

from eegwf.checks.study import check_study

ROWS = ["participant_id\tsex\tage", "sub-01\tf\t3", "sub-02\tm\t20", "sub-03\tf\t18", "sub-04\tf\tn/a", "sub-99\tm\t9"]


def test_groups_and_patients_without_a_value_are_listed(flow_of, bids):
    (bids / "participants.tsv").write_text("\n".join(ROWS) + "\n")
    found = check_study(flow_of(evaluation={"subgroups": {"sex": None, "age": [18]}}))
    assert not found.problems
    note = "; no scores of groups of fewer than 5 patients"
    assert f"subgroups by sex: f 3 patients, m 1 patient, unknown 2 patients{note}" in found.facts
    assert f"subgroups by age: < 18 1 patient, >= 18 2 patients, unknown 3 patients{note}" in found.facts
    assert "participants.tsv: no sex of sub-05, sub-06, who are in the subgroup 'unknown'" in found.warnings
    assert "participants.tsv: no age of sub-04, sub-05, sub-06, who are in the subgroup 'unknown'" in found.warnings


@pytest.mark.parametrize(
    ("columns", "table", "problem"),
    [
        ({"sex": None}, None, "participants.tsv: no such file, but evaluation.subgroups names its column 'sex'"),
        ({"site": None}, ROWS, "participants.tsv, line 1: no column site; found participant_id, sex, age"),
        ({"sex": [1]}, ROWS, "participants.tsv, line 2, column sex: not a number"),
    ],
)
def test_a_table_that_can_not_be_divided_is_a_problem(flow_of, bids, columns, table, problem):
    if table:
        (bids / "participants.tsv").write_text("\n".join(table) + "\n")
    found = check_study(flow_of(evaluation={"subgroups": columns}))
    assert len(found.problems) == 1 and problem in found.problems[0]


def test_without_subgroups_the_table_is_not_read(flow_of, bids):
    (bids / "participants.tsv").write_bytes(b"\xff\0")
    found = check_study(flow_of())
    assert not found.problems and not any("subgroups by" in line for line in found.facts)


def test_other_numbers_of_seizures_than_expected_are_warned_about(flow_of, bids):
    expected = {"sub-01": 1, "sub-02": 3, "sub-05": 0, "sub-06": 2, "sub-21": 1}
    dataset = {"kind": "bids", "root": str(bids), "expected_seizures": expected}
    found = check_study(flow_of(dataset=dataset, patients={"sub-06": "sub-02"}))
    lines = [line for line in found.warnings if line.startswith("dataset.expected_seizures")]
    assert lines == [
        "dataset.expected_seizures: sub-06: 2 seizures expected, but no such patient is in the data set",
        "dataset.expected_seizures: sub-21: 1 seizure expected, but no such patient is in the data set",
    ]
    lines = check_study(flow_of(dataset=dataset)).warnings
    assert "dataset.expected_seizures: sub-02: 2 seizures annotated, 3 expected" in lines
