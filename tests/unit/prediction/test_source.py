"""Runs and bundles as sources of models; a bundle comes from outside and is not trusted."""

import zipfile

import pytest

from eegwf.errors import InputError
from eegwf.prediction import source
from eegwf.prediction.description import read_description
from eegwf.prediction.source import open_source
from eegwf.storage.files import write_json


def zip_of(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def opened(path):
    with open_source(path) as found:
        return found, {file.name for file in found.final.folder.rglob("*")}


def test_only_the_files_of_the_models_are_extracted_and_removed_afterward(tmp_path):
    names = {
        "final/models.json": "{}",
        "final/model1/model.safetensors": "w",
        "final/run.sh": "#!",
        "README.md": "x",
        "final/../../outside.json": "{}",
        "/final/absolute.json": "{}",
        "other/final/models.json": "{}",
    }
    found, files = opened(zip_of(tmp_path / "b.zip", **names))
    assert files == {"models.json", "model1", "model.safetensors"}
    assert found.run is None and not found.final.folder.exists()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["b.zip"]


def test_a_bundle_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "MAX_BYTES", 10)
    bundle = zip_of(tmp_path / "b.zip", **{"final/models.json": "{}", "final/x.npy": "0" * 20})
    with pytest.raises(InputError, match="larger than"):
        opened(bundle)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "absent.zip", "absent.zip: neither the folder of a finished combination nor a bundle"),
        (lambda folder: zip_of(folder / "b.zip", **{"results/x": "1"}), "b.zip: no final/models.json in it"),
        (lambda folder: folder, "no final models (final/models.json); train them with `snakemake"),
    ],
)
def test_what_is_no_source_is_refused(tmp_path, make, message):
    with pytest.raises(InputError) as error:
        opened(make(tmp_path))
    assert message in str(error.value) and "\n" not in str(error.value)


def test_a_study_of_fold_arrays_can_not_predict_recordings(tmp_path):
    write_json(tmp_path / "run.json", {"config": {"dataset": {"kind": "fold_arrays"}}})
    with pytest.raises(InputError, match="a study of fold arrays, which do not say how recordings are read"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "format None, expected 1"),
        ({"format": 2}, "format 2, expected 1"),
        ({"format": 1, "run": 3}, "models.json: run: Input should be a valid string"),
    ],
)
def test_a_description_of_another_version_is_refused(tmp_path, content, message):
    write_json(tmp_path / "models.json", content)
    with pytest.raises(InputError) as error:
        read_description(tmp_path / "models.json")
    assert message in str(error.value) and "\n" not in str(error.value)
