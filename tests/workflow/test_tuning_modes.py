"""One study for all folds: on reserved patients, or on the first fold's, each by two workers."""

import json

import pandas as pd
import pytest
import yaml

from tests.helpers.running import TINY

RUN = "results/vit_mel_2class"
MODES = {
    "reserved": {"mode": "reserved", "reserved": 0.45},
    "once": {"mode": "once", "allow_optimistic": True},
}
STUDY = {"reserved": "reserved", "once": "fold1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("modes")


@pytest.fixture(scope="module", params=MODES)
def tuned(request, snakemake, folder):
    """Mode, folder in which the tiny study has run in it to its report, and how to run it again.

    Both modes run in one folder, as where a user changes from one to the other.
    """
    dataset = {"kind": "synthetic", "n_focal": 4, "n_generalized": 4, "n_both": 0, "n_none": 1, "minutes": 1.0}
    tuning = {**MODES[request.param], "n_workers": 2, "n_trials": 3}
    (folder / "mode.yaml").write_text(yaml.safe_dump({"dataset": dataset | {"seizures": 2}, "tuning": tuning}))
    command = (folder, "--cores", "2", f"{RUN}/report.html")
    snakemake(*command, configs=(TINY, folder / "mode.yaml"))
    return request.param, folder, lambda: snakemake(*command, configs=(TINY, folder / "mode.yaml")).stdout


def test_all_folds_take_the_sets_of_the_one_study(tuned):
    mode, folder, _ = tuned
    run = folder / RUN
    workers = [json.loads((run / f"studies/{STUDY[mode]}/worker{number}.json").read_text()) for number in (1, 2)]
    assert workers[0] == workers[1] and workers[0]["study"] == f"vit_mel_2class_{STUDY[mode]}"
    for name in ("trials.tsv", "best.json", "timing.tsv"):
        assert len({(run / f"fold{fold}/tune/{name}").read_bytes() for fold in (1, 2, 3)}) == 1, name
    best = json.loads((run / "fold3/tune/best.json").read_text())
    assert [entry["study"] for entry in best] == [workers[0]["study"]] * 2
    trials = pd.read_csv(run / "fold3/tune/trials.tsv", sep="\t")
    assert trials["state"].isin(["complete", "pruned"]).sum() - trials["reason"].notna().sum() == 3
    for fold in (1, 2, 3):
        for rank in (1, 2):
            model = json.loads((run / f"fold{fold}/retrain/rank{rank}/model.json").read_text())
            assert (model["fold"], model["trial"]) == (fold, best[rank - 1]["trial"])
            assert {**model["training"], **model["parameters"]}.items() >= best[rank - 1]["params"].items()


def test_who_is_tested_and_who_trains(tuned):
    mode, folder, _ = tuned
    folds = pd.read_csv(folder / "results/data/folds.tsv", sep="\t").set_index("patient")
    reserved = set(folds.index[folds["fold"] == 0])
    assert len(reserved) == (4 if mode == "reserved" else 0) and ("inner" in folds) == (mode == "reserved")
    table = pd.read_csv(folder / RUN / "predictions.tsv", sep="\t", keep_default_na=False)
    assert set(table["patient"]) == set(folds.index) - reserved
    assert (table["fold"] == table["patient"].map(folds["fold"])).all() and set(table["fold"]) == {1, 2, 3}
    for path in (folder / RUN).glob("fold*/retrain/rank*/*.tsv"):
        predictions = pd.read_csv(path, sep="\t")
        assert path.name == "history.tsv" or not set(predictions["patient"]) & reserved
    metrics = json.loads((folder / RUN / "metrics.json").read_text())
    assert metrics["n_patients"] == len(folds) - len(reserved)


def test_a_second_call_runs_nothing(tuned):
    _, _, run = tuned
    assert "Nothing to be done" in run()
