"""Configuration of external data sets: what is taken from their files, and what is refused."""

import re

import pytest

from eegwf.config.external import read_externals
from eegwf.config.load import load_study
from eegwf.errors import InputError


@pytest.fixture
def read(root, tmp_path):
    """Read the external data set `other` whose file has this text."""

    def read(text: str, **given):
        file = tmp_path / "other.yaml"
        file.write_text(text)
        study = load_study(root / "config/config.yaml", [], {"external": {"other": {"configfile": str(file), **given}}})
        return read_externals(study)["other"]

    return read


def test_only_three_sections_are_read(read):
    text = (
        "dataset: {kind: bids, root: data, event_types: [bckg, sz]}\nchannels: {aliases: {C3: [X1]}}\n"
        "patients: {sub-2: sub-1}\nsignals: {montage: nonsense}\nnot_a_key: 1\n"
    )
    found = read(text)
    assert found.dataset.root == "data" and found.patients == {"sub-2": "sub-1"}
    assert found.channels.aliases == {"C3": ["X1"]} and set(type(found).model_fields) == {
        "dataset",
        "patients",
        "channels",
    }


def test_root_replaces_that_of_the_file_whose_variable_may_be_missing(read, monkeypatch):
    monkeypatch.delenv("EEGWF_NOT_SET", raising=False)
    text = "dataset: {kind: bids, root: $EEGWF_NOT_SET/siena}\n"
    assert read(text, root="elsewhere/siena").dataset.root == "elsewhere/siena"
    with pytest.raises(InputError, match=r"other.yaml: dataset.root.*EEGWF_NOT_SET is not set"):
        read(text)


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        ("signals: {}\n", {}, "no dataset.kind; an external data set (other) has recordings"),
        ("dataset: {kind: fold_arrays}\n", {}, "dataset.kind is 'fold_arrays'"),
        ("dataset: {kind: synthetic, seed: 8}\n", {"root": "x"}, "external.other.root: a synthetic data set"),
        ("dataset: {kind: bids, rot: x}\n", {}, "dataset.rot: unknown key; did you mean 'root'?"),
        ("dataset: {kind: bids, root: x}\npatients: {a: b, b: c}\n", {}, "patients"),
    ],
)
def test_wrong_files_are_refused(read, text, given, said):
    with pytest.raises(InputError, match=re.escape(said)):
        read(text, **given)


def test_missing_file_is_named(root):
    study = load_study(root / "config/config.yaml", [], {"external": {"other": {"configfile": "nowhere.yaml"}}})
    with pytest.raises(InputError, match=r"nowhere.yaml"):
        read_externals(study)


def test_sets_of_a_study(root, tmp_path):
    def study(**other):
        sets = {"all": {"configfile": "a.yaml"}, "two": {"configfile": "b.yaml", "classes": ["2class"]}}
        return load_study(root / "config/config.yaml", [], {"external": sets | other})

    assert study().external_sets("2class") == ["all", "two"] and study().external_sets("3class") == ["all"]
    assert list(study(two=None).external) == ["all"]
    with pytest.raises(InputError, match=r"external.all.classes: no class set '4class'; known are 2class, 3class"):
        study(all={"configfile": "a.yaml", "classes": ["4class"]})


def test_arrays_have_no_external_data_set(root):
    files = {name: "x{fold}" for name in ("data", "labels", "patients")}
    arrays = {"kind": "fold_arrays", "arrays": {"mel": files}, "label_names": {0: "bckg", 1: "sz"}}
    settings = {"dataset": arrays, "external": {"other": {"configfile": "a.yaml"}}}
    with pytest.raises(InputError, match=r"external.other: a study of 'fold_arrays' has no recordings"):
        load_study(root / "config/config.yaml", [], settings)
