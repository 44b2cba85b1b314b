"""Table of the recordings: patients and channels that were left out."""

import pytest

from eegwf.config.data import Bids
from eegwf.report.tables_run import recording_table
from eegwf.storage.files import read_table, write_table
from tests.helpers.report_page import report_data, table_of, write_report
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


def with_dropped(tmp_path, texts):
    """Table of the recordings of a study with channels that no derivation contains; the excluded one has none."""
    study, path = write_study(tmp_path), tmp_path / "data/recordings.tsv"
    recordings = read_table(path, text=("recording", "patient", "path", "excluded"))
    texts = iter(texts)
    dropped = ["" if excluded else next(texts) for excluded in recordings["excluded"]]
    write_table(path, recordings.assign(dropped=dropped))
    return study, recording_table(report_data(study, tmp_path))


def test_channels_of_all_recordings_are_listed_once(tmp_path):
    study, table = with_dropped(tmp_path, ["ECG; EMG"] * 8 + ["EMG; X <1>; ECG; A1"])
    assert table.note.endswith("Channels in no derivation, in all used recordings: ECG, EMG.")
    uses = [row[-1] for row in table.rows]
    assert uses[0] == "b.edf: <b>cut</b> short" and uses[1:9] == ["used"] * 8
    assert uses[9] == "used; in no derivation: X <1>, A1"
    page, tables = write_report(study, tmp_path)
    assert table_of(tables, "Recordings: 9 used")[-1][-1] == uses[9] and "X &lt;1&gt;" in page


def test_channels_of_no_or_some_recordings(tmp_path):
    _, table = with_dropped(tmp_path / "none", [""] * 9)
    assert "no derivation" not in table.note and {row[-1] for row in table.rows[1:]} == {"used"}
    _, table = with_dropped(tmp_path / "some", [""] * 8 + ["C3"])
    assert "no derivation" not in table.note and table.rows[-1][-1] == "used; in no derivation: C3"


def test_long_lists_are_cut(tmp_path):
    names = [f"A{number}" for number in range(1, 111)]
    _, table = with_dropped(tmp_path, ["; ".join(names[:100])] * 8 + ["; ".join(names)])
    assert table.note.endswith("all used recordings: A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12 and 88 more.")
    assert table.rows[-1][-1].endswith("in no derivation: " + ", ".join(names[100:]))


def test_a_table_without_this_column(finished):
    results, study = finished
    assert "no derivation" not in recording_table(report_data(study, results)).note
