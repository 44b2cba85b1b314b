"""Arrays on a node's own disk: one copy for all jobs, gone with the last, and the array itself where it can't be."""

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
    path = tmp_path / "far/mel.npy"
    path.parent.mkdir()
    np.save(path, np.arange(1000, dtype=np.float16))
    return path


@pytest.fixture
def reader(array, tmp_path):
    """Start a job that reads the array, and return it with the path that it reads from."""
    started = []

    def start(most_bytes=resource.RLIM_INFINITY):
        command = [sys.executable, "-c", READER, str(array)]
        environment = {VARIABLE: "$NODE/scratch", "NODE": str(tmp_path), "PATH": "/usr/bin"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        started.append(subprocess.Popen(command, env=environment, preexec_fn=limit, **pipes))
        return started[-1], started[-1].stdout.readline().strip()

    start.started = started
    yield start
    for process in started:
        process.kill()
        process.communicate()


def copies(tmp_path):
    return [path for path in (tmp_path / "scratch").rglob("*") if path.suffix in (".npy", ".part")]


def test_jobs_of_a_node_share_a_copy_and_the_last_removes_it(reader, array, tmp_path):
    (first, path), (second, same) = reader(), reader()
    assert path == same != str(array) and path.startswith(str(tmp_path / "scratch"))
    assert np.array_equal(np.load(path), np.load(array))
    first.communicate("")
    assert [str(copy) for copy in copies(tmp_path)] == [path]
    second.communicate("")
    assert copies(tmp_path) == []


def test_what_a_killed_job_left_serves_the_next(reader, tmp_path):
    killed, path = reader()
    killed.kill()
    killed.wait()
    half = copies(tmp_path)[0].with_suffix(".part")
    half.write_bytes(b"half")
    following, same = reader()
    assert same == path
    following.communicate("")


def test_half_a_copy_is_no_copy(reader, array, tmp_path):
    first, path = reader()
    first.communicate("")
    next((tmp_path / "scratch").rglob("*.lock")).with_suffix(".part").write_bytes(b"half")
    _, path = reader()
    assert np.array_equal(np.load(path), np.load(array))


def test_what_a_killed_job_left_makes_room_for_another_array(reader, array, tmp_path):
    _, path = reader()
    _, kept = reader()
    np.save(array, np.zeros(1001, dtype=np.float16))
    _, second = reader()
    assert kept == path and {str(copy) for copy in copies(tmp_path)} == {path, second}  # it is read still
    for process in reader.started[:2]:
        process.kill()
        process.wait()
    np.save(array, np.zeros(1002, dtype=np.float16))
    _, third = reader()
    assert {str(copy) for copy in copies(tmp_path)} == {second, third}


def test_a_disk_that_fills_up_while_it_is_copied(reader, array, tmp_path):
    _, path = reader(most_bytes=1000)
    assert path == str(array) and copies(tmp_path) == []


def test_another_array_of_the_same_name_has_a_copy_of_its_own(reader, array):
    _, path = reader()
    np.save(array, np.zeros(1001, dtype=np.float16))
    _, other = reader()
    assert other != path and np.array_equal(np.load(other), np.load(array))


@pytest.mark.parametrize("named", ["$NOT_SET_HERE/scratch", "relative/folder"])
def test_a_folder_that_this_machine_does_not_know_is_not_made(array, tmp_path, monkeypatch, capsys, named):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, named)
    assert staged(array) == array and {path.name for path in tmp_path.iterdir()} == {"far"}
    assert "is no absolute path on this machine; it is read where it is" in capsys.readouterr().err


def test_without_a_folder_or_room_it_is_read_where_it_is(array, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert staged(array) == array
    monkeypatch.setenv(VARIABLE, str(tmp_path / "small"))
    monkeypatch.setattr(scratch, "SPARE", 1 << 60)
    assert staged(array) == array
    assert "it is read where it is" in capsys.readouterr().err


def test_a_folder_that_cannot_be_used_is_named(array, monkeypatch):
    monkeypatch.setenv(VARIABLE, f"{array}/inside")
    with pytest.raises(InputError, match=r"cluster\.scratch wants a folder on a disk of the node"):
        staged(array)
