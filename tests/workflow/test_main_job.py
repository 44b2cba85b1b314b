"""The main job: from recordings to a report, and what is done again when something changes."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn import metrics as sk

import eegwf
from eegwf.config.paths import Combination, ResultPaths
from eegwf.training.computed_dataset import open_dataset
from eegwf.training.recording_normalization import input_for
from tests.helpers.first_screen import expected, shown
from tests.helpers.opened_report import check_report

RUN = "results/vit_mel_3class"
REPORT = f"{RUN}/report.html"
CONCAT = "vit_concat_2class"
LITTLE_WORK = ["--config", "tuning={n_trials: 1, pruner: none}", "retrain={n_best: 1}", "training={epochs: 1}"]


def jobs(output: str) -> dict[str, int]:
    """Rules and number of jobs in the table of a dry run."""
    table = output.rpartition("job            count")[2] or output.rpartition("job ")[2]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M) if name != "total"}


def test_every_file_of_the_contract_is_there(finished):
    run = finished / RUN
    expected = ["predictions.tsv", "metrics.json", "per_patient.tsv", "events.tsv", "timing.tsv", "report.html"]
    for fold in (1, 2, 3):
        expected += [f"fold{fold}/tune/{name}" for name in ("trials.tsv", "best.json", "timing.tsv")]
        expected += [f"studies/fold{fold}/worker1.json", f"fold{fold}/retrain/timing.tsv"]
        expected += [f"fold{fold}/explain/maps.json"]
        for rank in (1, 2):
            names = (
                *("model.safetensors", "model.json", "history.tsv"),
                *("validation.tsv", "calibration.json", "test.tsv"),
            )
            expected += [f"fold{fold}/retrain/rank{rank}/{name}" for name in names]
    data = ["recordings.tsv", "windows.tsv", "windows.npy", "folds.tsv", "leakage.json", "events.tsv"]
    missing = [name for name in expected if not (run / name).stat().st_size]
    missing += [name for name in data if not (finished / "results/data" / name).stat().st_size]
    assert missing == []


def test_every_file_of_a_run_has_its_name_in_one_place(finished):
    paths = ResultPaths(finished / "results")
    run, data = paths.run(Combination("vit", "mel", "3class")), paths.data
    named = [
        data.recordings,
        data.events,
        data.windows,
        data.windows_array,
        data.windows_axes,
        data.folds,
        data.leakage,
    ]
    named += [
        run.predictions,
        run.metrics,
        run.per_patient,
        run.events,
        run.timing,
        run.ledger,
        run.run_record,
        run.report,
    ]
    for fold in map(run.fold, (1, 2, 3)):
        named += [fold.trials, fold.best, fold.tuning_timing, fold.retrained.timing, *fold.attribution.files]
        named += [file for rank in (1, 2) for file in fold.rank(rank).files]
    named += [run.worker(f"fold{fold}", 1) for fold in (1, 2, 3)]
    found = [path for folder in (run.folder, data.folder) for path in folder.rglob("*") if path.is_file()]
    # The files for a paper have the names of the tables and figures of the report.
    elsewhere = {data.bids, run.paper.folder}
    assert {path for path in found if not elsewhere & set(path.parents)} == set(named)
    assert run.paper.text.is_file() and run.paper.figure("confusion", "svg").is_file()


def test_what_tuning_and_retraining_cost_is_written(finished):
    for fold in (1, 2, 3):
        tables = {name: finished / RUN / f"fold{fold}" / name for name in ("tune/trials.tsv", "tune/timing.tsv")}
        trials, tuning = (pd.read_csv(path, sep="\t") for path in tables.values())
        counted = trials[trials["epochs"] > 0]
        assert tuning["trial"].tolist() == counted["trial"].tolist()
        assert tuning["epochs"].tolist() == counted["epochs"].tolist()
        retraining = pd.read_csv(finished / RUN / f"fold{fold}/retrain/timing.tsv", sep="\t")
        histories = [finished / RUN / f"fold{fold}/retrain/rank{rank}/history.tsv" for rank in (1, 2)]
        assert retraining["rank"].tolist() == [1, 2]
        assert retraining["epochs"].tolist() == [len(pd.read_csv(path, sep="\t")) for path in histories]
        assert (retraining.pop("seed") == 1).all()
        for table in (tuning, retraining):
            columns = ["seconds", "epochs", "windows", "windows_per_second", "device"]
            assert list(table.columns[1:]) == [*columns, "cpu_joules", "gpu_joules", "gpu_processes"]
            assert (table["seconds"] > 0).all() and (table["windows"] > table["epochs"]).all()
            np.testing.assert_allclose(table["windows_per_second"], table["windows"] / table["seconds"], atol=0.06)


def test_metrics_follow_from_the_predictions(finished):
    table = pd.read_csv(finished / RUN / "predictions.tsv", sep="\t", keep_default_na=False)
    metrics = json.loads((finished / RUN / "metrics.json").read_text())
    classes = metrics["classes"]
    p_columns = [f"raw_{name}" for name in classes]
    for member, scores in metrics["members"].items():
        rows = table[(table["member"] == member) & (table["label"] != "")]
        truth = rows["label"].map(classes.index).to_numpy()
        predicted = rows["predicted"].map(classes.index).to_numpy()
        p = rows[p_columns].to_numpy(float)
        onehot = np.eye(len(classes))[truth]
        expected = {
            "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted),
            "macro_f1": sk.f1_score(truth, predicted, average="macro"),
            "accuracy": sk.accuracy_score(truth, predicted),
            "auroc": sk.roc_auc_score(truth, p / p.sum(axis=1, keepdims=True), multi_class="ovr", average="macro"),
            "auprc": sk.average_precision_score(onehot, p, average="macro"),
        }
        for name, value in expected.items():
            assert scores[name]["value"] == pytest.approx(value, abs=1e-6), (member, name)
            if len(set(predicted)) > 1:  # a score that is the same without any patient has no interval
                assert scores[name]["low"] <= scores[name]["value"] <= scores[name]["high"]
    ensemble = table[table["member"] == "ensemble"].set_index("window")[p_columns]
    ranks = table[table["member"] != "ensemble"].groupby("window")[p_columns].mean()
    np.testing.assert_allclose(ensemble.sort_index(), ranks.sort_index(), atol=1e-8)


def test_every_window_is_tested_once_by_models_that_never_saw_its_patient(finished):
    folds = pd.read_csv(finished / "results/data/folds.tsv", sep="\t").set_index("patient")["fold"]
    table = pd.read_csv(finished / RUN / "predictions.tsv", sep="\t", keep_default_na=False)
    windows = pd.read_csv(finished / "results/data/windows.tsv", sep="\t", keep_default_na=False)
    assert (table["fold"] == table["patient"].map(folds)).all()
    one = table[table["member"] == "rank1"]
    assert sorted(one["window"]) == sorted(windows["window"])
    for fold in (1, 2, 3):
        model = json.loads((finished / RUN / f"fold{fold}/retrain/rank1/model.json").read_text())
        validation = pd.read_csv(finished / RUN / f"fold{fold}/retrain/rank1/validation.tsv", sep="\t")
        assert model["fold"] not in model["validation_folds"]
        assert set(validation["fold"]) == set(model["validation_folds"])


def test_a_second_call_runs_nothing(finished, snakemake):
    assert "Nothing to be done" in snakemake(finished, "--cores", "2", REPORT).stdout


def test_a_changed_range_repeats_tuning_and_what_follows_alone(finished, snakemake, tmp_path):
    changed = tmp_path / "changed.yaml"
    search = {"lr": {"low": 1e-3, "high": 2e-2, "log": True}}
    changed.write_text(yaml.safe_dump({"models": {"vit": {"search": search}}}))
    tiny = Path(__file__).with_name("tiny.yaml")
    planned = jobs(snakemake(finished, "--dry-run", REPORT, configs=(tiny, changed)).stdout)
    assert planned == {"tune": 3, "select_best": 3, "retrain": 3, "explain": 3, "evaluate": 1, "report": 1}


def test_a_changed_training_setting_repeats_no_data_job(finished, snakemake):
    planned = jobs(snakemake(finished, "--dry-run", REPORT, "--config", "training={epochs: 4}").stdout)
    assert set(planned) == {"tune", "select_best", "retrain", "explain", "evaluate", "report"}


AFTER_TUNING = {"select_best": 3, "retrain": 3, "explain": 3, "evaluate": 1, "report": 1}


def test_more_workers_bring_the_missing_ones_and_the_gathering(finished, snakemake):
    more = ["--config", "tuning={n_workers: 4}"]
    files = [f"{RUN}/fold{fold}/tune/best.json" for fold in (1, 2, 3)]
    assert jobs(snakemake(finished, "--dry-run", *files, *more).stdout) == {"tune": 9, "select_best": 3}
    assert jobs(snakemake(finished, "--dry-run", REPORT, *more).stdout) == {"tune": 9, **AFTER_TUNING}


@pytest.mark.parametrize("change", ["tuning={n_trials: 5}", "tuning={timeout_minutes: 1}", "retrain={n_best: 1}"])
def test_another_budget_goes_on_with_every_study(finished, snakemake, change):
    planned = jobs(snakemake(finished, "--dry-run", REPORT, "--config", change).stdout)
    assert planned == {"tune": 3, **AFTER_TUNING}


def test_tuning_once_asks_for_no_other_study(finished, snakemake):
    once = ["--config", "tuning={mode: once, allow_optimistic: true}"]
    files = [f"{RUN}/fold{fold}/tune/best.json" for fold in (1, 2, 3)]
    # Fold 1 has taken its sets from that study; the others take them now.
    assert jobs(snakemake(finished, "--dry-run", *files, *once).stdout) == {"select_best": 2}


def test_comments_repeat_nothing_and_code_repeats_what_uses_it(finished, root, tmp_path):
    """On a copy of the checkout, so that its files can be edited."""
    copy = tmp_path / "checkout"
    for name in ("eegwf", "rules", "workflow", "config", "profiles"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "Snakefile", copy)

    def planned() -> dict[str, int]:
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(copy / "Snakefile"), "--dry-run"]
        command += ["--directory", str(finished), REPORT, "--configfile", str(root / "tests/workflow/tiny.yaml")]
        environment = os.environ | {"PYTHONPATH": str(copy)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=finished)
        assert done.returncode == 0, done.stderr
        return jobs(done.stdout + done.stderr)

    assert planned() == {}
    scripts = ("workflow/scripts/tune.py", "workflow/scripts/select_best.py", "rules/tune.smk", "rules/select_best.smk")
    for name in ("eegwf/training/loop.py", "eegwf/tuning/search.py", "eegwf/jobs/select_best.py", *scripts):
        path = copy / name
        path.write_text("# A comment.\n" + path.read_text() + "\n# Another one.\n")
    assert planned() == {}
    path = copy / "eegwf/training/schedule.py"
    path.write_text(path.read_text().replace("momentum=0.9", "momentum=0.8"))
    assert planned() == {"tune": 3, "select_best": 3, "retrain": 3, "explain": 3, "evaluate": 1, "report": 1}


def test_the_run_opens_from_python(finished):
    run = eegwf.load_run(finished / RUN)
    assert run.config.folds == 3
    assert set(run.metrics["member"]) == {"rank1", "rank2", "ensemble"}
    assert set(run.models) == {(fold, rank) for fold in (1, 2, 3) for rank in (1, 2)}
    test = pd.read_csv(finished / RUN / "fold2/retrain/rank1/test.tsv", sep="\t", keep_default_na=False)
    model, data = run.model(fold=2, rank=1), ResultPaths(finished / "results").data
    dataset = open_dataset([finished / "results/spectrograms/mel.npy"], None, data.windows)
    x = input_for(dataset, model.normalization.kind).read(test["window"].to_numpy())
    p = model(x).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(p, test[["p_background", "p_focal", "p_generalized"]], atol=1e-5)
    rows = run.predictions.query("member == 'rank1' and fold == 2").sort_values("window")
    calibrated = run.calibration(fold=2, rank=1).apply(p[np.argsort(test["window"])])
    np.testing.assert_allclose(calibrated, rows[["p_background", "p_focal", "p_generalized"]], atol=1e-4)


@pytest.mark.parametrize("combination", ["vit_cwt_3class", CONCAT])
def test_other_combinations_work_as_well(finished, snakemake, combination):
    snakemake(finished, "--cores", "2", f"results/{combination}/report.html", *LITTLE_WORK)
    metrics = json.loads((finished / f"results/{combination}/metrics.json").read_text())
    assert metrics["members"]["ensemble"]["balanced_accuracy"]["value"] > 0.2


@pytest.mark.browser
@pytest.mark.parametrize("combination", ["vit_mel_3class", CONCAT])
def test_reports_are_readable_in_a_browser(browser, finished, snakemake, tmp_path, combination):
    little = LITTLE_WORK if combination == CONCAT else []
    snakemake(finished, "--cores", "2", f"results/{combination}/report.html", *little)
    check_report(browser, tmp_path, finished / f"results/{combination}/report.html")


def test_a_second_results_root_does_not_mix(finished, snakemake):
    other = snakemake(
        finished, "--dry-run", "results/other/vit_mel_3class/report.html", "--config", "results=results/other"
    )
    assert jobs(other.stdout)["windows"] == 1
    refused = snakemake(finished, "--dry-run", REPORT, "--config", "results=results/other", check=False)
    assert refused.returncode and "the results of this configuration are in results/other/" in refused.stdout


def test_every_number_of_the_first_screen_follows_from_the_predictions(finished):
    """Recomputed by a script that imports nothing of the library."""
    run, page = finished / RUN, shown(finished / RUN)
    class_set = {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]}
    texts = expected(run, class_set)
    assert len(texts) == 15 and [text for text in texts if text not in page] == []
