"""A SLURM cluster and an image for the session, and the same study run without them."""

import shlex
import subprocess

import pytest

from tests.helpers import image as images
from tests.helpers.one_node import Cluster, missing
from tests.helpers.running import ROOT, TINY, snakemake_command

# Options for the test only: an early first status check, because jobs are short, and no SLURM accounting.
PROFILE = (
    "--profile=slurm",
    "--slurm-init-seconds-before-status-checks=2",
    "--slurm-no-account",
    "--slurm-status-command=squeue",
    "--latency-wait=5",
)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A running cluster."""
    absent = missing()
    if absent:
        pytest.skip(f"no SLURM can be brought up here; missing: {', '.join(absent)}")
    # Sockets have short names, and pytest's folders long ones.
    with Cluster(tmp_path_factory.mktemp("slurm")) as running:
        yield running


@pytest.fixture(scope="session")
def image():
    """The image of this checkout."""
    absent = images.missing()
    if absent:
        pytest.skip(f"no image can be built here; missing: {', '.join(absent)}")
    return images.build()


@pytest.fixture
def submitted(cluster, image, tmp_path):
    """Command that runs the workflow through SLURM, in the image, in this test's folder."""
    (tmp_path / "slurm").symlink_to(ROOT / "slurm")
    profile = (*PROFILE, f"--apptainer-args={shlex.join(['--nv', *images.ARGUMENTS])}")
    return lambda *arguments, configs: snakemake_command(tmp_path, *profile, *arguments, configs=configs)


@pytest.fixture(scope="session")
def run_here():
    """Run the workflow on this machine without SLURM."""

    def run(folder, *arguments, configs):
        command = snakemake_command(folder, "--cores", "2", *arguments, configs=configs)
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout

    return run


@pytest.fixture(scope="session")
def cpu(tmp_path_factory):
    """Configuration files of the tiny study on the CPU."""
    path = tmp_path_factory.mktemp("config") / "cpu.yaml"
    path.write_text("device: cpu\n")
    return (TINY, path)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, run_here, cpu):
    """Results of the tiny study, run on this machine without SLURM, image or interruption."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run_here(folder, "results/vit_mel_3class/report.html", configs=cpu)
    return folder / "results"
