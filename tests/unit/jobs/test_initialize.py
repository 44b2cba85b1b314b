"""Initial weights are copied, and a source that was trained on a patient of the study is refused by name."""

import json
import zipfile

import numpy as np
import pytest
from scipy.signal import resample_poly

from eegwf.config.data_paths import InitPaths
from eegwf.config.paths import ResultPaths
from eegwf.config.windows import Windows
from eegwf.data.overlap import WindowedSignals
from eegwf.errors import InputError
from eegwf.jobs import initialize
from eegwf.storage import model_archive
from eegwf.storage.files import read_json, write_array, write_json, write_table
from tests.helpers.init_source import SECTIONS, initialize_settings, write_bundle, write_data, write_source
from tests.helpers.windowed_signals import NAMES, background, data_set


@pytest.fixture
def run(tmp_path):
    """Run the job on a study; returns the folder of the initial weights."""

    def call(ours: WindowedSignals, init, **changes) -> InitPaths:
        write_data(tmp_path / "ours", ours)
        paths = ResultPaths(tmp_path / "ours")
        data = paths.data
        settings = initialize_settings(init, **changes)
        initialize.run(settings, data.windows, data.windows_array, data.recordings, paths.init.folder)
        return paths.init

    return call


@pytest.fixture
def source(tmp_path):
    """Write a study of the patients `src-1`, `src-2`, ... with these signals; returns the folder of its run."""

    def write(*signals, **options):
        return write_source(tmp_path / "theirs", data_set(signals, "src"), **options)

    return write


def refusal(run, *arguments, **changes) -> str:
    with pytest.raises(InputError) as caught:
        run(*arguments, **changes)
    text = str(caught.value)
    assert text.startswith("training.init: ") and "\n" not in text
    return text


OURS = [background(1), background(2), background(3)]


@pytest.mark.parametrize("kind", ["run", "bundle"])
def test_weights_are_copied_and_the_source_is_recorded(run, source, tmp_path, kind):
    folder = source(background(11), background(12))
    init = folder if kind == "run" else write_bundle(folder, tmp_path / "models.zip")
    paths = run(data_set(OURS), init)
    assert paths.weights.read_bytes() == (folder / "final/model1/model.safetensors").read_bytes()
    assert read_json(paths.model) == read_json(folder / "final/model1/model.json")
    assert np.array_equal(np.load(paths.fingerprints), np.load(folder / "final/fingerprints.npy"))
    record = read_json(paths.record)
    assert (record["source"], record["is_bundle"]) == (init.name, kind == "bundle")
    assert (record["run"], record["n_patients"]) == ("vit_mel_3class", 2) and len(record["sha256"]) == 64
    assert [check["leaks"] for check in record["checks"]] == [0] * (4 if kind == "run" else 2)
    assert record["checks"][1]["examined"] == "45 windows by hash against 30"
    assert str(tmp_path) not in paths.record.read_text()


def test_a_patient_with_the_same_id_is_refused_unless_ids_are_of_different_persons(run, source, tmp_path):
    init = write_source(tmp_path / "theirs", data_set([background(11), background(12)]))
    text = refusal(run, data_set(OURS), init)
    assert f"patient sub-1 of this study has the id of sub-1 of the training patients of {init}, and 1 more" in text
    assert text.endswith("set training.init_same_ids: different_persons")
    record = read_json(run(data_set(OURS), init, init_same_ids="different_persons").record)
    assert record["checks"][0]["examined"] == (
        "3 ids against 2; 2 ids of both, by training.init_same_ids of different persons"
    )


def test_the_id_of_a_folder_counts_where_patients_are_mapped(run, source, tmp_path):
    init = source(background(11))
    data = ResultPaths(tmp_path / "theirs").data
    table = data_set([background(11)], "src").windows.drop_duplicates("recording")[["recording", "patient"]]
    write_table(data.recordings, table.assign(path="sub-2/eeg/x.edf"))
    assert "patient sub-2 of this study has the id of src-1" in refusal(run, data_set(OURS), init)


@pytest.mark.parametrize("kind", ["run", "bundle"])
def test_a_patient_with_another_id_is_refused_by_samples(run, source, tmp_path, kind):
    init = source(background(11), background(2))
    init = init if kind == "run" else write_bundle(init, tmp_path / "models.zip")
    text = refusal(run, data_set(OURS), init)
    assert "patient sub-2 of this study is one of the training patients of" in text
    assert (
        "15 of the patient's windows have samples of the source, the first in sub-2_eeg at 0 s; leave the patient out"
        in text
    )


def test_equal_samples_are_refused_whatever_is_said_of_the_ids(run, source):
    text = refusal(run, data_set(OURS), source(background(2)), init_same_ids="different_persons")
    assert "patient sub-2 of this study is one of the training patients" in text


