"""Locks are exclusive between processes and are released when their process ends."""

import errno
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from eegwf.errors import InputError
from eegwf.storage.locks import exclusive_lock, try_lock

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from pathlib import Path
from eegwf.progress import log_to_stderr
from eegwf.storage.locks import exclusive_lock
log_to_stderr()
with exclusive_lock(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
print("released", flush=True)
"""


def start_process(folder):
    """Start a process that holds the lock of a folder until its standard input is closed."""
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, cwd=ROOT, text=True, bufsize=1, **pipes)


@pytest.fixture
def processes():
    started = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def open_descriptors():
    """Number of open file descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_second_process_waits_until_the_first_releases_the_lock(tmp_path, processes):
    first = start_process(tmp_path)
    processes.append(first)
    assert first.stdout.readline() == "locked\n"
    second = start_process(tmp_path)
    processes.append(second)
    assert second.stderr.readline() == f"{tmp_path}: another job works on the same; waiting for it\n"
    assert select.select([second.stdout], [], [], 0.3)[0] == []
    out, _ = first.communicate()
    assert out == "released\n"
    assert second.stdout.readline() == "locked\n"


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_lock_is_released_when_its_process_is_killed(tmp_path, processes, how):
    first = start_process(tmp_path)
    processes.append(first)
    assert first.stdout.readline() == "locked\n"
    getattr(first, how)()
    first.wait()
    second = start_process(tmp_path)
    processes.append(second)
    assert second.stdout.readline() == "locked\n"
    _, errors = second.communicate()
    assert errors == ""


def test_lock_is_released_after_an_error(tmp_path, caplog):
    with pytest.raises(RuntimeError), exclusive_lock(tmp_path):
        raise RuntimeError
    with exclusive_lock(tmp_path):
        pass
    assert caplog.messages == []


def test_try_lock_returns_none_if_the_lock_is_taken(tmp_path, processes):
    path = tmp_path / ".lock"
    processes.append(start_process(tmp_path))
    assert processes[0].stdout.readline() == "locked\n"
    before = open_descriptors()
    assert try_lock(path) is None
    assert open_descriptors() == before
    processes[0].communicate()
    first = try_lock(path)
    assert first is not None and try_lock(path) is None  # not even by the same process
    os.close(first)
    second = try_lock(path)
    assert second is not None
    os.close(second)


def test_locks_of_different_names_are_independent(tmp_path):
    with exclusive_lock(tmp_path, "worker1.lock"), exclusive_lock(tmp_path, "worker2.lock"), exclusive_lock(tmp_path):
        assert [try_lock(tmp_path / name) for name in ("worker1.lock", "worker2.lock", ".lock")] == [None] * 3


@pytest.mark.parametrize("message", [None, "another trial is being claimed"])
def test_wait_message_is_logged_unless_it_is_none(tmp_path, caplog, message):
    taken = try_lock(tmp_path / "claim.lock")
    threading.Timer(0.2, os.close, [taken]).start()
    since = time.monotonic()
    with exclusive_lock(tmp_path, "claim.lock", wait_message=message):
        assert time.monotonic() - since > 0.1
    assert caplog.messages == ([f"{tmp_path}: {message}; waiting for it"] if message else [])


def test_file_system_without_locks_raises_input_error(tmp_path, monkeypatch):
    def no_locks(descriptor, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("eegwf.storage.locks.fcntl.flock", no_locks)
    before = open_descriptors()
    with pytest.raises(
        InputError, match=r"does not support file locks \(No locks available\), .*\(Lustre: mounted with -o flock\)"
    ):
        try_lock(tmp_path / ".lock")
    assert open_descriptors() == before


def test_locks_of_different_folders_are_independent(tmp_path, processes):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        processes.append(start_process(tmp_path / name))
    assert [process.stdout.readline() for process in processes] == ["locked\n", "locked\n"]
