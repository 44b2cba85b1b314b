"""Two Snakemakes on one study: the second is refused, and says how to go on."""

import signal
import subprocess

import pytest

from tests.helpers.running import snakemake_command


@pytest.fixture
def running(tmp_path):
    """A Snakemake in the middle of a job, its folder and its results."""
    folder, results = tmp_path / "first", tmp_path / "results"
    folder.mkdir()
    command = snakemake_command(folder, "--cores", "1", f"{results}/data/folds.tsv", "--config", f"results={results}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder) as process:
        next(line for line in process.stdout if "Write the synthetic data set" in line)
        process.send_signal(signal.SIGSTOP)
        yield folder, results
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.stdout.read()


def second(folder, results):
    folder.mkdir(exist_ok=True)
    command = snakemake_command(folder, "--cores", "1", f"{results}/data/folds.tsv", "--config", f"results={results}")
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)


def test_a_second_in_the_same_folder_meets_snakemakes_lock(running):
    done = second(*running)
    assert done.returncode == 1 and "LockException" in done.stdout and "--unlock" in done.stdout


def test_a_second_elsewhere_with_the_same_results_is_refused(running, tmp_path):
    folder, results = running
    done = second(tmp_path / "second", results)
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 1 and last.startswith(
        f"error: {results}: results folder is in use by another Snakemake process (process "
    )
    assert f"in {folder})" in last and "--config results=FOLDER" in last
