"""`eegwf check` reads the external data sets."""

import pytest

from eegwf.checks.study import check_study
from tests.helpers.bids_folder import ELECTRODES, write_recording

CLASSES = {"matrix": {"classes": ["2class", "3class"]}}


@pytest.fixture
def with_external(flow_of, tmp_path):
    """Findings of a study with the external data set `other`, in a folder `other`, or of another text."""

    def check(text="", **settings):
        (tmp_path / "other.yaml").write_text(text or f"dataset: {{kind: bids, root: {tmp_path}/other}}\n")
        given = {"configfile": str(tmp_path / "other.yaml")} | settings.pop("given", {})
        return check_study(flow_of(external={"other": given}, **settings))

    return check


def lines(found: list[str]) -> list[str]:
    return [line for line in found if line.startswith("external data set other")]


def test_a_good_set_has_facts_and_no_problem(with_external, tmp_path):
    write_recording(tmp_path / "other", "sub-01", [(5, 5, "sz")], sfreq=128, names=[*ELECTRODES, "X9"])
    findings = with_external()
    assert lines(findings.problems) == []
    assert any(
        "1 recordings, 1 of them fit to be read as those of the study, of 1 patients" in fact for fact in findings.facts
    )
    assert any("event types bckg, sz; class sets that they fill: 2class" in fact for fact in findings.facts)


def test_a_class_that_can_not_be_filled_is_a_problem_with_the_class_set_to_use(with_external, tmp_path):
    write_recording(tmp_path / "other", "sub-01", [(5, 5, "sz")])
    found = lines(with_external(**CLASSES).problems)
    assert len(found) == 2 and "no events of class focal (sz_foc) of the class set 3class" in found[0]
    assert "use a class set such as 2class, with external.other.classes: [2class]" in found[0]
    assert lines(with_external(given={"classes": ["2class"]}, **CLASSES).problems) == []


def test_bad_recordings_and_missing_folders_are_problems(with_external, tmp_path):
    assert "no such folder" in lines(with_external().problems)[0]
    write_recording(tmp_path / "other", "sub-01", [(5, 5, "sz")], names=ELECTRODES[:5])
    assert "missing for montage tcp20" in lines(with_external().problems)[0]
    write_recording(tmp_path / "other", "sub-02", [(5, 5, "sz")])
    excluding = with_external(signals={"on_bad_recording": "exclude"})
    assert lines(excluding.problems) == [] and "will be excluded" in lines(excluding.warnings)[0]


def test_a_synthetic_set(with_external):
    findings = with_external(
        "dataset: {kind: synthetic, n_focal: 2, n_generalized: 0, n_both: 0, n_none: 0}\n", **CLASSES
    )
    assert any("synthetic, will be generated: 2 patients" in fact for fact in findings.facts)
    assert "no events of class generalized (sz_gen)" in lines(findings.problems)[0]
