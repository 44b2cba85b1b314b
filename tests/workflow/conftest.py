"""Runs the workflow on a tiny study, as a user would."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers import faults
from tests.helpers.faults import Case
from tests.helpers.running import TINY, snakemake_command


@pytest.fixture(scope="session")
def snakemake():
    """Call Snakemake and get the finished process, its output in `stdout`."""

    def call(folder: Path, *arguments: str, configs=(TINY,), check=True) -> subprocess.CompletedProcess:
        command = snakemake_command(folder, *arguments, configs=configs)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done

    return call


@pytest.fixture(scope="session")
def finished(snakemake, tmp_path_factory) -> Path:
    """Folder in which the tiny study has run to its report."""
    folder = tmp_path_factory.mktemp("finished")
    snakemake(folder, "--cores", "2", "results/vit_mel_3class/report.html")
    return folder


@pytest.fixture(scope="session")
def good(tmp_path_factory) -> Case:
    """A good study, read and cut into folds."""
    case = Case(tmp_path_factory.mktemp("good"))
    faults.write_bids(case.bids)
    assert case.windows() == case.folds() == ""
    return case


@pytest.fixture
def study(good, tmp_path):
    """Make a study with the good recordings, and with what was read of them if asked for."""

    def make(read=False, **settings) -> Case:
        shutil.copytree(good.bids, tmp_path / "bids")
        if read:
            shutil.copytree(good.results, tmp_path / "results")
            for name in ("folds.tsv", "leakage.json"):
                (tmp_path / "results/data" / name).unlink()
        return Case(tmp_path, settings)

    return make
