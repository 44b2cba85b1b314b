"""The image for SzCORE, run as its evaluation runs images: no network, /data read-only, INPUT and OUTPUT set."""

import os
import subprocess
import sys

import pytest

from tests.helpers.final_run import write_final_run
from tests.helpers.image import ARGUMENTS, build_szcore
from tests.helpers.running import ROOT
from tests.helpers.szcore import COLUMNS, check_events, write_common_average, write_others

NAME = "sub-x1/eeg/sub-x1_task-sz_eeg.edf"


@pytest.fixture(scope="module")
def final_run(tmp_path_factory):
    """A tiny finished run with final models."""
    return write_final_run(tmp_path_factory.mktemp("final") / "results")


@pytest.fixture(scope="module")
def szcore_image(image, final_run, tmp_path_factory):
    """Its image, which is removed afterward, since it is large."""
    path = build_szcore(final_run, tmp_path_factory.mktemp("szcore") / "szcore.sif")
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Folder of recordings as SzCORE has them: one of 2 minutes, one of 2 s, and one without an electrode."""
    folder = tmp_path_factory.mktemp("data")
    source = write_others(tmp_path_factory.mktemp("others") / "bids")
    write_common_average(source, folder / NAME)
    write_common_average(source, folder / "short.edf", seconds=2)
    write_common_average(source, folder / "lacking.edf", without="T3-Avg")
    return folder


@pytest.fixture
def evaluate(szcore_image, data, tmp_path):
    """Run the image with a recording, and get the finished process and the files in the output folder."""

    def run(environment, docker=False):
        output = tmp_path / "output"
        output.mkdir(exist_ok=True)
        isolated = ["--contain", "--cleanenv", "--no-home", "--net", "--network", "none"]
        isolated += ["--bind", f"{data}:/data:ro", "--bind", f"{output}:/output"]
        variables = [f"{name}={value}" for name, value in environment.items()]
        options = [option for variable in variables for option in ("--env", variable)]
        call = ["apptainer", "--silent", "run", *ARGUMENTS, *isolated, *options, str(szcore_image)]
        if docker:  # which knows nothing of Apptainer's environment
            call = ["apptainer", "--silent", "exec", *ARGUMENTS, *isolated, str(szcore_image)]
            call += ["/usr/bin/env", "-i", *variables, "/.singularity.d/runscript"]
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True)
        return done, {path.relative_to(output).as_posix(): path for path in output.rglob("*") if path.is_file()}

    return run


def test_the_events_are_those_of_the_prediction_outside(evaluate, final_run, data, tmp_path):
    done, files = evaluate({"INPUT": NAME, "OUTPUT": "sub-x1/eeg/a.tsv"})
    assert done.returncode == 0 and list(files) == ["sub-x1/eeg/a.tsv"], done.stderr
    found = check_events(files["sub-x1/eeg/a.tsv"], 120.0, "2020-01-01 08:00:00")
    assert (found["eventType"] == "sz").any()
    outside = [sys.executable, "-m", "eegwf.cli", "predict", data / NAME, "--run", final_run]
    outside += ["--output", tmp_path / "o"]
    subprocess.run(outside, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=True)
    expected = tmp_path / "o/sub-x1_task-sz_events.tsv"
    assert files["sub-x1/eeg/a.tsv"].read_bytes() == expected.read_bytes()
    done, files = evaluate({"INPUT": NAME, "OUTPUT": "b.tsv"}, docker=True)
    assert done.returncode == 0, done.stderr
    assert files["b.tsv"].read_bytes() == expected.read_bytes()


def test_the_short_recording_of_the_check_of_images_has_a_header(evaluate):
    done, files = evaluate({"INPUT": "short.edf", "OUTPUT": "b.tsv"})
    assert done.returncode == 0 and "shorter than a window" in done.stderr
    assert files["b.tsv"].read_text() == "\t".join(COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "must have INPUT"),
        ({"INPUT": NAME}, "and OUTPUT"),
        ({"INPUT": "absent.edf", "OUTPUT": "c.tsv"}, "/data/absent.edf: no such file"),
        ({"INPUT": "lacking.edf", "OUTPUT": "c.tsv"}, "/data/lacking.edf: "),
    ],
)
def test_what_cannot_be_predicted_is_one_line_and_no_file(evaluate, environment, message):
    done, files = evaluate(environment)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and line.startswith("error: ") and message in line and not files


def test_nothing_but_the_output_can_be_written_and_no_network_is_there(szcore_image, data):
    script = "for name in /data/a /models/a /opt/a; do touch $name && exit 3; done; tail -n +3 /proc/net/dev"
    command = ["apptainer", "--silent", "exec", *ARGUMENTS, "--contain", "--net", "--network", "none"]
    command += ["--bind", f"{data}:/data:ro", str(szcore_image), "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr.count("Read-only") == 3, done.stderr
    assert [line.split(":")[0].strip() for line in done.stdout.splitlines()] == ["lo"]
