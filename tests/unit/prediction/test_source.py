"""Runs and bundles as sources of models; a bundle comes from outside and is not trusted."""

import zipfile
from types import SimpleNamespace

import pytest

from eegwf.config.paths import RunPaths
from eegwf.errors import InputError
from eegwf.prediction import source
from eegwf.prediction.description import FinalDescription, read_description
from eegwf.prediction.source import open_source
from eegwf.storage import model_archive
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
    monkeypatch.setattr(model_archive, "MAX_BYTES", 10)
    bundle = zip_of(tmp_path / "b.zip", **{"final/models.json": "{}", "final/x.npy": "0" * 20})
    with pytest.raises(InputError, match="larger than"):
        opened(bundle)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "absent.zip", "absent.zip: neither the folder of a finished combination nor a bundle"),
        (lambda folder: zip_of(folder / "b.zip", **{"results/x": "1"}), "b.zip: no final/models.json in it"),
        (lambda folder: folder, "not the folder of a combination; expected one such as results/vit_mel_3class"),
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


def finished_run(folder):
    """Folder of a run with one final model and one model of a fold, all files without content."""
    run = RunPaths(folder / "results" / "vit_mel_3class")
    rank = run.fold(1).rank(1)
    for path in [*run.final.common_files, *run.final.model(1).files, run.metrics, rank.weights]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return run


def test_a_run_without_final_models_is_told_how_to_train_them(tmp_path):
    run = finished_run(tmp_path)
    run.final.description.unlink()
    with pytest.raises(InputError, match=r"no final models \(final/models.json\); train them with `snakemake"):
        opened(run.folder)


def test_a_link_to_a_run_is_the_run(tmp_path):
    run = finished_run(tmp_path)
    (tmp_path / "link").symlink_to(run.folder)
    with open_source(tmp_path / "link") as found:
        assert found.run is not None and found.run.folder == run.folder.resolve()


def test_a_run_without_its_scores_is_no_bundle(tmp_path):
    run = finished_run(tmp_path)
    run.metrics.unlink()
    with open_source(run.folder) as found:
        assert found.run is not None


def test_the_digest_of_a_run_changes_with_the_models_of_its_folds(tmp_path):
    run = finished_run(tmp_path)
    with open_source(run.folder) as found:
        before = found.digest()
        assert found.digest() == before
        run.fold(1).rank(1).weights.write_text("other")
        assert found.digest() != before


def test_a_missing_file_is_named_with_the_bundle(tmp_path, monkeypatch):
    run = finished_run(tmp_path)
    monkeypatch.setattr(source, "read_description", lambda path: SimpleNamespace(models=["model1"]))
    with open_source(run.folder) as found:
        found.check_complete(run.folder)
        run.final.model(1).calibration.unlink()
        with pytest.raises(InputError, match=r"vit_mel_3class: no final/model1/calibration.json; run `finalize` again"):
            found.check_complete(run.folder)


def test_a_damaged_bundle_is_refused_in_one_line(tmp_path):
    bundle = zip_of(tmp_path / "b.zip", **{"final/models.json": '{"format": 1}'})
    content = bundle.read_bytes()
    bundle.write_bytes(content.replace(b'{"format": 1}', b'{"format": 2}'))
    with pytest.raises(InputError, match=r"b.zip: can't be unpacked \(Bad CRC-32"):
        opened(bundle)


def test_json_that_is_nested_too_deeply_is_refused(tmp_path):
    (tmp_path / "models.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="not JSON"):
        read_description(tmp_path / "models.json")


def test_a_primary_member_without_a_model_is_refused():
    fields = dict.fromkeys(FinalDescription.model_fields) | {"primary": "rank3", "models": ["model1", "model2"]}
    with pytest.raises(ValueError, match="primary is rank3, but there are 2 models"):
        FinalDescription.model_construct(**fields)._primary_has_a_model()
