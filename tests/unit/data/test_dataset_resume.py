"""Windows of a data set: a resumed run writes the bytes of an uninterrupted one."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from eegwf.errors import InputError
from tests.helpers.short_recordings import CHANNELS, CONFIG, EVENTS, contents, record

KILLED = """
import json, sys
from pathlib import Path
from eegwf.config.stages.data import WindowsSettings
from eegwf.data.dataset import write_dataset_windows
from eegwf.data.reading_settings import ReadingSettings
if __name__ == "__main__":
    bids, output, state, workers, config = sys.argv[1:]
    settings = WindowsSettings.model_validate(json.loads(config))
    reading = ReadingSettings(Path(bids), settings.dataset, settings.signals, settings.windows, settings.patients)
    write_dataset_windows(reading, Path(output), Path(state), int(workers), "code")
"""


def erase_samples(path):
    """Set the samples of a recording to zero without changing its size and time; reading it again changes windows."""
    status = path.stat()
    header = 256 * (len(CHANNELS) + 1)
    path.write_bytes(path.read_bytes()[:header] + bytes(status.st_size - header))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def interrupted(run, bids):
    """The data set after a run that failed at the samples of `sub-03`, whose unit has been corrected since."""
    path = bids / "sub-03" / "eeg" / "sub-03_task-sz_eeg.edf"
    good = path.read_bytes()
    path.write_bytes(good.replace(b"uV      ", b"V       "))
    with pytest.raises(InputError, match=r"sub-03.*beyond 65504; check the unit"):
        run()
    path.write_bytes(good)
    return bids


def test_an_interrupted_run_continues(run, interrupted):
    expected = contents(run("complete", "other_state"))
    for patient in ("sub-01", "sub-02"):
        erase_samples(interrupted / patient / "eeg" / f"{patient}_task-sz_eeg.edf")
    assert contents(run()) == expected
    # A finished run keeps no windows, so that the next run reads the recordings again.
    assert contents(run("again")) != expected


def test_a_changed_recording_is_read_again(run, interrupted):
    record(interrupted, "sub-01", EVENTS["sub-01"], peak=50.0)
    (interrupted / "sub-02" / "eeg" / "sub-02_task-sz_events.tsv").write_text("onset\tduration\teventType\n")
    out = contents(run())
    assert out == contents(run("complete", "other_state"))
    assert b"sz_gen" not in out["windows.tsv"]


def test_another_configuration_reads_all_recordings_again(run, interrupted):
    erase_samples(interrupted / "sub-01" / "eeg" / "sub-01_task-sz_eeg.edf")
    changed = {"signals": {"l_freq": 1.0}}
    assert contents(run(**changed)) == contents(run("complete", "other_state", **changed))


@pytest.mark.kill
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_continues_and_its_workers_end(run, bids, tmp_path, root, workers):
    """The bytes are those of an uninterrupted run, and no worker process remains."""
    for number in range(5, 45):
        record(bids, f"sub-{number:02d}", seconds=60)
    (tmp_path / "script.py").write_text(KILLED)
    paths = [bids, tmp_path / "out", tmp_path / "state"]
    command = [sys.executable, str(tmp_path / "script.py"), *map(str, paths), str(workers), json.dumps(CONFIG)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and len(list((tmp_path / "state").glob("*/*.f2"))) < 5:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run finished before it was killed; add recordings"
    read = [path.stem for path in (tmp_path / "state").glob("*/*.json")]
    assert 0 < len(read) < 44 and not (tmp_path / "out").exists()
    limit = time.monotonic() + 20
    while live_processes(process.pid) and time.monotonic() < limit:
        time.sleep(0.02)
    assert not live_processes(process.pid)
    read = [path.stem for path in (tmp_path / "state").glob("*/*.json")]
    expected = contents(run("complete", "other_state"))
    erase_samples(bids / read[0].split("_")[0] / "eeg" / f"{read[0]}_eeg.edf")
    assert contents(run()) == expected
    # The state folder contains neither parts nor partial files.
    assert {path.suffix for path in (tmp_path / "state").glob("*/*")} <= {".json", ""}


def live_processes(session):
    """Running processes of a session."""
    processes = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, number = path.read_text().rpartition(")")[2].split()[:4]
            if int(number) == session and state != "Z":
                processes.append(path.parent.name)
    return processes
