"""Entries of `patients` compared with the ids of a data set."""

import pytest

from eegwf.data.patients import compare_mapping

IDS = ("sub-01", "sub-02", "sub-10", "sub-Jürgen")


@pytest.mark.parametrize("patients", [{}, {"sub-02": "sub-01"}, {"sub-02": "cousin"}, {"sub-Jürgen": "sub-10"}])
def test_ids_of_the_data_set_have_no_line(patients):
    found = compare_mapping(patients, IDS)
    assert found.notes == () and found.warnings == ()


@pytest.mark.parametrize("patient", ["sub-21", "sub-110", "sub-100", "x", "sub-Jürg"])
def test_an_absent_id_is_a_note(patient):
    found = compare_mapping({patient: "sub-01"}, IDS)
    assert found.notes == (f"patients: {patient}: not in the data set; no effect",) and found.warnings == ()


def test_many_absent_ids_are_one_line():
    found = compare_mapping({f"sub-{number}": "sub-01" for number in range(20, 29)}, IDS)
    assert found.notes == (
        "patients: sub-20, sub-21, sub-22, sub-23, sub-24 and 4 more: not in the data set; no effect",
    )


@pytest.mark.parametrize(
    ("patient", "meant"),
    [
        ("sub-2", "sub-02"),
        ("sub-002", "sub-02"),
        ("Sub-02", "sub-02"),
        ("sub_02", "sub-02"),
        ("sub02", "sub-02"),
        ("02", "sub-02"),
        ("sub-O2", "sub-02"),
        ("sub-l0", "sub-10"),
        ("sub-jürgen", "sub-Jürgen"),
    ],
)
def test_a_misspelled_id_is_a_warning(patient, meant):
    """The person would be in two folds."""
    found = compare_mapping({patient: "sub-01"}, IDS)
    assert found.notes == () and len(found.warnings) == 1
    assert found.warnings[0].startswith(f"patients.{patient}: no such patient") and repr(meant) in found.warnings[0]
    found = compare_mapping({"sub-01": patient}, IDS)
    assert found.notes == () and len(found.warnings) == 1
    assert found.warnings[0].startswith(f"patients.sub-01: {patient}, but no") and repr(meant) in found.warnings[0]
