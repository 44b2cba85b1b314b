"""Retraining: the parameter sets of the tuning, each with files of its own, the same bytes after any kill."""

import pytest

from eegwf.config.training import Training
from eegwf.data.splits import load_cohort, split
from eegwf.jobs.retrain import retrain_fold
from eegwf.seeds import seed_of
from eegwf.storage.files import read_json, read_table, write_json
from eegwf.training.loop import train
from eegwf.training.spectrogram_dataset import Inputs
from tests.helpers.killing import kill_ten_times
from tests.helpers.study import tune_config, write_study
from tests.helpers.tuning import tune

NAME = "vit_mel_3class_fold2"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study with the tuning of fold 2 done."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    tune(folder, folder, fold=2)
    return folder


def retrain(study, folder, top=2):
    config = {
        key: tune_config()[key]
        for key in ("seed", "threads", "device", "deterministic", "permute_labels", "model", "training", "classes")
    }
    write_json(folder / "best.json", read_json(study / "best.json")[:top])
    retrain_fold(
        name=NAME,
        fold=2,
        config=config | {"retrain": {"top": top}},
        code="x",
        windows=str(study / "windows.tsv"),
        folds=str(study / "folds.tsv"),
        arrays=[str(study / "mel.npy")],
        best=str(folder / "best.json"),
        state=str(folder / "state"),
        output=str(folder / "retrain"),
    )
    return contents(folder)


def contents(folder):
    """What two equal retrainings have in common: all but times."""
    files = [path for path in sorted((folder / "retrain").rglob("*")) if path.is_file() and path.name != "timing.tsv"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def undisturbed(study, tmp_path_factory):
    return retrain(study, tmp_path_factory.mktemp("undisturbed"))


def test_every_rank_has_its_own_files(study, undisturbed):
    names = ["history.tsv", "model.json", "model.safetensors", "test.tsv", "validation.tsv"]
    assert sorted(undisturbed) == [f"retrain/rank{rank}/{name}" for rank in (1, 2) for name in names]
    assert undisturbed["retrain/rank1/model.safetensors"] != undisturbed["retrain/rank2/model.safetensors"]


def test_a_history_holds_one_training_alone(study, undisturbed, tmp_path):
    retrain(study, tmp_path)
    for rank in (1, 2):
        history = read_table(tmp_path / f"retrain/rank{rank}/history.tsv")
        assert list(history["epoch"]) == list(range(1, len(history) + 1))
        assert len(history) <= tune_config()["training"]["epochs"]


def test_what_each_rank_took_is_written(study, tmp_path):
    files = retrain(study, tmp_path)
    table = read_table(tmp_path / "retrain/timing.tsv")
    assert list(table.columns) == ["rank", "seconds", "epochs", "windows", "windows_per_second", "device"]
    epochs = [files[f"retrain/rank{rank}/history.tsv"].count(b"\n") - 1 for rank in (1, 2)]
    assert table["rank"].tolist() == [1, 2] and table["epochs"].tolist() == epochs
    assert table["windows"].tolist() == [48 * number for number in epochs]  # two patients of 24 windows train
    assert (table["seconds"] > 0).all()


def test_validation_and_test_come_from_their_folds(study, undisturbed, tmp_path):
    retrain(study, tmp_path)
    folds = read_table(study / "folds.tsv", text=("patient",)).set_index("patient")["fold"]
    for name, fold in (("test", 2), ("validation", 3)):
        table = read_table(tmp_path / f"retrain/rank1/{name}.tsv", text=("patient", "label", "predicted"))
        assert set(table["patient"].map(folds)) == {fold} == set(table["fold"])


def test_killed_at_ten_random_instants_it_ends_in_the_same_bytes(study, undisturbed, tmp_path):
    arguments = (study, tmp_path)
    kill_ten_times(retrain, arguments, tmp_path / "state", lambda: contents(tmp_path) == undisturbed, seed=3)
    assert retrain(study, tmp_path) == undisturbed


def test_a_rank_is_not_trained_again_because_of_the_others(study, undisturbed, tmp_path):
    one = retrain(study, tmp_path, top=1)
    checkpoint = next((tmp_path / "state").glob("*/checkpoint.safetensors"))
    before = checkpoint.stat().st_mtime_ns
    both = retrain(study, tmp_path, top=2)
    assert checkpoint.stat().st_mtime_ns == before
    assert both == undisturbed and one.items() <= both.items()


def test_tuning_and_retraining_share_one_training(study):
    """A trial trained once more by that function gives the value that the table of trials holds."""
    config = tune_config()
    inputs = Inputs([study / "mel.npy"])
    cohort = load_cohort(study / "windows.tsv", study / "folds.tsv", config["classes"])
    for entry in read_json(study / "best.json"):
        trained = train(
            "vit",
            inputs,
            split(cohort, 2, 1),
            entry["params"],
            Training.model_validate(config["training"]),
            seed=seed_of(config["seed"], NAME, "trial", entry["trial"], 1),
        )
        assert trained.value == entry["value"]
