"""Transfer of windows to the device: rows and order, kept on the device or read for each batch."""

import numpy as np
import pytest
import torch

from eegwf.storage.files import read_array, write_array
from eegwf.training.batch_loader import BatchLoader, shared_batch_loader
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.study import write_study

PARTS = [np.array([5, 2, 2, 9]), np.array([0]), np.array([11, 5, 3])]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return SpectrogramDataset([write_study(tmp_path_factory.mktemp("study")) / "mel.npy"])


@pytest.mark.parametrize("resident", [True, False])
def test_batches_contain_the_requested_rows(dataset, resident):
    loader = BatchLoader(dataset, np.concatenate(PARTS), "cpu", resident)
    assert (loader.resident is not None) == resident
    for part, x in zip(PARTS, loader.stream(PARTS), strict=True):
        assert x.dtype == torch.float32
        np.testing.assert_array_equal(x.numpy(), np.asarray(dataset.arrays[0][part], dtype=np.float32))
    assert torch.equal(loader.read(PARTS[0]), dataset.read(PARTS[0]))


def test_rows_are_loaded_in_blocks_of_any_size(dataset, monkeypatch):
    whole = BatchLoader(dataset, np.arange(20), "cpu", True)
    monkeypatch.setattr("eegwf.training.batch_loader.BLOCK_BYTES", 3 * 2 * dataset.n_values)
    assert torch.equal(BatchLoader(dataset, np.arange(20), "cpu", True).resident, whole.resident)


def test_no_other_rows_are_read(dataset, tmp_path):
    poisoned = np.array(read_array(dataset.paths[0]))
    poisoned[12:] = np.nan
    write_array(tmp_path / "mel.npy", poisoned)
    assert torch.isfinite(
        BatchLoader(SpectrogramDataset([tmp_path / "mel.npy"]), np.arange(12), "cpu", True).resident
    ).all()


def test_loader_is_shared_by_trainings_with_the_same_rows(dataset):
    first = shared_batch_loader(dataset, np.array([3, 1, 2]), "cpu")
    assert shared_batch_loader(dataset, np.array([1, 2, 3, 3]), "cpu") is first
    assert shared_batch_loader(dataset, np.array([1, 2]), "cpu") is not first


def test_arrays_are_stacked_in_order_on_the_channel_axis(dataset, tmp_path):
    other = np.array(read_array(dataset.paths[0])) + np.float16(1)
    write_array(tmp_path / "cwt.npy", other)
    both = SpectrogramDataset([dataset.paths[0], tmp_path / "cwt.npy"])
    x = both.read(PARTS[0])
    assert torch.equal(x[:, :3], dataset.read(PARTS[0]))
    np.testing.assert_array_equal(x[:, 3:].numpy(), other[PARTS[0]].astype(np.float32))


def test_axes_of_spectrogram_and_time_series(dataset, tmp_path):
    assert dataset.axes["sfreq"] == pytest.approx(11 / 3.8) and len(dataset.axes["freqs"]) == 1
    (tmp_path / "windows.json").write_text('{"sfreq": 128.0, "n_times": 6, "ch_names": ["a"], "sha256": "x"}')
    write_array(tmp_path / "windows.npy", np.zeros((4, 1, 6), dtype=np.float16))
    raw = SpectrogramDataset([tmp_path / "windows.npy"])
    assert raw.axes == {"sfreq": 128.0, "freqs": None} and raw.shape == {"n_chans": 1, "n_freqs": 1, "n_frames": 6}
    assert raw.described[0]["spectrogram"] == "raw" and raw.described[0]["times"][1] == 1 / 128


def test_missing_row_raises_value_error(dataset):
    with pytest.raises(ValueError, match="row 1 is not among the rows of this loader"):
        BatchLoader(dataset, np.array([0, 2, 4]), "cpu", True).read(np.array([1]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("resident", [True, False])
def test_gpu_batches_equal_cpu_batches(dataset, resident):
    loader = BatchLoader(dataset, np.concatenate(PARTS), "cuda", resident)
    for part, x in zip(PARTS, loader.stream(PARTS), strict=True):
        assert x.is_cuda and torch.equal(x.cpu(), dataset.read(part))
