"""Windows on their way to the device: the right ones, in order, whichever way they go."""

import numpy as np
import pytest
import torch

from eegwf.storage.files import read_array, write_array
from eegwf.training.batch_loader import Batches, batches_of
from eegwf.training.spectrogram_dataset import Inputs
from tests.helpers.study import write_study

PARTS = [np.array([5, 2, 2, 9]), np.array([0]), np.array([11, 5, 3])]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return Inputs([write_study(tmp_path_factory.mktemp("study")) / "mel.npy"])


@pytest.mark.parametrize("resident", [True, False])
def test_batches_are_the_rows_asked_for(inputs, resident):
    batches = Batches(inputs, np.concatenate(PARTS), "cpu", resident)
    assert (batches.held is not None) == resident
    for part, x in zip(PARTS, batches.stream(PARTS), strict=True):
        assert x.dtype == torch.float32
        np.testing.assert_array_equal(x.numpy(), np.asarray(inputs.arrays[0][part], dtype=np.float32))
    assert torch.equal(batches.read(PARTS[0]), inputs.read(PARTS[0]))


def test_rows_are_held_in_blocks_of_any_size(inputs, monkeypatch):
    whole = Batches(inputs, np.arange(20), "cpu", True)
    monkeypatch.setattr("eegwf.training.batch_loader.BLOCK_BYTES", 3 * 2 * inputs.n_values)
    assert torch.equal(Batches(inputs, np.arange(20), "cpu", True).held, whole.held)


def test_no_other_rows_are_read(inputs, tmp_path):
    poisoned = np.array(read_array(inputs.paths[0]))
    poisoned[12:] = np.nan
    write_array(tmp_path / "mel.npy", poisoned)
    assert torch.isfinite(Batches(Inputs([tmp_path / "mel.npy"]), np.arange(12), "cpu", True).held).all()


def test_the_same_rows_are_held_over_and_others_are_not(inputs):
    first = batches_of(inputs, np.array([3, 1, 2]), "cpu")
    assert batches_of(inputs, np.array([1, 2, 3, 3]), "cpu") is first
    assert batches_of(inputs, np.array([1, 2]), "cpu") is not first


def test_stacked_arrays_are_stacked_in_order(inputs, tmp_path):
    other = np.array(read_array(inputs.paths[0])) + np.float16(1)
    write_array(tmp_path / "cwt.npy", other)
    both = Inputs([inputs.paths[0], tmp_path / "cwt.npy"])
    x = both.read(PARTS[0])
    assert torch.equal(x[:, :3], inputs.read(PARTS[0]))
    np.testing.assert_array_equal(x[:, 3:].numpy(), other[PARTS[0]].astype(np.float32))


def test_axes_of_spectrograms_and_of_the_time_series(inputs, tmp_path):
    assert inputs.axes["sfreq"] == pytest.approx(11 / 3.8) and len(inputs.axes["freqs"]) == 1
    (tmp_path / "windows.json").write_text('{"sfreq": 128.0, "n_times": 6, "ch_names": ["a"], "sha256": "x"}')
    write_array(tmp_path / "windows.npy", np.zeros((4, 1, 6), dtype=np.float16))
    raw = Inputs([tmp_path / "windows.npy"])
    assert raw.axes == {"sfreq": 128.0, "freqs": None} and raw.shape == {"n_chans": 1, "n_freqs": 1, "n_times": 6}
    assert raw.described[0]["spectrogram"] == "raw" and raw.described[0]["times"][1] == 1 / 128


def test_a_row_that_is_not_held_is_refused(inputs):
    with pytest.raises(ValueError, match="not held"):
        Batches(inputs, np.array([0, 2, 4]), "cpu", True).read(np.array([1]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("resident", [True, False])
def test_a_gpu_gets_the_same_windows(inputs, resident):
    batches = Batches(inputs, np.concatenate(PARTS), "cuda", resident)
    for part, x in zip(PARTS, batches.stream(PARTS), strict=True):
        assert x.is_cuda and torch.equal(x.cpu(), inputs.read(part))
