"""Contents and axes of the spectrogram file, whose bytes depend on neither threads, chunks nor interruptions."""

import hashlib
import itertools
import json
import logging
import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from eegwf.config.spectrograms import Spectrograms
from eegwf.config.stages.spectrogram import SpectrogramSettings
from eegwf.errors import InputError
from eegwf.jobs import spectrogram
from eegwf.spectrograms.names import SPECTROGRAMS
from eegwf.spectrograms.store import write_spectrogram
from eegwf.spectrograms.transforms import make_transform
from eegwf.spectrograms.window_file import WindowFile
from eegwf.storage.files import write_json
from tests.helpers.killing import kill_ten_times

GRIDS = Spectrograms(
    mel={"n_freqs": 20, "n_frames": 17, "f_min": 1.0, "f_max": 40.0, "window": 1.0},
    stft={"n_freqs": 21, "n_frames": 17, "f_min": 1.0, "f_max": 50.0},
    cwt={"n_freqs": 22, "n_frames": 17, "f_min": 2.0, "f_max": 40.0},
    acf={"n_freqs": 23, "n_frames": 17, "window": 2.0, "f_min": 1.0},
)
CHANNELS = ["Fp1-F7", "F7-T7", "Cz-C4"]


@pytest.fixture
def windows(tmp_path):
    x = np.random.default_rng(1).normal(0, 30, (53, 3, 401)).astype(np.float16)
    np.save(tmp_path / "windows.npy", x)
    return tmp_path / "windows.npy"


def write(name, windows, folder, **options):
    paths = folder / f"{name}.npy", folder / f"{name}.json"
    file = WindowFile.open(windows, 100.0, CHANNELS)
    write_spectrogram(name, getattr(GRIDS, name), file, *paths, folder / "state", **options)
    return paths


@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_array_and_axes(name, windows, tmp_path):
    array_path, axes_path = write(name, windows, tmp_path / "out")
    array = np.load(array_path)
    grid = getattr(GRIDS, name)
    assert array.dtype == np.float16 and array.shape == (53, 3, grid.n_freqs, 17)
    module = make_transform(name, grid, 100.0, 401)
    expected = module(torch.from_numpy(np.load(windows)).double()).numpy()
    np.testing.assert_allclose(array, expected, atol=0.02)  # half the spacing of float16 numbers above 32
    axes = json.loads(axes_path.read_text())
    assert axes["spectrogram"] == name and axes["ch_names"] == CHANNELS and axes["sfreq"] == 100
    assert axes["parameters"] == grid.model_dump(exclude_none=True)
    np.testing.assert_array_equal(axes["freqs"], module.freqs)
    np.testing.assert_array_equal(axes["times"], module.times)
    assert axes["sha256"] == hashlib.sha256(array.tobytes()).hexdigest()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        [f"{name}.json", f"{name}.npy", "state"]
    )
    assert sorted(path.name for path in (tmp_path / "out" / "state").iterdir()) == [".lock", "finished.json"]


@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_bytes_depend_neither_on_chunks_nor_on_threads(name, windows, tmp_path):
    before = torch.get_num_threads()
    files = set()
    for chunk_bytes in (1, 200_000, 2**28):
        for threads in (1, 2, 3):
            folder = tmp_path / f"{chunk_bytes}-{threads}"
            paths = write(name, windows, folder, chunk_bytes=chunk_bytes, threads=threads)
            files.add(tuple(path.read_bytes() for path in paths))
    assert len(files) == 1
    assert torch.get_num_threads() == before


@pytest.mark.kill
def test_job_killed_ten_times_writes_the_same_bytes(windows, tmp_path):
    uninterrupted = [path.read_bytes() for path in write("mel", windows, tmp_path / "uninterrupted")]
    paths = [tmp_path / "killed" / f"mel.{suffix}" for suffix in ("npy", "json")]

    def check():
        return [path.read_bytes() for path in paths] == uninterrupted

    def job():
        write("mel", windows, tmp_path / "killed", chunk_bytes=1)

    kill_ten_times(job, (), tmp_path / "killed" / "state", check, seed=5)
    job()
    assert check()


def run_until(call, job):
    """Run a job that is killed at its n-th call of a function that changes or synchronizes a file."""
    calls = itertools.count(1)

    def counted(function):
        def run(*arguments, **options):
            if next(calls) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return run

    for owner, name in [(os, "fsync"), (os, "fdatasync"), (os, "utime"), (Path, "hardlink_to"), (Path, "unlink")]:
        setattr(owner, name, counted(getattr(owner, name)))
    job()


@pytest.mark.parametrize("name", SPECTROGRAMS)
@pytest.mark.kill
def test_job_killed_at_every_file_operation_writes_the_same_bytes(name, windows, tmp_path):
    """Each attempt ends one operation later than the one before; Snakemake removes the outputs in between."""
    uninterrupted = [path.read_bytes() for path in write(name, windows, tmp_path / "uninterrupted")]
    paths = [tmp_path / "killed" / f"{name}.{suffix}" for suffix in ("npy", "json")]
    context = multiprocessing.get_context("fork")
    journal = tmp_path / "killed" / "state" / "chunks.tsv"
    chunks = set()
    for call in itertools.count(1):
        for path in paths:
            path.unlink(missing_ok=True)
        job = context.Process(
            target=run_until, args=(call, lambda: write(name, windows, tmp_path / "killed", chunk_bytes=1))
        )
        job.start()
        job.join()
        if job.exitcode == 0:
            break
        assert job.exitcode == -signal.SIGKILL
        chunks.add(len(journal.read_text().splitlines()) if journal.exists() else None)
    assert [path.read_bytes() for path in paths] == uninterrupted
    assert {0, 4} < chunks - {None}  # kills with none, some and all of the four batches committed


