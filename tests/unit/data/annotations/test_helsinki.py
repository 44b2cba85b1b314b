"""Annotations of the Helsinki neonatal recordings: both forms against an independent reading, and faults."""

import numpy as np
import pytest
from scipy.io import savemat

from eegwf.config.data import Annotations
from eegwf.config.file_layout import FileLayout
from eegwf.data.annotations.files import expert_tables
from eegwf.data.annotations.helsinki import read_experts, read_helsinki
from eegwf.data.bids import data_files, discover
from eegwf.errors import InputError
from tests.helpers.original_layouts import helsinki_scores, write_helsinki

TYPES = {0: "bckg", 1: "disputed", 2: "disputed", 3: "sz"}


def read(path, name, duration=1e6):
    return read_helsinki(path, path.with_name(name), duration, [])


@pytest.mark.parametrize("form", ["annotations_2017.mat", "annotations_2017_A_fixed.csv", "annotations_2017_A.csv"])
@pytest.mark.parametrize("number", [1, 2, 11])
def test_every_second_has_the_consensus_of_the_experts(tmp_path, form, number):
    write_helsinki(tmp_path, form)
    rows = read(tmp_path / form, f"eeg{number}.edf")
    seconds = [row.label for row in rows for _ in range(int(row.duration))]
    expected = [TYPES[sum(column)] for column in zip(*helsinki_scores(number), strict=True)]
    assert seconds == expected and set(expected) == {"bckg", "disputed", "sz"}
    assert all(row.onset == sum(other.duration for other in rows[:index]) for index, row in enumerate(rows))


def test_both_forms_give_the_same(tmp_path):
    for folder, form in (("a", "annotations_2017.mat"), ("b", "annotations_2017_A_fixed.csv")):
        write_helsinki(tmp_path / folder, form)
    both = [
        read(tmp_path / folder / form, "eeg2.edf")
        for folder, form in (("a", "annotations_2017.mat"), ("b", "annotations_2017_A_fixed.csv"))
    ]
    assert both[0] == both[1]


def test_a_changed_file_is_read_again(tmp_path):
    write_helsinki(tmp_path, "annotations_2017_A_fixed.csv")
    path = tmp_path / "annotations_2017_A_fixed.csv"
    before = read_experts(path, tmp_path / "eeg1.edf")
    path.write_text(path.read_text().replace("1", "0").replace("0,", "1,", 1))
    assert (read_experts(path, tmp_path / "eeg1.edf")[0] != before[0]).any()


def test_an_end_without_annotations_is_noted(tmp_path):
    write_helsinki(tmp_path, "annotations_2017.mat")
    notes = []
    n_seconds = len(helsinki_scores(1)[0])
    read_helsinki(tmp_path / "annotations_2017.mat", tmp_path / "eeg1.edf", n_seconds + 0.9, notes)
    assert not notes
    read_helsinki(tmp_path / "annotations_2017.mat", tmp_path / "eeg1.edf", n_seconds + 12.0, notes)
    assert notes == ["the last 12 s are not annotated"]


def test_a_link_has_the_number_of_its_target(tmp_path):
    write_helsinki(tmp_path, "annotations_2017.mat")
    link = tmp_path / "sub-02_eeg.edf"
    link.symlink_to(tmp_path / "eeg2.edf")
    path = tmp_path / "annotations_2017.mat"
    assert read_helsinki(path, link, 1e6, []) == read(path, "eeg2.edf")


def test_the_tables_of_the_other_experts_belong_to_the_data(tmp_path):
    write_helsinki(tmp_path, "annotations_2017_A_fixed.csv")
    annotations = Annotations(format="helsinki", file="annotations_2017_A_fixed.csv")
    layout = FileLayout(("eeg*.edf",), "eeg([0-9]+)")
    found = discover(tmp_path, annotations, layout)
    assert not found.faults and [path.name[-5] for path in found.recordings[0].sidecars] == ["B", "C"]
    names = {path.name for path in data_files(tmp_path, annotations, layout)}
    assert {"annotations_2017_A_fixed.csv", "annotations_2017_B.csv", "annotations_2017_C.csv"} <= names
    assert expert_tables(tmp_path / "annotations_2017.mat") == (tmp_path / "annotations_2017.mat",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "annotations_2017_B.csv").unlink(), r"annotations_2017_B\.csv: no such file"),
        (lambda folder: (folder / "annotations_2017_B.csv").write_text("1,2\n0,0\n"), r"with \d+, 1, \d+ seconds"),
        (lambda folder: (folder / "annotations_2017_C.csv").write_text("2,3\n0,0\n"), "expected the column 1 once"),
        (lambda folder: (folder / "annotations_2017_C.csv").write_text("1\n0\n\n7\n"), "column 1: found '7'"),
        (lambda folder: (folder / "annotations_2017_C.csv").write_text("1,2\n,0\n1,0\n"), "line 2, column 1: found ''"),
    ],
)
def test_faults_of_the_tables(tmp_path, change, message):
    write_helsinki(tmp_path, "annotations_2017_A_fixed.csv")
    change(tmp_path)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "annotations_2017_A_fixed.csv", "eeg1.edf")


def cells(*matrices):
    array = np.empty((1, len(matrices)), object)
    for index, matrix in enumerate(matrices):
        array[0, index] = np.array(matrix, float)
    return array


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"other": 1.0}, "no cell array 'annotat_new'"),
        ({"annotat_new": cells([[0, 1]] * 2)}, "2 experts with 2, 2 seconds"),
        ({"annotat_new": cells([[0, 1], [0, 2], [0, 1]])}, r"second 2: found \[1.0, 2.0, 1.0\], expected 0 or 1"),
        ({"annotat_new": cells([[0, np.nan]] * 3)}, "second 2: found"),
    ],
)
def test_faults_of_the_matlab_file(tmp_path, variables, message):
    savemat(tmp_path / "annotations_2017.mat", variables)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "annotations_2017.mat", "eeg1.edf")


def test_recordings_without_annotations(tmp_path):
    write_helsinki(tmp_path, "annotations_2017.mat")
    with pytest.raises(InputError, match="no annotations of recording 99"):
        read(tmp_path / "annotations_2017.mat", "eeg99.edf")
    with pytest.raises(InputError, match=r"expected a name such as eeg12\.edf"):
        read(tmp_path / "annotations_2017.mat", "baby1.edf")
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "absent.mat", "eeg1.edf")
