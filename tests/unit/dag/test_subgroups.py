"""Subgroups in the workflow: the input of the evaluation, and configurations that can't be meant."""

import pytest

from eegwf.dag.flow_reading import read_flow
from eegwf.errors import InputError

ARRAYS = {
    "kind": "fold_arrays",
    "arrays": {"mel": {"data": "x{fold}.npy", "labels": "y{fold}.npy", "patients": "p{fold}.npy"}},
    "label_names": {0: "bckg", 1: "sz"},
}


@pytest.fixture
def flow_of(root):
    def read(dataset=None, subgroups=None):
        given = {"dataset": dataset} if dataset else {}
        return read_flow(root / "config/config.yaml", [], given | {"evaluation": {"subgroups": subgroups}})

    return read


def test_the_synthetic_data_set_has_groups_by_default(flow_of):
    flow = flow_of()
    assert flow.study.subgroups == {"group": None} and flow.participants(None) == ["results/data/bids"]
    assert flow.participants_option(None) == "--participants results/data/bids/participants.tsv"
    assert flow_of(subgroups={}).participants(None) == [] and flow_of(subgroups={}).participants_option(None) == ""


def test_a_table_is_an_input_if_it_exists(flow_of, tmp_path):
    root = tmp_path / "a b"
    root.mkdir()
    dataset = {"kind": "bids", "root": str(root)}
    assert flow_of(dataset).study.subgroups == {} and flow_of(dataset).participants(None) == []
    flow = flow_of(dataset, {"age": [18, 65]})
    assert flow.participants(None) == []  # the job reports that it is missing
    (root / "participants.tsv").write_text("participant_id\tage\n")
    assert flow.participants(None) == [str(root / "participants.tsv")]
    assert flow.participants_option(None) == f"--participants '{root}/participants.tsv'"


@pytest.mark.parametrize(
    ("dataset", "subgroups", "message"),
    [
        (None, {"sex": None}, r"'sex', but participants.tsv of the synthetic data set only has group"),
        (ARRAYS, {"sex": None}, r"'fold_arrays' has no participants.tsv"),
        (None, {"participant_id": None}, r"has 'participant_id', expected a column of participants.tsv such as sex"),
        (None, {"Age": None}, r"Age: null would make a group of each age; write edges, such as \[18, 65\]"),
        (None, {"group": [3, 3]}, r"group: the edges \[3.0, 3.0\] are not in ascending order"),
        (None, {"group": []}, r"at least 1 item"),
        (None, {"group": [True]}, r"number"),
        (None, {"group": "x"}, r"list"),
        (
            {"kind": "bids", "root": "x", "expected_seizures": {"sub-01": -1}},
            {},
            r"equal to 0|at least",
        ),
        ({"kind": "bids", "root": "x", "expected_seizures": {"sub-01": True}}, {}, r"integer"),
    ],
)
def test_configurations_that_can_not_be_meant_are_refused(flow_of, dataset, subgroups, message):
    with pytest.raises(InputError, match=message) as caught:
        flow_of(dataset, subgroups)
    assert "\n" not in str(caught.value)
