"""Jobs of a node share one copy of an array, which the last job removes; without a usable disk, they read the array."""

import resource
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from eegwf.errors import InputError
from eegwf.storage import node_scratch as scratch
from eegwf.storage.node_scratch import VARIABLE, staged

READER = """
import sys
from pathlib import Path
from eegwf.storage.node_scratch import staged
print(staged(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def array(tmp_path):
    path = tmp_path / "network/mel.npy"
    path.parent.mkdir()
    np.save(path, np.arange(1000, dtype=np.float16))
    return path


@pytest.fixture
def reader(array, tmp_path):
    """Start a job that reads the array; returns the process and the path from which it reads."""
    started = []

    def start(max_bytes=resource.RLIM_INFINITY):
        command = [sys.executable, "-c", READER, str(array)]
        environment = {VARIABLE: "$NODE/scratch", "NODE": str(tmp_path), "PATH": "/usr/bin"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
        started.append(subprocess.Popen(command, env=environment, preexec_fn=limit, **pipes))
        return started[-1], started[-1].stdout.readline().strip()

    start.started = started
    yield start
    for process in started:
        process.kill()
        process.communicate()


def copies(tmp_path):
    """Complete and partial copies in the scratch folder."""
    return [path for path in (tmp_path / "scratch").rglob("*") if path.suffix in (".npy", ".part")]


def test_jobs_of_a_node_share_a_copy_and_the_last_job_removes_it(reader, array, tmp_path):
    (first, path), (second, same) = reader(), reader()
    assert path == same != str(array) and path.startswith(str(tmp_path / "scratch"))
    assert np.array_equal(np.load(path), np.load(array))
    first.communicate("")
    assert [str(copy) for copy in copies(tmp_path)] == [path]
    second.communicate("")
    assert copies(tmp_path) == []


def test_copy_of_a_killed_job_is_used_by_the_next_job(reader, tmp_path):
    killed, path = reader()
    killed.kill()
    killed.wait()
    copies(tmp_path)[0].with_suffix(".part").write_bytes(b"half")
    following, same = reader()
    assert same == path
    following.communicate("")


def test_partial_copy_is_replaced(reader, array, tmp_path):
    first, path = reader()
    first.communicate("")
    next((tmp_path / "scratch").rglob("*.lock")).with_suffix(".part").write_bytes(b"half")
    _, path = reader()
    assert np.array_equal(np.load(path), np.load(array))


@pytest.mark.slow
def test_unused_copies_are_removed_before_another_array_is_copied(reader, array, tmp_path):
    _, path = reader()
    _, kept = reader()
    np.save(array, np.zeros(1001, dtype=np.float16))
    _, second = reader()
    assert kept == path and {str(copy) for copy in copies(tmp_path)} == {path, second}  # the first copy is in use
    for process in reader.started[:2]:
        process.kill()
        process.wait()
    np.save(array, np.zeros(1002, dtype=np.float16))
    _, third = reader()
    assert {str(copy) for copy in copies(tmp_path)} == {second, third}


def test_array_is_read_in_place_if_the_disk_is_full_during_the_copy(reader, array, tmp_path):
    _, path = reader(max_bytes=1000)
    assert path == str(array) and copies(tmp_path) == []


def test_changed_array_of_the_same_name_gets_another_copy(reader, array):
    _, path = reader()
    np.save(array, np.zeros(1001, dtype=np.float16))
    _, other = reader()
    assert other != path and np.array_equal(np.load(other), np.load(array))


@pytest.mark.parametrize("value", ["$NOT_SET_HERE/scratch", "relative/folder"])
def test_folder_that_is_not_an_absolute_path_is_not_created(array, tmp_path, monkeypatch, caplog, value):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, value)
    assert staged(array) == array and {path.name for path in tmp_path.iterdir()} == {"network"}
    assert "is not an absolute path on this machine; it is read in place" in caplog.text


def test_array_is_read_in_place_without_a_scratch_folder_or_enough_space(array, tmp_path, monkeypatch, caplog):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert staged(array) == array and caplog.messages == []
    monkeypatch.setenv(VARIABLE, str(tmp_path / "small"))
    monkeypatch.setattr(scratch, "SPARE", 1 << 60)
    assert staged(array) == array
    assert "do not fit on" in caplog.text and "it is read in place" in caplog.text


def test_error_of_an_unusable_folder_names_the_setting(array, monkeypatch):
    monkeypatch.setenv(VARIABLE, f"{array}/inside")
    with pytest.raises(
        InputError, match=r"inside: can.t be used .*set cluster\.scratch to a folder on a disk of the node"
    ):
        staged(array)
