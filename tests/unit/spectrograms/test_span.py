"""Spans: the middle of the windows is transformed, and times are from the onset of the window without its context."""

import numpy as np
import pytest
import torch

from eegwf.config.spectrograms import Spectrograms
from eegwf.errors import InputError
from eegwf.spectrograms.names import SPECTROGRAMS
from eegwf.spectrograms.store import WindowFile, write_spectrogram
from eegwf.spectrograms.transforms import make_transform
from eegwf.storage.files import read_array, read_json, write_array

SFREQ, LENGTH, CONTEXT = 64.0, 256, 192  # 4 s, 3 s
N_TIMES = LENGTH + 2 * CONTEXT
GRID = {"n_freqs": 8, "n_frames": 12, "f_min": 3.0, "f_max": 30.0}


def grid_of(name, **changes):
    window = {} if name == "cwt" else {"window": 1.0}
    return getattr(Spectrograms.model_validate({name: GRID | window | changes}), name)


def noise(n_times=N_TIMES):
    return torch.randn(5, 2, n_times, generator=torch.Generator().manual_seed(0)) * 20


@pytest.mark.parametrize("name", SPECTROGRAMS)
@pytest.mark.parametrize(("span", "first", "last"), [(4.0, 192, 448), (1.5, 272, 368), (10.0, 0, 640)])
def test_a_span_is_transformed_as_a_window_of_its_length(name, span, first, last):
    module, x = make_transform(name, grid_of(name, span=span), SFREQ, N_TIMES), noise()
    plain = make_transform(name, grid_of(name), SFREQ, last - first)
    assert torch.equal(module(x), plain(x[:, :, first:last].contiguous()))
    np.testing.assert_allclose(module.times, first / SFREQ + plain.times, rtol=0, atol=1e-12)
    assert module.hop == plain.hop
    with pytest.raises(ValueError, match=r"expected \(batch, n_chans, 640\)"):
        module(x[:, :, 1:])


def test_an_odd_remainder_moves_the_times_by_half_a_sample():
    module, x = make_transform("stft", grid_of("stft", span=4.0), SFREQ, 257), noise(257)
    assert torch.equal(module(x), make_transform("stft", grid_of("stft"), SFREQ, 256)(x[..., :256]))
    assert module.times.mean() == pytest.approx(127.5 / SFREQ)  # the middle of samples 0 to 255


def test_gradients_reach_the_span_alone():
    x = noise().requires_grad_()
    make_transform("mel", grid_of("mel", span=4.0), SFREQ, N_TIMES)(x).sum().backward()
    inside = torch.zeros(N_TIMES, dtype=torch.bool)
    inside[CONTEXT : CONTEXT + LENGTH] = True
    assert (x.grad[..., ~inside] == 0).all() and (x.grad[..., inside] != 0).any(dim=-1).all()


def test_a_longer_span_is_refused_and_rounding_is_not():
    with pytest.raises(InputError, match=r"spectrograms.mel: span is 10.1 s, but a window with its context has 10 s"):
        make_transform("mel", grid_of("mel", span=10.1), SFREQ, N_TIMES)
    assert make_transform("mel", grid_of("mel", span=10.01), SFREQ, N_TIMES).n_times == N_TIMES
    with pytest.raises(InputError, match=r"Hann window of 2 s is longer than the 1 s to transform; choose window: 1"):
        make_transform("mel", grid_of("mel", span=1.0, window=2.0), SFREQ, N_TIMES)


@pytest.mark.parametrize(("span", "begin", "end"), [(None, -3.0, 7.0), (4.0, 0.0, 4.0), (2.0, 1.0, 3.0)])
def test_times_are_from_the_onset_of_the_window(tmp_path, span, begin, end):
    write_array(tmp_path / "windows.npy", noise().numpy().astype(np.float16))
    file = WindowFile.open(tmp_path / "windows.npy", SFREQ, ["A", "B"], CONTEXT)
    grid = grid_of("stft", span=span)
    write_spectrogram("stft", grid, file, tmp_path / "stft.npy", tmp_path / "stft.json", tmp_path / "state")
    times = np.array(read_json(tmp_path / "stft.json")["times"])
    # Centers of 12 equal cells; a sample is in the middle of its sampling interval.
    width = (end - begin) / 12
    np.testing.assert_allclose(times, begin + width * (np.arange(12) + 0.5) - 0.5 / SFREQ, rtol=0, atol=1e-12)


def test_a_pulse_in_the_context_is_at_its_time(tmp_path):
    x = np.zeros((1, 1, N_TIMES), dtype=np.float16)
    x[..., 64] = 1000.0  # 2 s before the onset
    write_array(tmp_path / "windows.npy", x)
    file = WindowFile.open(tmp_path / "windows.npy", SFREQ, ["A"], CONTEXT)
    grid = grid_of("stft", n_frames=40)
    write_spectrogram("stft", grid, file, tmp_path / "stft.npy", tmp_path / "stft.json", tmp_path / "state")
    times = np.array(read_json(tmp_path / "stft.json")["times"])
    power = read_array(tmp_path / "stft.npy")[0, 0].astype(float).mean(axis=0)
    assert abs(times[power.argmax()] + 2.0) <= 0.125 + 1 / SFREQ
