"""A job that was given a GPU and sees none says so; several jobs of a machine take a GPU each."""

import multiprocessing
from pathlib import Path

import pytest
import torch

from eegwf.compute import gpu
from eegwf.compute.gpu import check_gpu, own_gpu
from eegwf.errors import InputError

unseen = pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is seen here")


@unseen
@pytest.mark.parametrize("given", [None, "", "-1", "NoDevFiles"])
def test_without_a_gpu_the_cpu_does_where_it_may(monkeypatch, given):
    if given is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert check_gpu("auto") is False
    with pytest.raises(InputError, match="device: cuda, but torch sees no GPU"):
        check_gpu("cuda")


@unseen
def test_a_gpu_that_was_given_and_is_not_seen_ends_the_job(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(gpu, "DRIVER", Path("/no/driver"))
    with pytest.raises(InputError) as caught:
        check_gpu("auto")
    said = str(caught.value)
    for part in (
        "this job was given one, but torch sees no GPU",
        f"torch {torch.__version__}",
        "no NVIDIA driver",
        "'0'",
        "device: cpu",
    ):
        assert part in said
    if torch.version.cuda:
        assert f"CUDA {torch.version.cuda}" in said and "a node that has a GPU" in said


@unseen
@pytest.mark.skipif(torch.version.cuda is None, reason="this torch is built for the CPU alone")
def test_a_container_without_the_driver_is_told_of_nv(monkeypatch, tmp_path):
    driver = tmp_path / "version"
    driver.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.199.02\nGCC version: 12\n")
    monkeypatch.setattr(gpu, "DRIVER", driver)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(InputError, match=r"Kernel Module  470.199.02; .* older"):
        check_gpu("auto")
    monkeypatch.setenv("APPTAINER_CONTAINER", "eegwf.sif")
    with pytest.raises(InputError, match="--nv"):
        check_gpu("auto")


def take(folder, taken, leave):
    taken.put(own_gpu(["GPU-a", "GPU-b"], folder))
    leave.wait()


def test_each_job_takes_a_gpu_of_its_own_and_gives_it_back(tmp_path):
    context = multiprocessing.get_context("fork")
    places, leave = context.Queue(), context.Event()
    jobs = [context.Process(target=take, args=(tmp_path / "locks", places, leave)) for _ in range(2)]
    for job in jobs:
        job.start()
    assert {places.get(timeout=20) for _ in jobs} == {0, 1}
    third = context.Process(target=take, args=(tmp_path / "locks", places, leave))
    third.start()
    assert places.get(timeout=20) == 0, "with none left they share the first"
    leave.set()
    for job in [*jobs, third]:
        job.join()
    fourth = context.Process(target=take, args=(tmp_path / "locks", places, leave))
    fourth.start()
    fourth.join()
    assert places.get(timeout=20) == 0
