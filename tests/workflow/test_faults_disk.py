"""A disk that is full or can't be written to: one line, nothing half-written, and the run goes on once it is mended."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.helpers.faults import check_no_temporary, error_of, left


@pytest.fixture
def disk(tmp_path):
    """Make `results` a disk of its own, or change that disk: `disk("size=100k")`, `disk("ro")`."""
    folder = tmp_path / "results"
    folder.mkdir()
    mounted = []

    def mount(options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(["remount"] * bool(mounted) + [options]), "tmpfs", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no disk can be made here: {done.stderr.splitlines()[0]}")
        mounted.append(folder)

    yield mount
    if mounted:
        subprocess.run(["umount", folder], check=True)


def used(folder: Path, pages: int) -> str:
    """Option that leaves a disk with the room that its files take and some pages more."""
    found = os.statvfs(folder)
    return f"size={(found.f_blocks - found.f_bfree + pages) * found.f_frsize}"


def test_a_full_disk(study, good, disk):
    """Full while recordings are read, while windows and while spectrograms are written; then there is room again."""
    case = study()
    full = r"error: {}: No space left on device; no partial files were left; fix the cause and rerun"
    for size, name in (("80k", r"\S+/state/\S+/sub-\d\d_task-sz\.f2"), ("300k", r"\S+/data/windows\.npy")):
        disk(f"size={size}")
        assert re.fullmatch(full.format(name), said := case.windows()), said
        assert left(case.results) == []
        check_no_temporary(case)
    disk("size=8m")
    assert case.windows() == ""
    before = left(case.results)
    # For the name of the stage; for the head of the growing array too, so that its rows find no room.
    for pages, name in ((0, "stage"), (3, r"array\.npy")):
        disk(used(case.results, pages))
        assert re.fullmatch(full.format(rf"\S+/state/\S+/{name}"), said := case.spectrogram()), said
        assert left(case.results) == before
        check_no_temporary(case)
    disk("size=8m")
    assert case.spectrogram() == case.folds() == ""
    for name in left(good.results):
        assert (case.results / name).read_bytes() == (good.results / name).read_bytes(), name


def test_a_full_disk_through_snakemake(study, disk, snakemake):
    case = study()
    disk("size=300k")
    done = snakemake(case.folder, "--cores", "2", "results/data/folds.tsv", configs=[case.config()], check=False)
    assert error_of(done).startswith("error: results/data/windows.npy: No space left on device")
    assert left(case.results) == []
    check_no_temporary(case)


@pytest.fixture
def read_only(tmp_path, request):
    """Make `results` a folder that can't be written to: by its mode, or for root, who may, as a disk."""
    if os.geteuid() == 0:
        mount = request.getfixturevalue("disk")
        mount("size=1m")
        mount("ro")
        yield
        return
    (tmp_path / "results").mkdir(mode=0o555)
    yield
    (tmp_path / "results").chmod(0o755)


@pytest.mark.usefixtures("read_only")
def test_a_read_only_folder(study, snakemake):
    case = study()
    refused = "(Read-only file system|Permission denied)"
    assert re.fullmatch(
        rf"error: \S+/results/\S+: {refused}; no partial files were left; fix the cause and rerun",
        said := case.windows(),
    ), said
    target = ["results/data/folds.tsv"]
    done = snakemake(case.folder, "--cores", "2", *target, configs=[case.config()], check=False)
    message = rf"results folder can't be written to \({refused}\); make it writable, or choose another folder .*"
    expected = f"error: results: {message}"
    assert re.fullmatch(expected, said := error_of(done)), said
    assert list(case.results.iterdir()) == []
    assert "This was a dry-run" in snakemake(case.folder, "--dry-run", *target, configs=[case.config()]).stdout
