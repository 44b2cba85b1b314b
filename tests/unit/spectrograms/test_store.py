"""The file of spectrograms: its contents, its axes, and that its bytes depend on nothing else."""

import hashlib
import itertools
import json
import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from eegwf.config.spectrograms import Spectrograms
from eegwf.errors import InputError
from eegwf.jobs.spectrogram import write_from_windows
from eegwf.spectrograms.names import SPECTROGRAMS
from eegwf.spectrograms.store import WindowFile, write_spectrogram
from eegwf.spectrograms.transforms import make_transform
from eegwf.storage.files import write_json
from tests.helpers.killing import kill_ten_times

GRIDS = Spectrograms(
    mel={"n_freqs": 20, "n_times": 17, "f_min": 1.0, "f_max": 40.0, "window": 1.0},
    stft={"n_freqs": 21, "n_times": 17, "f_min": 1.0, "f_max": 50.0},
    cwt={"n_freqs": 22, "n_times": 17, "f_min": 2.0, "f_max": 40.0},
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
    np.testing.assert_allclose(array, expected, atol=0.02)  # half a step of float16 at 32 dB and more
    axes = json.loads(axes_path.read_text())
    assert axes["spectrogram"] == name and axes["ch_names"] == CHANNELS and axes["sfreq"] == 100
    assert axes["parameters"] == grid.model_dump()
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


def test_killed_at_ten_random_instants_it_ends_in_the_same_bytes(windows, tmp_path):
    undisturbed = [path.read_bytes() for path in write("mel", windows, tmp_path / "undisturbed")]
    paths = [tmp_path / "killed" / f"mel.{suffix}" for suffix in ("npy", "json")]

    def check():
        return [path.read_bytes() for path in paths] == undisturbed

    def job():
        write("mel", windows, tmp_path / "killed", chunk_bytes=1)

    kill_ten_times(job, (), tmp_path / "killed" / "state", check, seed=5)
    job()
    assert check()


def dying(call, job):
    """Run a job that is killed at its n-th call that makes something last on the disk."""
    calls = itertools.count(1)

    def counted(function):
        def run(*arguments, **options):
            if next(calls) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return run

    for place, name in [(os, "fsync"), (os, "fdatasync"), (os, "utime"), (Path, "hardlink_to"), (Path, "unlink")]:
        setattr(place, name, counted(getattr(place, name)))
    job()


@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_killed_at_every_step_to_the_disk(name, windows, tmp_path):
    """Each attempt gets one step further than the last; Snakemake removes the outputs in between."""
    undisturbed = [path.read_bytes() for path in write(name, windows, tmp_path / "undisturbed")]
    paths = [tmp_path / "killed" / f"{name}.{suffix}" for suffix in ("npy", "json")]
    context = multiprocessing.get_context("fork")
    journal = tmp_path / "killed" / "state" / "chunks.tsv"
    chunks = set()
    for call in itertools.count(1):
        for path in paths:
            path.unlink(missing_ok=True)
        job = context.Process(
            target=dying, args=(call, lambda: write(name, windows, tmp_path / "killed", chunk_bytes=1))
        )
        job.start()
        job.join()
        if job.exitcode == 0:
            break
        assert job.exitcode == -signal.SIGKILL
        chunks.add(len(journal.read_text().splitlines()) if journal.exists() else None)
    assert [path.read_bytes() for path in paths] == undisturbed
    assert {0, 4} < chunks - {None}  # with nothing, with all, and with some of the four batches done


def test_a_job_that_waited_for_another_finds_the_work_done(windows, tmp_path):
    paths = write("mel", windows, tmp_path / "out")
    before = [path.stat().st_mtime_ns for path in paths]
    write("mel", windows, tmp_path / "out")
    assert [path.stat().st_mtime_ns for path in paths] == before
    # but not if one of them is gone, or is another's
    paths[1].write_text('{"sha256": "0"}')
    write("mel", windows, tmp_path / "out")
    assert paths[0].stat().st_mtime_ns > before[0]
    assert json.loads(paths[1].read_text())["sha256"] == hashlib.sha256(np.load(paths[0]).tobytes()).hexdigest()


def test_it_goes_on_at_the_chunk_it_had_reached(windows, tmp_path, capfd):
    """A window that is no signal stops it in the fourth batch; mended, it goes on behind the third."""
    undisturbed = [path.read_bytes() for path in write("mel", windows, tmp_path / "undisturbed")]
    x = np.load(windows)
    broken = x.copy()
    broken[50, 0, 0] = np.nan
    np.save(windows, broken)
    with pytest.raises(InputError, match="window 50"):
        write("mel", windows, tmp_path / "out", chunk_bytes=1)
    np.save(windows, x)
    capfd.readouterr()
    paths = write("mel", windows, tmp_path / "out", chunk_bytes=1, progress=True)
    assert "mel: 90 % (going on at window 48)" in capfd.readouterr().err
    assert [path.read_bytes() for path in paths] == undisturbed


def test_progress_is_shown_only_when_asked_for(windows, tmp_path, capfd):
    write("stft", windows, tmp_path / "silent")
    assert capfd.readouterr() == ("", "")
    write("stft", windows, tmp_path / "told", progress=True)
    out, err = capfd.readouterr()
    assert out == "" and "stft: 100 %" in err


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_microvolts_are_refused(value, windows, tmp_path):
    x = np.load(windows)
    x[37, 1, 400] = value
    np.save(windows, x)
    with pytest.raises(InputError, match=r"windows.npy: window 37, channel F7-T7 holds NaN or infinity"):
        write("mel", windows, tmp_path / "out", chunk_bytes=1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["state"]


def test_other_arrays_are_refused(windows, tmp_path):
    with pytest.raises(InputError, match=r"windows.npy: 3 channels, but 2 names"):
        WindowFile.open(windows, 100.0, CHANNELS[:2])
    for shape, dtype in [((3, 401), np.float16), ((0, 3, 401), np.float16), ((5, 3, 401), np.int16)]:
        np.save(windows, np.zeros(shape, dtype))
        with pytest.raises(InputError, match=r"expected float16 \(n_windows, n_chans, n_times\)"):
            write("mel", windows, tmp_path / "out")
    np.save(windows, np.zeros((5, 3, 50), np.float16))
    with pytest.raises(InputError, match=r"config spectrograms.cwt: .* choose f_min: "):
        write("cwt", windows, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named(windows, tmp_path):
    write_json(windows.with_suffix(".json"), {"sfreq": 100.0, "ch_names": CHANNELS, "sha256": "0" * 64})
    paths = {"windows": str(windows), "state": str(tmp_path / "state"), "array": str(tmp_path / "out" / "mel.npy")}
    paths["axes"] = str(tmp_path / "out" / "mel.json")
    config = {"grid": GRIDS.mel.model_dump(), "device": "cuda"}
    with pytest.raises(InputError, match=r"spectrograms\.device: cuda, but torch sees no GPU; set it to cpu"):
        write_from_windows("mel", config, "x", **paths)
    assert not (tmp_path / "out").exists()
    write_from_windows("mel", config | {"device": "auto"}, "x", **paths)
    undisturbed = write("mel", windows, tmp_path / "undisturbed")[0].read_bytes()
    assert (tmp_path / "out" / "mel.npy").read_bytes() == undisturbed
