"""The container image: its labels, its isolation from the host, and the refusal of an image of another library."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from eegwf.errors import InputError
from eegwf.provenance.container_image import check_image, labels_of, read_labels
from tests.helpers.image import ARGUMENTS
from tests.helpers.running import ROOT, TINY, snakemake_command

POISON = "raise ImportError('the host got in')\n"
LOOK = """
import sys, numpy, torch, eegwf
print(numpy.__file__, eegwf.__file__, *sys.path, sep="\\n")
"""


def inside(image, *command, folder, **environment):
    """Run a command as Snakemake runs jobs: in a study's folder, which is its home."""
    call = ["apptainer", "--silent", "exec", "--home", str(folder), *ARGUMENTS, str(image), *command]
    done = subprocess.run(call, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_apptainer_test_passes_and_labels_match_the_checkout(image):
    done = subprocess.run(["apptainer", "test", *ARGUMENTS, str(image)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "packages imported from /opt/eegwf/venv" in done.stdout, done.stdout + done.stderr
    labels = read_labels(image)
    assert labels_of(ROOT).items() <= labels.items() and labels["eegwf.torch"] and labels["eegwf.base"]


def test_python_of_the_host_is_not_visible_inside(image, tmp_path):
    for place in ("path", ".local/lib/python3.11/site-packages"):
        (tmp_path / place).mkdir(parents=True)
        for name in ("numpy", "torch", "sitecustomize", "usercustomize"):
            (tmp_path / place / f"{name}.py").write_text(POISON)
    (tmp_path / "eegwf.py").write_text(POISON)
    hostile = {"PYTHONPATH": str(tmp_path / "path"), "PYTHONUSERBASE": str(tmp_path / ".local"), "VIRTUAL_ENV": "/no"}
    (tmp_path / "look.py").write_text(LOOK)
    found = inside(image, "/opt/eegwf/venv/bin/python", "look.py", folder=tmp_path, **hostile).split()
    assert found[0].startswith("/opt/eegwf/venv/") and found[1].startswith("/opt/eegwf/eegwf/")
    assert not [path for path in found[2:] if str(tmp_path) in path]


def test_image_of_another_library_or_lock_is_refused(image, tmp_path):
    for name in ("eegwf", "workflow", "envs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    check_image(image, tmp_path)
    changed = tmp_path / "eegwf/training/loop.py"
    changed.write_text(changed.read_text() + "\n")
    with pytest.raises(InputError, match=r"its library is .*, but that of this checkout is"):
        check_image(image, tmp_path)
    shutil.copy(ROOT / "eegwf/training/loop.py", changed)
    (tmp_path / "envs/eegwf.txt").write_text("torch==2.0.0\n")
    with pytest.raises(InputError, match=r"its lock \(envs/eegwf.txt\) is"):
        check_image(image, tmp_path)


MESSAGES = {"absent.sif": "no such image; build it with `make image`", "no.sif": "Apptainer can't read this image"}


def test_missing_image_is_a_user_error(image, tmp_path):
    (tmp_path / "no.sif").write_text("not an image")
    for name, message in MESSAGES.items():
        setting = f"--config=cluster={{image: {tmp_path / name}}}"
        command = snakemake_command(tmp_path, "--cores=1", "--sdm=apptainer", setting, "results/data/windows.npy")
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1 and message in done.stderr.splitlines()[-1], done.stderr
        assert not (tmp_path / "results/data").exists()


def test_study_in_another_folder_reads_its_data_and_writes_nothing_to_home(image, tmp_path):
    """Results and scratch outside of the folder where Snakemake runs are bound without further options."""
    here, results = tmp_path / "here", tmp_path / "there/results"
    here.mkdir()
    (tmp_path / "node").mkdir()
    # Else /tmp, where these folders are, would be seen by every image.
    contained = [*ARGUMENTS, "--contain"]
    settings = [f"results={results}", f"cluster={{scratch: {tmp_path / 'node'}}}", "device=cpu"]
    arguments = ["--cores=2", "--sdm=apptainer", f"--apptainer-args={' '.join(contained)}", "--config", *settings, "--"]
    target = f"{results}/vit_mel_2class/fold1/retrain/rank1/test.tsv"
    command = snakemake_command(here, "--configfile", str(TINY), *arguments, target, configs=())
    done = subprocess.run(command, cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(target).exists()
    assert {path.name for path in here.iterdir()} == {".snakemake"}
    assert list((tmp_path / "node").rglob("*.lock")) and not list((tmp_path / "node").rglob("*.npy"))
