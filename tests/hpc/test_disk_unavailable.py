"""The disk of the results becomes unavailable during a run, as a network disk may; later the run is resumed."""

import os
import shutil
import subprocess

import pytest

from tests.helpers.running import contents, snakemake_command, wait_until

REPORT = "results/vit_mel_3class/report.html"


class Disk:
    """A file system that is served by a separate process; when that process ends, every access fails."""

    def __init__(self, folder):
        self.mounted, self.kept = folder / "results", folder / "kept"
        self._options = f"lowerdir={folder / 'lower'},upperdir={self.kept},workdir={folder / 'work'}"
        for path in (self.mounted, self.kept, folder / "lower", folder / "work"):
            path.mkdir()
        self._server = None

    def mount(self):
        self._server = subprocess.Popen(["fuse-overlayfs", "-f", "-o", self._options, str(self.mounted)])
        wait_until(lambda: os.path.ismount(self.mounted) or self._server.poll() is not None, "file system")
        if self._server.poll() is not None:
            pytest.skip("no FUSE file system can be mounted here")

    def vanish(self):
        self._server.kill()
        self._server.wait()

    def unmount(self):
        subprocess.run(["umount", "--lazy", self.mounted], check=False, capture_output=True)


@pytest.fixture
def disk(tmp_path):
    if shutil.which("fuse-overlayfs") is None or os.getuid() != 0:
        pytest.skip("needs fuse-overlayfs and the rights of root")
    made = Disk(tmp_path)
    made.mount()
    yield made
    made.vanish()
    made.unmount()


def test_run_resumes_when_its_disk_is_available_again(disk, undisturbed, cpu, tmp_path):
    command = snakemake_command(tmp_path, "--cores", "2", REPORT, configs=cpu)
    with open(tmp_path / "told", "w") as told:
        running = subprocess.Popen(command, cwd=tmp_path, stdout=told, stderr=told)
    # Read in the underlying folder, which remains available without the mounted file system.
    log = disk.kept / "logs/tune"
    wait_until(lambda: any(", epoch " in path.read_text() for path in log.glob("*.log")), "trial that trains", 120)
    disk.vanish()
    assert running.wait(120) != 0
    assert "Transport endpoint is not connected" in (tmp_path / "told").read_text()
    disk.unmount()
    disk.mount()
    subprocess.run(snakemake_command(tmp_path, "--unlock", configs=cpu), cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert contents(disk.mounted) == contents(undisturbed)
