"""A job to which a GPU is assigned fails if torch sees none; jobs on one machine claim different GPUs."""

import multiprocessing
from pathlib import Path

import pytest
import torch

from eegwf.compute import gpu
from eegwf.compute.gpu import check_gpu, claim_gpu
from eegwf.errors import InputError

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@without_gpu
@pytest.mark.parametrize("value", [None, "", "-1", "NoDevFiles"])
def test_without_an_assigned_gpu_auto_uses_the_cpu_and_cuda_is_refused(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert check_gpu("auto") is False
    with pytest.raises(InputError, match="device: cuda, but torch sees no GPU"):
        check_gpu("cuda")


@without_gpu
def test_an_assigned_gpu_that_torch_does_not_see_is_an_error(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(gpu, "DRIVER", Path("/no/driver"))
    with pytest.raises(InputError) as caught:
        check_gpu("auto")
    message = str(caught.value)
    for part in (
        "a GPU was assigned to this job, but torch sees no GPU",
        f"torch {torch.__version__}",
        "no NVIDIA driver",
        "'0'",
        "device: cpu",
    ):
        assert part in message
    if torch.version.cuda:
        assert f"CUDA {torch.version.cuda}" in message and "a node that has a GPU" in message


@without_gpu
@pytest.mark.skipif(torch.version.cuda is None, reason="this torch is built for the CPU only")
def test_a_container_without_the_driver_libraries_suggests_nv(monkeypatch, tmp_path):
    driver = tmp_path / "version"
    driver.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.199.02\nGCC version: 12\n")
    monkeypatch.setattr(gpu, "DRIVER", driver)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(InputError, match=r"Kernel Module  470.199.02; .* older"):
        check_gpu("auto")
    monkeypatch.setenv("APPTAINER_CONTAINER", "eegwf.sif")
    with pytest.raises(InputError, match="--nv"):
        check_gpu("auto")


def claim(folder, claimed, end):
    """Claim one of two GPUs and keep it until the event is set."""
    claimed.put(claim_gpu(["GPU-a", "GPU-b"], folder))
    end.wait()


def test_each_job_claims_its_own_gpu_and_releases_it_at_the_end(tmp_path):
    context = multiprocessing.get_context("fork")
    claimed, end = context.Queue(), context.Event()
    jobs = [context.Process(target=claim, args=(tmp_path / "locks", claimed, end)) for _ in range(2)]
    for job in jobs:
        job.start()
    assert {claimed.get(timeout=20) for _ in jobs} == {0, 1}
    third = context.Process(target=claim, args=(tmp_path / "locks", claimed, end))
    third.start()
    assert claimed.get(timeout=20) == 0, "if all GPUs are claimed, the first is shared"
    end.set()
    for job in [*jobs, third]:
        job.join()
    fourth = context.Process(target=claim, args=(tmp_path / "locks", claimed, end))
    fourth.start()
    fourth.join()
    assert claimed.get(timeout=20) == 0
