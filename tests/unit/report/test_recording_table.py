"""Table of the recordings: patients and channels that were left out."""

import pytest

from eegwf.config.data import Bids
from eegwf.report.tables_run import recording_table
from tests.helpers.report_page import report_data
from tests.helpers.report_study import write_study


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder and configuration of a study of nine used recordings and an excluded one."""
    results = tmp_path_factory.mktemp("study")
    return results, write_study(results)


def test_excluded_patients_are_named(finished):
    results, study = finished
    assert "dataset.exclude" not in recording_table(report_data(study, results)).note
    dataset = Bids(kind="bids", root="x", exclude=["sub-17", "sub-05"])
    table = recording_table(report_data(study.model_copy(update={"dataset": dataset}), results))
    assert "Patients who were not read (dataset.exclude): sub-05 and sub-17." in table.note
