"""Relevance of samples: finite differences, and a model that reads one channel, band and second."""

import numpy as np
import pytest
import torch
from torch import nn

from eegwf.attribution.signal_gradient import signal_relevance
from eegwf.attribution.signal_transform import SignalTransform, TimeSeries
from eegwf.attribution.target import contrast
from eegwf.config.spectrograms import Acf, Cwt, Mel, Stft
from eegwf.spectrograms.names import POWER_SPECTROGRAMS
from eegwf.spectrograms.transforms import make_transform
from eegwf.training.classifier import Classifier
from tests.helpers.small_models import AXES, SMALL

SFREQ, N_TIMES, N_CHANS = 64.0, 256, 2
GRID = {"n_freqs": 12, "n_frames": 16, "f_min": 2.0, "f_max": 30.0}
TRANSFORMS = {
    "mel": make_transform("mel", Mel(**GRID, window=1.0), SFREQ, N_TIMES),
    "stft": make_transform("stft", Stft(**GRID), SFREQ, N_TIMES),
    "cwt": make_transform("cwt", Cwt(**GRID), SFREQ, N_TIMES),
    "acf": make_transform("acf", Acf(**GRID, window=1.0), SFREQ, N_TIMES),
}
SECONDS = np.arange(N_TIMES) / SFREQ


def noise(n, seed=0):
    return torch.randn(n, N_CHANS, N_TIMES, generator=torch.Generator().manual_seed(seed)) * 20


def classifier_of(model, normalization, n_parts=1):
    torch.manual_seed(0)
    shape = {"n_chans": N_CHANS * n_parts, "n_freqs": 12, "n_frames": 16, "n_outputs": 3}
    classifier = Classifier(model, shape, SMALL[model], normalization, AXES).eval()
    if normalization == "patients":
        classifier.normalization.mean.fill_(10.0)
        classifier.normalization.deviation.fill_(4.0)
    return classifier


def finite_difference(classifier, transform, signals, target, channel, sample, step):
    with torch.no_grad():
        changed = signals.repeat(2, 1, 1)
        changed[0, channel, sample] += step
        changed[1, channel, sample] -= step
        high, low = contrast(classifier(transform(changed)), target.repeat(2)).tolist()
    return (high - low) / (2 * step)


@pytest.mark.parametrize(
    ("parts", "model", "normalization"),
    [
        (["mel"], "vit", "patients"),
        (["stft"], "transformer", "window"),
        (["cwt"], "transcnn", "none"),
        (["acf"], "vit", "none"),
        (["mel", "cwt"], "vit", "patients"),
    ],
)
def test_relevance_is_signal_times_finite_difference(parts, model, normalization):
    classifier = classifier_of(model, normalization, len(parts)).double()
    transform, signals = SignalTransform([TRANSFORMS[name] for name in parts]), noise(1).double()
    target = torch.tensor([1])
    relevance = signal_relevance(classifier, transform, signals, target)
    assert relevance.dtype == torch.float64 and not relevance.requires_grad
    for channel, sample in ((0, 3), (0, 100), (1, 128), (1, 255)):
        expected = finite_difference(classifier, transform, signals, target, channel, sample, 1e-4)
        assert abs(expected) > 1e-8
        found = relevance[0, channel, sample] / signals[0, channel, sample]
        assert found.item() == pytest.approx(expected, rel=1e-4)
    single = signal_relevance(classifier.float(), transform, signals.float(), target)
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), relevance, atol=1e-3 * relevance.abs().max())


def test_lstm_has_gradients_and_its_weights_have_none():
    classifier = classifier_of("lstm", "patients")
    relevance = signal_relevance(classifier, SignalTransform([TRANSFORMS["mel"]]), noise(2), torch.tensor([0, 2]))
    assert relevance.shape == (2, N_CHANS, N_TIMES) and (relevance.abs().amax(dim=(1, 2)) > 0).all()
    assert all(weight.grad is None for weight in classifier.parameters())


class Linear(nn.Module):
    """Logits of a time series: the sum of its samples with given weights, and its negative."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def forward(self, x):
        logit = (x[:, :, 0] * self.weight).sum(dim=(1, 2))
        return torch.stack([logit, -logit], dim=1)


def test_relevance_of_a_linear_model_of_the_time_series_sums_to_its_contrast():
    signals, weight, target = noise(3), noise(1, seed=1)[0] / 100, torch.tensor([0, 1, 0])
    relevance = signal_relevance(Linear(weight), SignalTransform([TimeSeries()]), signals, target)
    sign = torch.tensor([1.0, -1.0, 1.0])[:, None, None]
    assert torch.allclose(relevance, 2 * sign * weight * signals, atol=1e-5)
    expected = contrast(Linear(weight)(signals[:, :, None]), target)
    assert torch.allclose(relevance.sum(dim=(1, 2)), expected, atol=1e-3)


class Reader(nn.Module):
    """A classifier that reads the mean level of channel 1 from 8 to 13 Hz between 1 and 2 s."""

    def __init__(self, transform):
        super().__init__()
        rows = (transform.freqs >= 8) & (transform.freqs < 13)
        frames = (transform.times >= 1) & (transform.times < 2)
        self.register_buffer("part", torch.from_numpy(rows[:, None] & frames).float())

    def forward(self, x):
        logit = (x[:, 1] * self.part).sum(dim=(1, 2)) / self.part.sum()
        return torch.stack([logit, -logit], dim=1)


@pytest.mark.parametrize("name", POWER_SPECTROGRAMS)
def test_relevance_is_where_the_model_reads(name):
    transform, target = TRANSFORMS[name], torch.zeros(4, dtype=torch.int64)
    relevance = signal_relevance(Reader(transform), SignalTransform([transform]), noise(4), target)
    assert (relevance[:, 0] == 0).all()
    power = relevance[:, 1].square().numpy()
    near = (SECONDS >= 0.4) & (SECONDS < 2.6)  # half a window of the transform on both sides
    assert power[:, near].sum() > 0.95 * power.sum()
    gradient = relevance[:, 1] / noise(4)[:, 1]
    spectrum, freqs = torch.fft.rfft(gradient).abs().square().numpy(), np.fft.rfftfreq(N_TIMES, 1 / SFREQ)
    assert spectrum[:, (freqs >= 6) & (freqs <= 15)].sum() > 0.8 * spectrum.sum()


def test_batches_change_no_relevance(monkeypatch):
    classifier, transform = classifier_of("vit", "patients"), SignalTransform([TRANSFORMS["mel"]])
    signals, target = noise(7), torch.tensor([0, 1, 2, 0, 1, 2, 0])
    together = signal_relevance(classifier, transform, signals, target)
    monkeypatch.setattr("eegwf.attribution.signal_gradient.BATCH_BYTES", 4 * N_CHANS * N_TIMES * 3)
    parts = signal_relevance(classifier, transform, signals, target)
    assert torch.allclose(together, parts, atol=1e-5 * together.abs().max())