def test_finished_files_are_not_written_again(windows, tmp_path):
    paths = write("mel", windows, tmp_path / "out")
    before = [path.stat().st_mtime_ns for path in paths]
    write("mel", windows, tmp_path / "out")
    assert [path.stat().st_mtime_ns for path in paths] == before
    # They are written again if one of them is missing or was written by another job.
    paths[1].write_text('{"sha256": "0"}')
    write("mel", windows, tmp_path / "out")
    assert paths[0].stat().st_mtime_ns > before[0]
    assert json.loads(paths[1].read_text())["sha256"] == hashlib.sha256(np.load(paths[0]).tobytes()).hexdigest()


def test_job_continues_after_the_last_chunk(windows, tmp_path, caplog):
    """An invalid window ends the job in the fourth batch; after its correction, the job continues after the third."""
    uninterrupted = [path.read_bytes() for path in write("mel", windows, tmp_path / "uninterrupted")]
    x = np.load(windows)
    invalid = x.copy()
    invalid[50, 0, 0] = np.nan
    np.save(windows, invalid)
    with pytest.raises(InputError, match="window 50"):
        write("mel", windows, tmp_path / "out", chunk_bytes=1)
    np.save(windows, x)
    with caplog.at_level(logging.INFO, "eegwf"):
        paths = write("mel", windows, tmp_path / "out", chunk_bytes=1, progress=True)
    assert "mel: 90 % (continuing at window 48)" in caplog.messages
    assert [path.read_bytes() for path in paths] == uninterrupted


def test_progress_is_logged_only_on_request(windows, tmp_path, caplog, capfd):
    with caplog.at_level(logging.INFO, "eegwf"):
        write("stft", windows, tmp_path / "silent")
        assert caplog.messages == []
        write("stft", windows, tmp_path / "logged", progress=True)
    assert any(message.startswith("stft: 100 %") for message in caplog.messages)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused(value, windows, tmp_path):
    x = np.load(windows)
    x[37, 1, 400] = value
    np.save(windows, x)
    with pytest.raises(InputError, match=r"windows.npy: window 37, channel F7-T7 contains NaN or infinity"):
        write("mel", windows, tmp_path / "out", chunk_bytes=1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["state"]


def test_arrays_that_are_not_windows_are_refused(windows, tmp_path):
    with pytest.raises(InputError, match=r"windows.npy: 3 channels, but 2 channel names"):
        WindowFile.open(windows, 100.0, CHANNELS[:2])
    for shape, dtype in [((3, 401), np.float16), ((0, 3, 401), np.float16), ((5, 3, 401), np.int16)]:
        np.save(windows, np.zeros(shape, dtype))
        with pytest.raises(InputError, match=r"expected float16 \(n_windows, n_chans, n_times\)"):
            write("mel", windows, tmp_path / "out")
    np.save(windows, np.zeros((5, 3, 50), np.float16))
    with pytest.raises(InputError, match=r"config spectrograms.cwt: .* choose f_min: "):
        write("cwt", windows, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def job(windows, tmp_path):
    """Run the spectrogram job on a device; returns the array file."""
    write_json(windows.with_suffix(".json"), {"sfreq": 100.0, "ch_names": CHANNELS, "sha256": "0" * 64})
    array = tmp_path / "out" / "mel.npy"

    def run(device):
        settings = SpectrogramSettings(device=device, mel=GRIDS.mel)
        spectrogram.run(settings, "mel", "x", windows, tmp_path / "state", array, array.with_suffix(".json"))
        return array

    return run


@pytest.fixture
def no_gpu(monkeypatch):
    """Simulate a machine on which torch sees no GPU and none is assigned."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_job_without_a_gpu_uses_the_cpu(job, no_gpu, windows, tmp_path, device):
    uninterrupted = write("mel", windows, tmp_path / "uninterrupted")[0].read_bytes()
    assert job(device).read_bytes() == uninterrupted


def test_job_on_a_requested_gpu_that_is_not_seen_raises_input_error(job, no_gpu, tmp_path):
    with pytest.raises(
        InputError, match=r"^spectrograms\.device: cuda, but torch sees no GPU: .*`spectrograms\.device: "
    ):
        job("cuda")
    assert not (tmp_path / "out").exists() and not (tmp_path / "state").exists()


def test_job_on_an_assigned_gpu_that_is_not_seen_raises_input_error(job, no_gpu, monkeypatch, tmp_path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(
        InputError, match=r"^a GPU was assigned to this job, but torch sees no GPU: .*set `spectrograms\.device: cpu`$"
    ):
        job("auto")
    assert not (tmp_path / "out").exists() and not (tmp_path / "state").exists()
