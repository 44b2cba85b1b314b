"""The plan of a dry run, and the refusal of what would cost too much; on a study that has run once."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.helpers.running import ROOT, TINY

NEW = "results/vit_stft_3class/report.html"


@pytest.fixture(scope="module")
def study(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("planned")
    shutil.copytree(finished, folder, dirs_exist_ok=True)
    for left in (folder / "results/spectrograms").glob("stft.*"):  # by tests that ran before
        left.unlink()
    return folder


def plan(folder, *arguments):
    """What `eegwf plan` prints, and its JSON."""
    command = [sys.executable, "-m", "eegwf.cli", "plan", "--json", "plan.json", *arguments, "--configfile", str(TINY)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "plan.json").read_text())


def test_a_new_combination_is_predicted_by_the_runs_there_are(study):
    text, found = plan(study, NEW)
    assert found["total"]["jobs"] == 1 + 4 * 3 + 2 and found["total"]["repeated"] == found["total"]["unknown"] == 0
    assert found["calibrated"] and "Predicted from the runs in this results folder" in text
    assert list(found["combinations"]) == ["shared", "vit_stft_3class"]
    assert found["rules"]["tune"]["gpu_requested"] == 1 and 0 < found["rules"]["tune"]["gpu_predicted"] < 0.1
    assert found["rules"]["select_best"]["gpu_requested"] == 0
    assert found["longest_chain"]["rules"] == ["spectrogram", "tune", "select_best", "retrain", "explain", "report"]
    assert not (study / "results/vit_stft_3class").exists()


def test_work_that_is_repeated_is_told_with_its_reason(study):
    _, found = plan(study, "results/vit_mel_3class/report.html", "--config", "evaluation={n_bootstrap: 110}")
    assert found["rules"]["evaluate"]["repeated"] == found["rules"]["report"]["repeated"] == 1
    assert found["repeated"] == {"Params have changed since last execution": 1, "Input files updated by another job": 1}


def test_a_finished_study_has_an_empty_plan(study):
    text, found = plan(study, "results/vit_mel_3class/report.html")
    assert text.strip() == "Plan: no jobs to run." and found["total"]["jobs"] == 0


def test_hours_and_patients_plan_a_data_set_that_is_not_there(tmp_path):
    settings = ["--configfile", str(ROOT / "config/datasets/tusz.yaml"), "--config", "data_root=nowhere"]
    settings += ["folds=leave-one-patient-out"]
    command = [sys.executable, "-m", "eegwf.cli", "plan", "results/tusz/vit_mel_2class/report.html", *settings]
    options = ["--hours", "10", "--patients", "12", "--json", "plan.json"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "plan.json").read_text())
    assert found["rules"]["retrain"]["jobs"] == 12 and found["total"]["unknown"] == 0
    assert found["rules"]["retrain"]["gpu_predicted"] > 0 and found["disk_bytes"]["arrays"] > 0
    for hours, advice in (("-1", "--hours above 0"), ("nan", "--hours above 0"), ("10", "needs --patients")):
        done = subprocess.run([*command, "--hours", hours], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1 and done.stderr.startswith("error: eegwf plan: ") and advice in done.stderr


def test_a_mistake_is_told_as_by_snakemake(study):
    command = [sys.executable, "-m", "eegwf.cli", "plan", "results/vit_nel_3class/report.html"]
    done = subprocess.run(command, cwd=study, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("error: results/vit_nel_3class") and "mel" in done.stderr


def test_a_dry_run_ends_with_the_plan(study, snakemake):
    told = snakemake(study, "--cores", "2", "--dry-run", NEW).stdout
    assert told.rindex("Longest chain of jobs") > told.rindex("This was a dry-run")


@pytest.mark.parametrize("arguments", [(NEW, "--quiet"), ("results/no/such.file",)])
def test_no_plan_where_none_is_known(study, snakemake, arguments):
    assert "Plan:" not in snakemake(study, "--cores", "2", "--dry-run", *arguments, check=False).stdout


def test_a_run_that_costs_too_much_is_not_started(study, snakemake):
    done = snakemake(study, "--cores", "2", NEW, "--config", "cluster={max_gpu_hours: 0.0001}", check=False)
    assert done.returncode and "error: cluster.max_gpu_hours: 0.0001 are allowed, but this run" in done.stdout
    assert not (study / "results/spectrograms/stft.npy").exists()
