"""Replacement of channels, bands and seconds of the signal."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.signal import find_peaks, periodogram
from torch import nn

from eegwf.attribution.cells import make_cells
from eegwf.attribution.perturbation import probabilities
from eegwf.attribution.signal_perturbation import SignalPerturbation
from eegwf.attribution.signal_replacement import band_weights, replace_band, replace_interval, run_weights
from eegwf.attribution.signal_transform import SignalTransform, TimeSeries
from eegwf.config.spectrograms import Cwt, Stft
from eegwf.spectrograms.transforms import make_transform

SFREQ, N_TIMES, N = 64.0, 384, 5  # 6 s
CH_NAMES = ["a", "b", "c", "d", "e", "f"]
SECONDS = np.arange(N_TIMES) / SFREQ
GRID = {"n_freqs": 12, "n_frames": 24, "f_min": 1.0, "f_max": 31.0}
STFT = make_transform("stft", Stft(**GRID), SFREQ, N_TIMES)
CWT = make_transform("cwt", Cwt(**GRID), SFREQ, N_TIMES)


def cells_of(*transforms):
    return make_cells([{"ch_names": CH_NAMES, "freqs": one.freqs, "times": one.times} for one in transforms], 1.0)


def noise(seed):
    return torch.randn(N, len(CH_NAMES), N_TIMES, generator=torch.Generator().manual_seed(seed)) * 10


class Reader(nn.Module):
    """A classifier whose class 1 has a logit that grows with the mean of some bins of an input in dB."""

    def __init__(self, channel, rows, frames):
        super().__init__()
        self.part = (channel, rows, frames)

    def forward(self, x):
        channel, rows, frames = self.part
        logit = x[:, channel][:, rows][:, :, frames].mean(dim=(1, 2)) - 10
        return torch.stack([-logit, logit], dim=1) / 2


def planted():
    """Windows with 10 Hz in channel c from 2 s to 4 s, and a classifier that reads it."""
    signals = noise(1)
    active = (SECONDS >= 2) & (SECONDS < 4)
    signals[:, 2] += torch.from_numpy(100 * np.sin(2 * np.pi * 10 * SECONDS) * active).float()
    rows = np.flatnonzero((STFT.freqs >= 8) & (STFT.freqs < 13))
    frames = np.flatnonzero((STFT.times > 2.2) & (STFT.times < 3.8))
    return signals, Reader(2, torch.from_numpy(rows), torch.from_numpy(frames))


def windows(signals, classifier, fill=None, transform=(STFT,), seed=0, rows=range(N)):
    target, fill = torch.ones(len(signals), dtype=torch.int64), noise(2)[: len(signals)] if fill is None else fill
    cells = cells_of(*transform)
    return SignalPerturbation(
        classifier, SignalTransform(transform), signals, fill, target, cells, CH_NAMES, SFREQ, seed, rows
    )


def map_of(one, channel, band, intervals):
    """A map with relevance in one channel, one band and some intervals, each more than elsewhere."""
    values = torch.zeros(len(one.signals), *one.cells.shape)
    values[:, channel] += 1
    values[:, :, one.cells.band_names.index(band)] += 1
    values[:, :, :, intervals] += 1
    return one.cells.expand(values)


@torch.no_grad()
def test_probability_falls_where_the_map_points_at_what_the_model_reads():
    signals, classifier = planted()
    one = windows(signals, classifier)
    assert one.before.min() > 0.95
    right = one.probabilities(map_of(one, 2, "alpha", [2, 3]))
    wrong = one.probabilities(map_of(one, 4, "beta", [0, 1]))
    assert sorted(right) == ["deletion_bands", "deletion_channels", "deletion_seconds"]
    for name, value in right.items():
        assert value.max() < 0.1, name
        assert wrong[name].min() > 0.9, name


@torch.no_grad()
def test_no_band_is_replaced_if_the_rows_are_not_frequencies_of_the_signal():
    one = replace(windows(*planted()), has_bands=False)
    assert sorted(one.probabilities(map_of(one, 2, "alpha", [2, 3]))) == ["deletion_channels", "deletion_seconds"]


@torch.no_grad()
def test_replaced_channels_are_those_of_the_other_signal():
    signals, classifier = planted()
    one = windows(signals, classifier)
    changed = signals.clone()
    changed[:, 2] = noise(2)[:, 2]
    expected = probabilities(classifier, one.transform.stored(changed), one.target)
    found = one.probabilities(map_of(one, 2, "alpha", [2]))["deletion_channels"]
    assert torch.allclose(found, expected, atol=1e-5)


def test_relevance_of_a_channel_is_summed_over_stacked_spectrograms():
    class FirstAndLast(nn.Module):
        def forward(self, x):  # the two spectrograms of channels a and b
            logits = x[:, [0, 1, 6, 7]].mean(dim=(2, 3)) - 20
            return torch.stack([torch.zeros(len(x)), logits.sum(dim=1) / 20], dim=1)

    signals = noise(1)
    signals[:, 0] *= 100
    one = windows(signals, FirstAndLast(), transform=(STFT, CWT))
    values = torch.zeros(N, *one.cells.shape)
    values[:, [0, 6]], values[:, 1] = 2, 3  # 4 for channel a, 3 for channel b
    without_a = one.probabilities(one.cells.expand(values))["deletion_channels"]
    values[:, 1] = 5
    without_b = one.probabilities(one.cells.expand(values))["deletion_channels"]
    assert torch.allclose(without_b, one.before, atol=0.05)
    assert (one.before - without_a).min() > 0.3


def test_nothing_changes_where_both_signals_are_equal():
    signals, classifier = planted()
    one = windows(signals, classifier, fill=signals)
    for value in one.probabilities(map_of(one, 2, "alpha", [2, 3])).values():
        assert torch.allclose(value, one.before, atol=1e-6)


def test_other_methods_and_batches_change_no_probability(monkeypatch):
    signals, classifier = planted()
    one, maps = windows(signals, classifier), torch.rand(N, *windows(signals, classifier).inputs.shape[1:])
    one.probabilities(-maps)  # some of its parts are those of the next map
    found = one.probabilities(maps)
    alone = [
        windows(signals[n : n + 1], classifier, noise(2)[n : n + 1], rows=[n]).probabilities(maps[n : n + 1])
        for n in range(N)
    ]
    monkeypatch.setattr("eegwf.attribution.perturbation.MAX_CHUNK_WINDOWS", 2)
    small = windows(signals, classifier).probabilities(maps)
    for name, value in found.items():
        assert torch.allclose(value, torch.cat([other[name] for other in alone]), atol=1e-3)
        assert torch.allclose(value, small[name], atol=1e-3)


def test_the_network_gets_no_empty_batch_where_all_probabilities_are_known():
    signals, reader = planted()
    sizes = []

    class Counting(nn.Module):
        def forward(self, x):
            sizes.append(len(x))
            return reader(x)

    one = windows(signals, Counting())
    maps = map_of(one, 2, "alpha", [2])
    first = one.probabilities(maps)
    n_calls = len(sizes)
    second = one.probabilities(maps)
    # Only channels are replaced again: their probabilities are not kept.
    assert min(sizes) > 0 and len(sizes) == n_calls + 1
    assert all(torch.equal(first[measure], second[measure]) for measure in first)


def test_a_time_series_has_no_bands_to_choose_from():
    one = SignalPerturbation(
        classifier=Reader(0, slice(0, 1), slice(0, 10)),
        transform=SignalTransform([TimeSeries()]),
        signals=noise(1),
        fill=noise(2),
        target=torch.ones(N, dtype=torch.int64),
        cells=make_cells([{"ch_names": CH_NAMES, "freqs": None, "times": SECONDS}], 1.0),
        ch_names=CH_NAMES,
        sfreq=SFREQ,
        seed=0,
        rows=range(N),
    )
    assert one.inputs.shape == (N, len(CH_NAMES), 1, N_TIMES)
    found = one.probabilities(torch.rand(one.inputs.shape))
    assert sorted(found) == ["deletion_channels", "deletion_seconds"]


def test_a_band_is_replaced_and_the_other_bands_keep_their_phase():
    def sines(*amplitudes):
        return torch.from_numpy(
            sum(a * np.sin(2 * np.pi * f * SECONDS + f) for f, a in zip((2, 6, 10, 20), amplitudes, strict=True))
        )[None, None]

    cells = cells_of(STFT)
    weights = band_weights(cells, N_TIMES, SFREQ).double()
    expected = {"delta": (9, 2, 3, 4), "theta": (1, 8, 3, 4), "alpha": (1, 2, 7, 4), "beta": (1, 2, 3, 6)}
    assert set(expected) <= set(cells.band_names)
    for name, amplitudes in expected.items():
        chosen = weights[[cells.band_names.index(name)]]
        changed = replace_band(sines(1, 2, 3, 4), sines(9, 8, 7, 6), chosen)
        np.testing.assert_allclose(changed.numpy(), sines(*amplitudes).numpy(), atol=1e-5)


def test_bands_share_all_frequencies_with_edges_of_half_a_hertz():
    cells = cells_of(STFT)
    weights = band_weights(cells, 6400, SFREQ).numpy()  # frequencies every 0.01 Hz
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-6)
    alpha, freqs = weights[cells.band_names.index("alpha")], np.fft.rfftfreq(6400, 1 / SFREQ)
    assert (alpha[(freqs < 7.75) | (freqs > 13.25)] == 0).all() and (alpha[(freqs > 8.25) & (freqs < 12.75)] == 1).all()
    assert alpha[np.isclose(freqs, 8)] == pytest.approx(0.5) and (np.diff(alpha[freqs < 10]) >= 0).all()


def test_band_stop_leaves_the_power_of_noise_outside_the_band():
    cells, signals, fill = cells_of(STFT), noise(1).double(), torch.zeros_like(noise(1)).double()
    weights = band_weights(cells, N_TIMES, SFREQ)[cells.band_names.index("theta")].double().expand(N, -1)
    freqs, before = periodogram(signals.numpy(), SFREQ, detrend=False)
    _, after = periodogram(replace_band(signals, fill, weights).numpy(), SFREQ, detrend=False)
    inside, outside = (freqs > 4.25) & (freqs < 7.75), (freqs < 3.75) | (freqs > 8.25)
    assert after[..., inside].max() < 1e-12 * before.mean()
    np.testing.assert_allclose(after[..., outside], before[..., outside], rtol=1e-6)


def test_seconds_are_replaced_with_a_cross_fade():
    cells = cells_of(STFT)
    weights = run_weights(cells, 2, N_TIMES, SFREQ)
    assert weights.shape == (5, N_TIMES)
    signals, fill = torch.zeros(5, 1, N_TIMES), torch.ones(5, 1, N_TIMES)
    changed = replace_interval(signals, fill, weights)[:, 0].numpy()
    for start, values in enumerate(changed):
        after_start = SECONDS - start
        inside = (after_start > 0.06) & (after_start < 1.93)
        outside = (after_start < -0.07) | (after_start > 2.06)
        assert (values[inside] == 1).all() and (values[outside] == 0).all()
        assert np.abs(np.diff(values)).max() < 0.3  # a jump would be 1
    assert (changed[0, :100] == 1).all() and (changed[-1, -100:] == 1).all()  # no fade at the ends of the window
    assert len(find_peaks(np.abs(np.diff(changed[2])))[0]) == 2


def test_the_most_relevant_run_is_replaced_and_not_the_most_relevant_interval():
    class LastSecond(nn.Module):
        def forward(self, x):
            logit = x[:, :, :, -3:].mean(dim=(1, 2, 3)) - 20
            return torch.stack([torch.zeros(len(x)), logit], dim=1)

    signals = noise(1)
    signals[:, :, SECONDS >= 4.5] *= 100
    one = windows(signals, LastSecond())
    values = torch.tensor([5.0, 0, 0, 0, 4, 4]).expand(N, *one.cells.shape)
    assert one.before.min() > 0.99
    assert one.probabilities(one.cells.expand(values))["deletion_seconds"].max() < 0.5