@pytest.mark.parametrize("sfreq", [128.0, 200.0])
def test_a_copy_with_another_gain_or_rate_is_refused_by_similarity(run, tmp_path, sfreq):
    signals = [resample_poly(1.3 * background(seed), round(sfreq), 128, axis=1) for seed in (11, 3)]
    init = write_source(tmp_path / "theirs", data_set(signals, "src", sfreq))
    text = refusal(run, data_set(OURS), init)
    assert f"patient sub-3 of this study is src-2 of the training patients of {init}: " in text
    assert "looks like a copy of" in text and "(similarity " in text and "dataset.exclude" in text


def test_other_preprocessing_needs_the_folder_of_the_run(run, source, tmp_path):
    folder = source(background(11), sections={"windows": Windows(length=4, step=2)})
    assert SECTIONS["windows"].step == 4
    text = refusal(run, data_set(OURS), write_bundle(folder, tmp_path / "models.zip"))
    assert "windows.step is 2.0 there and 4.0 here; give the folder of the run" in text
    assert len(read_json(run(data_set(OURS), folder).record)["checks"]) == 3, "ids, samples and similarity of the data"


def test_a_bundle_that_is_too_large_or_has_its_models_elsewhere_is_refused(run, source, tmp_path, monkeypatch):
    folder = source(background(11), background(12))
    bundle = write_bundle(folder, tmp_path / "models.zip")
    nested = tmp_path / "nested.zip"
    with zipfile.ZipFile(bundle) as packed, zipfile.ZipFile(nested, "w") as other:
        for name in packed.namelist():
            other.writestr(f"folder/{name}", packed.read(name))
    assert "nested.zip: no final/models.json in it" in refusal(run, data_set(OURS), nested)
    monkeypatch.setattr(model_archive, "MAX_BYTES", 10)
    assert "models.zip: its files are larger than" in refusal(run, data_set(OURS), bundle)


def test_a_run_whose_data_are_gone_is_a_bundle(run, source, tmp_path):
    folder = source(background(11))
    ResultPaths(tmp_path / "theirs").data.windows.unlink()
    checks = read_json(run(data_set(OURS), folder).record)["checks"]
    assert checks[0]["examined"] == "nothing: the source has no ids" and len(checks) == 2


def test_a_run_whose_data_have_changed_is_refused(run, source, tmp_path):
    folder = source(background(11), background(12))
    write_data(tmp_path / "theirs", data_set([background(11)], "src"))
    assert "its data are no longer those on which its final models were trained" in refusal(run, data_set(OURS), folder)


def test_other_derivations_are_refused_by_name(run, source):
    ours = data_set(OURS, ch_names=[*NAMES[:4], "cz-pz"])
    text = refusal(run, ours, source(background(11)))
    assert "has 5 derivations, number 5 of them fz-cz; this study has 5, number 5 of them cz-pz" in text


def test_a_source_that_was_itself_fine_tuned_is_refused(run, source):
    text = refusal(run, data_set(OURS), source(background(11), model={"init": {"source": "vit_mel_2class"}}))
    assert "was itself fine-tuned from vit_mel_2class" in text


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: (run / "final/models.json").unlink(), "no final/models.json"),
        (lambda run: (run / "final/models.json").write_text("{"), "final/models.json is no JSON"),
        (
            lambda run: write_json(run / "final/models.json", {"format": 2}),
            "final/models.json: no run; another",
        ),
        (
            lambda run: write_json(run / "final/model1/model.json", {"model": "vit"}),
            "model1/model.json: no shape; another",
        ),
        (lambda run: write_array(run / "final/fingerprints.npy", np.zeros(3)), "expected a list of uint64"),
        (lambda run: (run / "final/fingerprints.npy").write_bytes(b"x"), "final/fingerprints.npy is no array"),
        (lambda run: (run / "final/model1/model.safetensors").unlink(), "no final/model1/model.safetensors"),
    ],
    ids=["missing", "no json", "other format", "other model.json", "no fingerprints", "no array", "no weights"],
)
def test_a_broken_source_is_refused_in_one_line(run, source, spoil, message):
    folder = source(background(11))
    spoil(folder)
    assert message in refusal(run, data_set(OURS), folder)


def test_a_missing_source_and_a_zip_file_of_something_else_are_refused(run, tmp_path):
    assert "no such run or bundle; write the folder of a run" in refusal(run, data_set(OURS), tmp_path / "none")
    (tmp_path / "x").mkdir()
    (tmp_path / "x/final.json").write_text(json.dumps({}))
    (tmp_path / "no.zip").write_bytes(b"x")
    assert "no final/models.json (File is not a zip file)" in refusal(run, data_set(OURS), tmp_path / "no.zip")


def test_pickled_fingerprints_are_not_read(run, source):
    folder = source(background(11))
    np.save(folder / "final/fingerprints.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "final/fingerprints.npy is no array" in refusal(run, data_set(OURS), folder)
