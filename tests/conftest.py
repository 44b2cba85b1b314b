"""Fixtures and rules that all tests share."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import snakemake.cli  # noqa: F401  # its import lists the folders beside the packages, `results` among them
from hypothesis import settings

# How long an example takes depends on the machine.
settings.register_profile("eegwf", deadline=None)
settings.load_profile("eegwf")

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MARKERS = {"workflow": ("slow",), "browser": ("slow", "browser"), "hpc": ("slow", "slurm")}
# Audit events of Python that read or change a file or folder; their first argument is its path.
FILE_EVENTS = ("open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "glob.glob")


_permitted = False


@contextmanager
def _allowed() -> Iterator[None]:
    """Let this file itself look into the results."""
    global _permitted
    _permitted = True
    try:
        yield
    finally:
        _permitted = False


def _refuse_results(event: str, arguments: tuple) -> None:
    """Refuse access to the results of the checkout: a test that reads them depends on what was run before."""
    if _permitted or event not in FILE_EVENTS or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    path = Path(os.fsdecode(arguments[0]))
    # Relative paths start in another folder, or in one that is opened already and not named here.
    if path == RESULTS or (RESULTS in path.parents and path.name != ".gitkeep"):
        raise AssertionError(f"a test uses the results of the checkout: {event} {path}; give it a folder of its own")


sys.addaudithook(_refuse_results)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of some folders."""
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        for marker in MARKERS.get(folder, ()):
            item.add_marker(marker)


def _written() -> dict[str, int]:
    """Modification time of every folder in the results of the checkout."""
    return {base: Path(base).stat().st_mtime_ns for base, _, _ in os.walk(RESULTS)}


@pytest.fixture(scope="session", autouse=True)
def results_unchanged(tmp_path_factory):
    """No process that a test starts writes into the results of the checkout: tests run in another folder."""
    with _allowed():
        before = _written()
    os.chdir(tmp_path_factory.mktemp("working-directory"))
    yield
    with _allowed():
        assert _written() == before, f"a process of a test has written into {RESULTS}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def browser() -> str:
    """Path of Chromium; the test is skipped without it."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    return path


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of real EEG: `EEGWF_TEST_DATA`, or else `../shared/data` beside the checkout."""
    folder = Path(os.environ.get("EEGWF_TEST_DATA", ROOT / "../shared/data")).resolve()
    if not (folder / "helsinki" / "participants.tsv").exists():
        pytest.skip(f"no real EEG at {folder}; set EEGWF_TEST_DATA to a folder that contains helsinki/ and mini_edf/")
    return folder
