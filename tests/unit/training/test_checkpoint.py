"""Checkpoints: exact round trip, exact resumption, damaged files, and no unpickling."""

import json
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from eegwf.training.checkpoint import Checkpoint, copy_weights, read_checkpoint, write_checkpoint

HISTORY = [
    {"epoch": 1, "train_loss": 1 / 3, "validation_loss": 1e-30, "balanced_accuracy": 0.5},
    {"epoch": 2, "train_loss": 0.1 + 0.2, "validation_loss": 2.0, "balanced_accuracy": 1.0},
]
OPTIMIZERS = {
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=1e-2),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=1e-2),
    "amsgrad": lambda parameters: torch.optim.AdamW(parameters, lr=1e-2, amsgrad=True),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=1e-2, momentum=0.9, nesterov=True),
    "plain sgd": lambda parameters: torch.optim.SGD(parameters, lr=1e-2),
}


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))


def steps(model, optimizer, seeds):
    for seed in seeds:
        x = torch.randn(16, 4, generator=torch.Generator().manual_seed(seed))
        loss = model(x).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def trained(kind="adamw"):
    model = network()
    optimizer = OPTIMIZERS[kind](model.parameters())
    steps(model, optimizer, range(2))
    best = copy_weights(model)
    steps(model, optimizer, range(2, 4))
    return model, optimizer, Checkpoint(model.state_dict(), best, optimizer.state_dict(), HISTORY)


def same(a, b):
    """Equal bit by bit: nested mappings and lists of tensors and plain values."""
    if torch.is_tensor(a):
        return torch.is_tensor(b) and a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_round_trip_is_exact(tmp_path, kind):
    _, _, before = trained(kind)
    write_checkpoint(tmp_path / "c.safetensors", before)
    after = read_checkpoint(tmp_path / "c.safetensors")
    assert same(dict(before.weights), after.weights) and same(before.best, after.best)
    assert not same(after.weights, after.best)
    kept = {number: {k: v for k, v in state.items() if v is not None} for number, state in
            before.optimizer["state"].items()}  # fmt: skip
    assert same({number: state for number, state in kept.items() if state}, after.optimizer["state"])
    assert after.history == HISTORY


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_checkpoint_resumes_training_exactly(tmp_path, kind):
    model, optimizer, before = trained(kind)
    write_checkpoint(tmp_path / "c.safetensors", before)
    steps(model, optimizer, range(4, 9))
    saved = read_checkpoint(tmp_path / "c.safetensors")
    other = network()
    resumed = OPTIMIZERS[kind](other.parameters())
    other.load_state_dict(saved.weights)
    resumed.load_state_dict(saved.optimizer | {"param_groups": resumed.state_dict()["param_groups"]})
    steps(other, resumed, range(4, 9))
    assert same(dict(model.state_dict()), dict(other.state_dict()))


def test_copied_weights_do_not_change_with_training():
    """With references instead of copies, the best weights would equal the last ones."""
    model = network()
    optimizer = OPTIMIZERS["sgd"](model.parameters())
    kept, before = copy_weights(model), {name: value.numpy().copy() for name, value in model.state_dict().items()}
    steps(model, optimizer, range(3))
    assert all(np.array_equal(kept[name], before[name]) for name in before)
    assert not any(np.array_equal(value, before[name]) for name, value in model.named_parameters())


def test_special_tensors_round_trip(tmp_path):
    weights = {
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(7),
        "half": torch.tensor([1.5, -0.0, float("inf"), float("nan")], dtype=torch.float16),
        "transposed": torch.arange(6.0).reshape(2, 3).T,
        "name.with.dots": torch.tensor([True, False]),
    }
    write_checkpoint(tmp_path / "c.safetensors", Checkpoint(weights, {}, {"state": {}}, []))
    after = read_checkpoint(tmp_path / "c.safetensors")
    assert after.weights.keys() == weights.keys() and after.best == {} and after.optimizer == {"state": {}}
    for name, value in weights.items():
        assert after.weights[name].dtype == value.dtype and after.weights[name].shape == value.shape
        assert after.weights[name].contiguous().numpy().tobytes() == value.contiguous().numpy().tobytes()


def test_weights_of_the_last_epochs_round_trip_in_their_order(tmp_path):
    recent = [{"a.b": torch.full((2,), float(number))} for number in range(12)]
    write_checkpoint(tmp_path / "c.safetensors", Checkpoint({}, {}, {"state": {}}, [], recent=recent))
    assert same(read_checkpoint(tmp_path / "c.safetensors").recent, recent)


def test_tied_weights_round_trip(tmp_path):
    """A tensor with two names is written twice; safetensors itself refuses such tensors."""
    weight = torch.arange(3.0)
    write_checkpoint(tmp_path / "c.safetensors", Checkpoint({"a": weight, "b": weight}, {}, {"state": {}}, []))
    after = read_checkpoint(tmp_path / "c.safetensors")
    assert torch.equal(after.weights["a"], weight) and torch.equal(after.weights["b"], weight)


def test_file_has_safetensors_format(tmp_path):
    """The first bytes are the length of a JSON header; those of a pickle differ."""
    path = tmp_path / "c.safetensors"
    write_checkpoint(path, trained()[2])
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    end = max(entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
    assert len(content) == 8 + length + end
    assert json.loads(header["__metadata__"]["history"]) == HISTORY


def test_pickle_is_not_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"weights.a": Trap()}, tmp_path / "c.safetensors")
    assert read_checkpoint(tmp_path / "c.safetensors") is None
    assert not (tmp_path / "sprung").exists()


def test_missing_or_other_file_gives_none(tmp_path):
    assert read_checkpoint(tmp_path / "missing.safetensors") is None
    for tensors, metadata in (
        ({"weights.a": torch.zeros(2)}, None),
        ({"a": torch.zeros(2)}, {"history": "[]", "optimizer": "{}"}),
        ({"optimizer.x.y": torch.zeros(2)}, {"history": "[]", "optimizer": "{}"}),
        ({"weights.a": torch.zeros(2)}, {"history": "[", "optimizer": "{}"}),
        ({"weights.a": torch.zeros(2)}, {"history": "[]", "optimizer": "[]"}),
    ):
        save_file(tensors, tmp_path / "c.safetensors", metadata)
        assert read_checkpoint(tmp_path / "c.safetensors") is None


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "c.safetensors"
    write_checkpoint(path, trained("sgd")[2])
    return path.read_bytes()


@settings(deadline=None)
@given(st.data())
def test_damaged_file_gives_none_or_a_checkpoint(written, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "c.safetensors"
    content = bytearray(written)
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(content) - 1)))
    if cut is not None:
        path.write_bytes(content[:cut])
        assert read_checkpoint(path) is None
        return
    header = 8 + struct.unpack("<Q", content[:8])[0]
    for position in data.draw(st.lists(st.integers(0, header - 1), min_size=1, max_size=3)):
        content[position] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    checkpoint = read_checkpoint(path)
    assert checkpoint is None or isinstance(checkpoint, Checkpoint)


def test_failed_write_keeps_the_previous_checkpoint(root, tmp_path):
    path = tmp_path / "c.safetensors"
    write_checkpoint(path, trained()[2])
    before = path.read_bytes()
    program = (
        "import resource, signal, sys, torch; from pathlib import Path\n"
        "from eegwf.training.checkpoint import Checkpoint, write_checkpoint\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "write_checkpoint(Path(sys.argv[1]), Checkpoint({'a': torch.zeros(10_000)}, {}, {'state': {}}, []))"
    )
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "File too large" in done.stderr
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == [path.name]
