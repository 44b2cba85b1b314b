"""The tiny study, tested on a synthetic data set of another amplifier."""

import shutil

import numpy as np
import pandas as pd
import pytest

from eegwf.config.paths import ResultPaths, RunPaths
from eegwf.data.splits import load_window_set
from eegwf.evaluation.external_predictions import predict_member
from eegwf.prediction.description import read_description
from eegwf.prediction.ensemble import load_fold_models
from eegwf.storage.files import read_json, read_table, write_json
from eegwf.training.computed_dataset import open_dataset
from tests.helpers.running import TINY

RUN, NAME = "results/vit_mel_3class", "other"
TEXT = ("recording", "patient", "label", "predicted", "member")
OTHER = {
    "kind": "synthetic", "n_focal": 2, "n_generalized": 2, "n_both": 0, "n_none": 0, "minutes": 1.0, "seizures": 2,
    "seed": 5, "amplifier": {"sfreq": 200, "reference": "average", "gain": 1.3, "noise": 2.0},
}  # fmt: skip


@pytest.fixture(scope="module")
def tested(snakemake, finished, tmp_path_factory):
    """Folder in which the models of the finished study were tested on the other data set."""
    folder = tmp_path_factory.mktemp("external") / "study"
    shutil.copytree(finished, folder)
    write_json(folder / "other.json", {"dataset": OTHER, "signals": {"montage": "average"}})
    write_json(folder / "external.json", {"external": {NAME: {"configfile": "other.json"}}})
    snakemake(folder, "--cores", "2", f"{RUN}/external/{NAME}/report.html", configs=(TINY, folder / "external.json"))
    return folder


def test_the_other_data_set_is_read_as_the_study_reads_its_own(tested):
    own, other = (
        read_json(data.windows_axes)
        for data in (ResultPaths(tested / "results").data, ResultPaths(tested / "results").external(NAME).data)
    )
    assert {key: own[key] for key in ("ch_names", "sfreq", "n_times")} == {
        key: other[key] for key in ("ch_names", "sfreq", "n_times")
    }
    assert own["sha256"] != other["sha256"]


def test_every_fold_and_the_final_models_predict_it_once(tested):
    table = pd.read_csv(tested / RUN / f"external/{NAME}/predictions.tsv", sep="\t", keep_default_na=False)
    assert list(table["member"].unique()) == ["fold1", "fold2", "fold3", "final"]
    windows = read_table(tested / f"results/external/{NAME}/data/windows.tsv", text=TEXT)
    for _, part in table.groupby("member"):
        assert part["window"].tolist() == windows["window"].tolist()
    metrics = read_json(tested / RUN / f"external/{NAME}/metrics.json")
    assert metrics["n_patients"] == 4 and set(metrics["members"]) == {"fold1", "fold2", "fold3", "final"}
    internal = read_json(tested / RUN / "metrics.json")
    for fold, entry in enumerate(internal["events"]["operating_points"], start=1):
        assert entry["fold"] == fold
    page = (tested / RUN / f"external/{NAME}/report.html").read_text()
    assert "Internal and external scores" in page and "recorded sampling rate (Hz)" in page


def test_fold_models_predict_as_in_the_study(tested):
    """The function that predicts the other data set gives the study's own test predictions on its test windows."""
    run, paths = RunPaths(tested / RUN), ResultPaths(tested / "results")
    classes = read_description(run.final.description).classes
    windows = load_window_set(paths.data.windows, paths.data.folds, classes).in_folds(2)
    models = load_fold_models(run, 2, read_description(run.final.description))
    dataset = open_dataset([paths.spectrogram("mel")], None, paths.data.windows)
    found = predict_member("fold2", 2, models.members, windows, dataset)
    expected = read_table(run.predictions, text=TEXT)
    expected = expected[(expected["member"] == "ensemble") & (expected["fold"] == 2)]
    columns = [name for name in expected if name.startswith(("p_", "raw_"))]
    assert len(found) == len(expected) > 0 and found["window"].tolist() == expected["window"].tolist()
    assert np.array_equal(found[columns].to_numpy(), expected[columns].to_numpy(float))
    assert found["predicted"].tolist() == expected["predicted"].tolist()


def test_an_unfillable_class_set_is_refused_in_one_line(snakemake, tested):
    write_json(tested / "focal.json", {"dataset": OTHER | {"n_generalized": 0}})
    write_json(tested / "external.json", {"external": {"focal": {"configfile": "focal.json"}}})
    target = f"{RUN}/external/focal/predictions.tsv"
    configs = (TINY, tested / "external.json")
    done = snakemake(tested, "--cores", "2", target, configs=configs, check=False)
    assert done.returncode
    assert "external data set focal has no events of class generalized (sz_gen); its event types: " in done.stdout
    assert "Traceback" not in done.stdout


def test_a_data_set_that_cannot_be_read_stops_the_run_before_its_trainings(snakemake, tmp_path):
    write_json(tmp_path / "other.json", {"dataset": {"kind": "bids"}})
    given = {"configfile": "other.json", "root": str(tmp_path / "none")}
    write_json(tmp_path / "external.json", {"external": {NAME: given}})
    target = f"{RUN}/external/{NAME}/report.html"
    configs = (TINY, tmp_path / "external.json")
    done = snakemake(tmp_path, "--cores", "1", target, configs=configs, check=False)
    assert done.returncode and "none: no such folder; dataset.root must be the folder" in done.stdout
    assert ResultPaths(tmp_path / "results").data.windows.is_file() and not (tmp_path / RUN).exists()
