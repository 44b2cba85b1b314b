"""The workflow as a module of another one: its settings are the module's, and its results the same."""

import subprocess
import sys

from tests.helpers.running import ROOT, TINY, contents

OUTER = f"""
configfile: "mine.yaml"

module eegwf:
    snakefile:
        "{ROOT}/Snakefile"
    config:
        config["eeg"]


use rule * from eegwf as eegwf_*


rule mine:
    default_target: True
    input:
        "results/vit_mel_3class/metrics.json",
    output:
        "mine.json",
    shell:
        "cp {{input}} {{output}}"
"""


def test_another_workflow_builds_on_ours(finished, tmp_path):
    (tmp_path / "Snakefile").write_text(OUTER)
    inner = "".join(f"  {line}\n" for line in TINY.read_text().splitlines())
    (tmp_path / "mine.yaml").write_text(f"unknown_here: 1\neeg:\n{inner}")
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    planned = subprocess.run([*command, "--dry-run"], cwd=tmp_path, capture_output=True, text=True)
    assert "eegwf_tune" in planned.stdout and "1 job has no prediction" in planned.stderr, planned.stderr
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    ours, theirs = contents(finished / "results"), contents(tmp_path / "results")
    assert (tmp_path / "mine.json").read_bytes() == (finished / "results/vit_mel_3class/metrics.json").read_bytes()
    assert theirs.items() <= ours.items() and len(theirs) > 20


def test_a_wrong_setting_is_told_in_one_line(tmp_path):
    (tmp_path / "Snakefile").write_text(OUTER)
    (tmp_path / "mine.yaml").write_text("eeg: {fold: 3}\n")
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("error: ") and "folds" in done.stderr
