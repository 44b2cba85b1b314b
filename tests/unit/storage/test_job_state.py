"""The folder of unfinished work, as several processes meet at it."""

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
from eegwf.seeds import seed_of
from eegwf.storage.job_state import state_folder
from eegwf.storage.locks import held, try_lock

ROOT = Path(__file__).resolve().parents[3]
HOLD = """
import sys
from pathlib import Path
from eegwf.storage.locks import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
print("left", flush=True)
"""


def holder(folder):
    """A process that holds the folder until its standard input ends."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, cwd=ROOT, text=True, bufsize=1, **pipes)


@pytest.fixture
def processes():
    started = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def test_one_process_at_a_time(tmp_path, processes):
    first = holder(tmp_path)
    processes.append(first)
    assert first.stdout.readline() == "held\n"
    second = holder(tmp_path)
    processes.append(second)
    # The second says that it waits; it holds only when the first has left.
    assert second.stderr.readline() == f"{tmp_path}: another job works on the same; waiting for it\n"
    assert select.select([second.stdout], [], [], 0.3)[0] == []
    out, _ = first.communicate()
    assert out == "left\n"
    assert second.stdout.readline() == "held\n"


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_the_lock_falls_with_its_process(tmp_path, processes, how):
    first = holder(tmp_path)
    processes.append(first)
    assert first.stdout.readline() == "held\n"
    getattr(first, how)()
    first.wait()
    second = holder(tmp_path)
    processes.append(second)
    assert second.stdout.readline() == "held\n"
    _, errors = second.communicate()
    assert errors == ""


def test_the_lock_falls_with_an_error(tmp_path, capsys):
    with pytest.raises(RuntimeError), held(tmp_path):
        raise RuntimeError
    with held(tmp_path):
        pass
    assert capsys.readouterr().err == ""


def test_a_lock_that_is_taken_is_not_waited_for(tmp_path, processes):
    path = tmp_path / ".lock"
    processes.append(holder(tmp_path))
    assert processes[0].stdout.readline() == "held\n"
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert try_lock(path) is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before  # nothing stays open
    processes[0].communicate()
    first = try_lock(path)
    assert first is not None and try_lock(path) is None  # not even by the same process
    os.close(first)
    second = try_lock(path)
    assert second is not None
    os.close(second)


def test_locks_of_one_folder_are_held_apart_and_in_silence(tmp_path, capsys):
    with held(tmp_path, "worker1.lock"), held(tmp_path, "worker2.lock"), held(tmp_path):
        assert [try_lock(tmp_path / name) for name in ("worker1.lock", "worker2.lock", ".lock")] == [None] * 3
    taken = try_lock(tmp_path / "claim.lock")
    threading.Timer(0.2, os.close, [taken]).start()
    since = time.monotonic()
    with held(tmp_path, "claim.lock", say=None):
        assert time.monotonic() - since > 0.1
    assert capsys.readouterr().err == ""


def test_a_file_system_without_locks_is_refused_with_advice(tmp_path, monkeypatch):
    def no_locks(descriptor, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("eegwf.storage.locks.fcntl.flock", no_locks)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(
        InputError, match=r"gives no locks \(No locks available\), .*\(on Lustre: mounted with -o flock\)"
    ):
        try_lock(tmp_path / ".lock")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_other_folders_are_free(tmp_path, processes):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        processes.append(holder(tmp_path / name))
    assert [process.stdout.readline() for process in processes] == ["held\n", "held\n"]


def test_a_folder_for_each_identity(tmp_path):
    identity = {"classes": {"background": ["bckg"], "seizure": ["sz"]}, "lr": 0.1}
    turned = {"classes": {"seizure": ["sz"], "background": ["bckg"]}, "lr": 0.1}
    folder = state_folder(tmp_path, "tune", identity, ["abc"])
    assert state_folder(tmp_path, "tune", identity, ["abc"]) == folder and folder.is_dir()
    others = [
        state_folder(tmp_path, "tune", turned, ["abc"]),  # the order of classes is the order of the outputs
        state_folder(tmp_path, "retrain", identity, ["abc"]),
        state_folder(tmp_path, "tune", identity, ["abd"]),
        state_folder(tmp_path, "tune", identity, ["abc"], None),
        state_folder(tmp_path, "tune", {**identity, "lr": 0.1 + 1e-16}, ["abc"]),
    ]
    assert len({folder, *others}) == 6
    assert all(other.parent == tmp_path for other in others)
    assert (folder / "stage").read_text() == "tune\n" and (others[1] / "stage").read_text() == "retrain\n"


def test_seeds_depend_on_seed_and_purpose_alone():
    program = "from eegwf.seeds import seed_of; print(seed_of(1, 'vit_fold1', 'trial', 3))"
    command = [sys.executable, "-c", program]
    outputs = {subprocess.check_output(command, cwd=ROOT, env={"PYTHONHASHSEED": number}) for number in ("1", "2")}
    seed = seed_of(1, "vit_fold1", "trial", 3)
    assert outputs == {f"{seed}\n".encode()}
    seeds = {seed_of(a, b, c) for a in range(20) for b in ("order", "weights") for c in range(50)}
    assert len(seeds) == 20 * 2 * 50 and all(0 <= seed < 2**63 for seed in seeds)
    # Half of them have any given bit.
    assert 0.45 < sum(seed >> 40 & 1 for seed in seeds) / len(seeds) < 0.55
