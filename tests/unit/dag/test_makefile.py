"""What `make` passes to the commands that it runs, here replaced by ones that list their arguments."""

import os
import subprocess

import pytest


@pytest.fixture
def make(root, tmp_path):
    """Run a target of the Makefile, and return the arguments of the commands that it calls."""
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/.installed").touch()
    for name in ("snakemake", "eegwf", "python"):
        command = tmp_path / "venv/bin" / name
        command.write_text(
            '#!/bin/bash\nprintf "%s\\0" "${0##*/}" "$@" >> "$ARGUMENTS"; printf "\\n" >> "$ARGUMENTS"\n'
        )
        command.chmod(0o755)

    def run(*words: str, folder=root, **environment: str) -> list[list[str]]:
        listed = tmp_path / "arguments"
        listed.unlink(missing_ok=True)
        command = ["make", "--file", str(root / "Makefile"), "--old-file", str(root / "envs/eegwf.txt"), "--old-file",
                   str(root / "pyproject.toml"), f"VENV={tmp_path / 'venv'}", "GPUS=", *words]  # fmt: skip
        variables = {**os.environ, **environment, "ARGUMENTS": str(listed)}
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [line.strip("\0").split("\0") for line in listed.read_text().splitlines()]

    return run


@pytest.mark.parametrize(
    "folder",
    [
        "/data/siena",
        "/data/my data",
        "it's",
        'a "quoted" one',
        "/data/a$b",
        "$(touch x)",
        "a;b & c",
        "back\\slash",
        "ä *",
    ],
)
def test_folder_of_the_data_is_one_word(make, folder):
    """Both commands of `make report` receive it unchanged."""
    unlock, run = make("report", "CONFIG=study.yaml", f"DATA={folder}")
    options = ["--configfile", "study.yaml", "--config", f"data_root={folder}"]
    assert unlock == ["python", "-m", "eegwf.dag.unlock", *options]
    assert run == ["snakemake", "--cores", "all", *options]
    assert make("report", "CONFIG=study.yaml", DATA=folder)[1] == run


def test_names_of_configuration_files_may_contain_blanks(make, root, tmp_path):
    (tmp_path / "my study.yaml").touch()
    assert make("report", f"CONFIG={tmp_path}/my study.yaml")[1][3:] == ["--configfile", f"{tmp_path}/my study.yaml"]
    assert make("report", "CONFIG=one.yaml two.yaml")[1][3:] == ["--configfile", "one.yaml", "two.yaml"]
    assert make("report", "CONFIG='no such.yaml' two.yaml")[1][3:] == ["--configfile", "no such.yaml", "two.yaml"]
    assert make("report")[1] == ["snakemake", "--cores", "all", "results/vit_mel_3class/report.html"]


def test_folder_of_a_published_run_is_one_word(make):
    run = "my results/vit_mel_3class"
    assert make("reproduce", f"RUN={run}")[0][:3] == ["eegwf", "reproduce", run]
