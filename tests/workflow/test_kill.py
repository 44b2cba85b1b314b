"""Snakemake and its jobs killed at random instants: nothing is lost, nothing differs."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.running import contents, snakemake_command

REPORT = "results/vit_mel_3class/report.html"
NAME = "vit_mel_3class_fold1"


def kill_at(command: list[str], folder: Path, seconds: float, group: bool) -> bool:
    """Start a command and kill it, alone or with all it started, after some seconds; False if it ended before."""
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, cwd=folder, stdout=nowhere, stderr=nowhere, start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def test_snakemake_killed_ten_times_ends_in_the_same_bytes(finished, snakemake, tmp_path):
    rng = random.Random(1)
    command = snakemake_command(tmp_path, "--cores", "2", REPORT, "--rerun-incomplete")
    unlock = snakemake_command(tmp_path, "--unlock")
    killed = 0
    while killed < 10:
        # Odd kills leave Snakemake's jobs running; even ones take them along.
        killed += kill_at(command, tmp_path, rng.uniform(2, 12), group=killed % 2 == 0)
        subprocess.run(unlock, cwd=tmp_path, check=True, capture_output=True)
        if (tmp_path / REPORT).exists():
            shutil.rmtree(tmp_path / "results")  # it came to its end between kills: begin anew
    snakemake(tmp_path, "--cores", "2", REPORT, "--rerun-incomplete")
    wanted = {name: value for name, value in contents(finished / "results").items() if "stft" not in name}
    wanted = {name: value for name, value in wanted.items() if name.startswith(("data/", "vit_mel_3class/"))}
    assert {name: value for name, value in contents(tmp_path / "results").items() if name in wanted} == wanted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_ends_a_job_with_a_sentence(finished, tmp_path, root, number):
    command = [sys.executable, str(root / "workflow/scripts/retrain.py"), *_retrain_arguments(finished, tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "epoch" in line:  # training runs
            process.send_signal(number)
            break
    rest = process.stderr.read()
    assert process.wait() == 128 + number
    assert f"stopped by {number.name}; the last checkpoint is kept" in rest


def _retrain_arguments(finished: Path, output: Path) -> list[str]:
    data = finished / "results"
    training = {"epochs": 500, "patience": 500, "batch_size": 16}
    classes = {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]}
    config = {"seed": 1, "threads": 1, "device": "cpu", "deterministic": True, "model": "vit", "epochs": None}
    config |= {"training": training, "classes": classes, "permute_labels": False, "ranks_per_gpu": 1, "seeds": 1}
    files = {
        "--windows": data / "data/windows.tsv",
        "--folds": data / "data/folds.tsv",
        "--arrays": data / "spectrograms/mel.npy",
        "--best": data / "vit_mel_3class/fold1/tune/best.json",
        "--state": output / "state",
        "--output": output / "retrain",
    }
    options = ["--name", NAME, "--fold", "1", "--settings", json.dumps(config), "--code", "x"]
    return options + [str(word) for pair in files.items() for word in pair]
