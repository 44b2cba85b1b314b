"""The device of a job: the CPU on request, an unseen GPU is an error, a free GPU on a machine with several."""

import os
import tempfile
from types import SimpleNamespace

import pytest
import torch

from eegwf.compute.device import choose_device
from eegwf.errors import InputError
from eegwf.storage.locks import try_lock


@pytest.fixture
def gpus(monkeypatch, tmp_path):
    """Simulate a machine whose torch sees a number of GPUs; returns the list of the GPUs that were selected."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    selected = []
    monkeypatch.setattr(torch.cuda, "set_device", selected.append)

    def simulate(number):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: number)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=f"GPU-{index}"))
        return selected

    return simulate


@pytest.fixture
def claims(tmp_path):
    """Lock GPUs as other jobs on this machine do; released at the end of the test."""
    descriptors = []

    def claim(*indices):
        folder = tmp_path / f"eegwf-gpus-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        for index in indices:
            descriptors.append(try_lock(folder / f"GPU-{index}.lock"))
            assert descriptors[-1] is not None

    yield claim
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.mark.parametrize("number", [0, 1, 4])
def test_cpu_is_used_on_request(gpus, monkeypatch, number):
    selected = gpus(number)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert choose_device("cpu") == "cpu" and selected == []


def test_auto_uses_the_cpu_if_no_gpu_is_seen_or_assigned(gpus, monkeypatch):
    gpus(0)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert choose_device("auto") == "cpu"


@pytest.mark.parametrize(
    ("device", "assigned", "message"),
    [
        ("cuda", None, "spectrograms.device: cuda, but torch sees no GPU"),
        ("cuda", "0", "spectrograms.device: cuda, but torch sees no GPU"),
        ("auto", "0", "a GPU was assigned to this job, but torch sees no GPU"),
        ("auto", "GPU-8f0c", "a GPU was assigned to this job, but torch sees no GPU"),
    ],
)
def test_a_requested_or_assigned_gpu_that_is_not_seen_is_an_error(gpus, monkeypatch, device, assigned, message):
    gpus(0)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if assigned is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", assigned)
    with pytest.raises(InputError) as caught:
        choose_device(device, "spectrograms.device")
    assert message in str(caught.value) and "set `spectrograms.device: cpu`" in str(caught.value)


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_single_gpu_is_used_without_a_claim(gpus, tmp_path, device):
    selected = gpus(1)
    assert choose_device(device) == "cuda"
    assert selected == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("device", ["auto", "cuda"])
@pytest.mark.parametrize(("claimed", "free"), [((), 0), ((0,), 1), ((0, 1), 2), ((1, 2), 0)])
def test_the_first_free_of_several_gpus_is_selected(gpus, claims, device, claimed, free):
    selected = gpus(3)
    claims(*claimed)
    assert choose_device(device) == "cuda" and selected == [free]


def test_two_jobs_select_different_gpus(gpus):
    selected = gpus(2)
    assert choose_device("auto") == choose_device("auto") == "cuda"
    assert selected == [0, 1]


def test_the_first_gpu_is_shared_if_all_are_claimed(gpus, claims):
    selected = gpus(2)
    claims(0, 1)
    assert choose_device("auto") == "cuda" and selected == [0]
