"""Windows with context, and stacked spectrograms of different spans: cells, true regions, deletion in the signal."""

import numpy as np
import pytest
import torch
from torch import nn

from eegwf.attribution.cells import make_cells
from eegwf.attribution.localization import localization
from eegwf.attribution.signal_perturbation import SignalPerturbation
from eegwf.attribution.signal_replacement import run_weights
from eegwf.attribution.signal_transform import SignalTransform
from eegwf.attribution.truth import TrueSeizure, region_of
from eegwf.config.spectrograms import Stft
from eegwf.spectrograms.transforms import make_transform
from eegwf.training.spectrogram_dataset import time_range

SFREQ, CONTEXT, N_TIMES = 64.0, 192, 640  # windows of 4 s with 3 s before and after them
SECONDS = np.arange(-CONTEXT, N_TIMES - CONTEXT) / SFREQ
CH_NAMES = ["F7-T7", "Fz-Cz"]
FREQS = [2.0, 6.0, 9.0]


def axes_of(begin, end, n_frames=20):
    """Description of an array that covers a part of a window with context."""
    times = begin + (np.arange(n_frames) + 0.5) * (end - begin) / n_frames - 0.5 / SFREQ
    return {"ch_names": CH_NAMES, "freqs": FREQS, "times": times.tolist(), "sfreq": SFREQ}


WHOLE, INNER = axes_of(-3.0, 7.0), axes_of(0.0, 4.0)


def test_time_ranges_end_at_samples():
    for begin, end in ((-3.0, 7.0), (0.0, 4.0), (1.0, 3.0)):
        assert time_range(axes_of(begin, end)) == pytest.approx((begin, end), abs=1e-9)
    raw = {"times": SECONDS.tolist(), "sfreq": SFREQ}
    assert time_range(raw) == pytest.approx((-3.0, 7.0), abs=1e-9)


def test_cells_begin_at_seconds_from_the_onset():
    cells = make_cells([WHOLE], 1.0)
    np.testing.assert_allclose(cells.intervals, [[second, second + 1] for second in range(-3, 7)], atol=1 / SFREQ)
    assert cells.interval.tolist() == [np.repeat(range(10), 2).tolist()] * 2 and (cells.n_bins > 0).all()
    # Four seconds that begin at multiples of 4: one of the context, the window, three of the context.
    np.testing.assert_allclose(make_cells([WHOLE], 4.0).intervals, [[-3, 0], [0, 4], [4, 7]], atol=1 / SFREQ)


def test_cells_of_different_spans_contain_the_same_seconds():
    cells = make_cells([INNER, WHOLE], 1.0)
    assert cells.shape == (4, 3, 10)
    np.testing.assert_allclose(cells.intervals[[0, -1]], [[-3, -2], [6, 7]], atol=1 / SFREQ)
    filled = cells.n_bins > 0
    assert filled[2:].all() and filled[:2, :, 3:7].all() and not filled[:2, :, [0, 1, 2, 7, 8, 9]].any()
    maps = torch.rand(2, 4, 3, 20, generator=torch.Generator().manual_seed(0)).double()
    means = cells.mean(maps)
    for second in range(4):
        inside = [second <= time + 0.5 / SFREQ < second + 1 for time in INNER["times"]]
        assert means[:, 1, 2, 3 + second] == pytest.approx(maps[:, 1, 2, inside].mean(dim=1))
    inside = [-2 <= time + 0.5 / SFREQ < -1 for time in WHOLE["times"]]
    assert means[0, 3, 0, 1] == pytest.approx(maps[0, 3, 0, inside].mean().item())
    assert (means[:, torch.from_numpy(~filled)] == 0).all()
    assert torch.equal(cells.mean(cells.expand(means)), means)
    assert cells.average(means, (1, 2))[0, 0] == pytest.approx(means[0, 2:, :, 0].mean().item())
    ones = torch.from_numpy(filled)[None].double()
    assert (cells.average(ones, (2, 3)) == 1).all() and (cells.average(ones, (1, 2)) == 1).all()


def test_region_in_the_context_equals_that_of_a_loop():
    """A seizure from 2 s before the onset to 1.5 s after it, which reaches T3 at its second second."""
    seizure = TrueSeizure(recording="r", onset=98.0, duration=3.5, delays={"T3": 1.0}, track=[[98.0, 6.0]])
    region = region_of(seizure, [INNER, WHOLE], 100.0)
    assert region.channels.tolist() == [True, False] * 2
    for number, axes in enumerate((INNER, WHOLE)):
        frames = [-2.0 <= time < 1.5 for time in axes["times"]]
        assert region.frames[number].tolist() == frames
        assert region.second[number].tolist() == np.floor(axes["times"]).astype(int).tolist()
        reached = [inside and time >= -1.0 for inside, time in zip(frames, axes["times"], strict=True)]
        assert region.mask[2 * number, 1].tolist() == reached and not region.mask[2 * number, [0, 2]].any()
    assert region.mask[2].sum() == 5 and region.mask[0].sum() == 8
    # Seconds -2, -1 and 0, and the half of second 1, of the ten.
    values = np.where(region.frames[[0, 0, 1, 1], None, :], 1.0, 0.0) * np.ones((4, 3, 1))
    assert localization(values, region)["auroc_seconds"] == 1


def test_weights_of_a_run_are_at_its_time():
    cells = make_cells([WHOLE], 1.0)
    weights = run_weights(cells, 2, N_TIMES, SFREQ, CONTEXT).numpy()
    assert weights.shape == (9, N_TIMES)
    for start, values in zip(range(-3, 6), weights, strict=True):
        assert (values[(start + 0.07 < SECONDS) & (start + 1.92 > SECONDS)] == 1).all()
        assert (values[(start - 0.08 > SECONDS) | (start + 2.07 < SECONDS)] == 0).all()
    assert (weights[0, :100] == 1).all() and (weights[-1, -100:] == 1).all()  # no fade at the ends of the signal
    inner = run_weights(make_cells([INNER], 1.0), 4, N_TIMES, SFREQ, CONTEXT).numpy()[0]
    assert inner[[0, CONTEXT - 10, -CONTEXT + 10, -1]].tolist() == [0] * 4 and inner[N_TIMES // 2] == 1


class Reader(nn.Module):
    """A classifier whose class 1 has a logit that grows with the mean of some frames in dB."""

    def __init__(self, frames):
        super().__init__()
        self.frames = torch.from_numpy(np.flatnonzero(frames))

    def forward(self, x):
        logit = x[:, :, :, self.frames].mean(dim=(1, 2, 3)) - 15
        return torch.stack([-logit, logit], dim=1) / 2


@pytest.mark.parametrize("spans", [[None], [4.0, None], [None, 4.0]])
def test_the_seconds_of_the_context_that_a_model_reads_are_replaced(spans):
    """A burst from 2 s to 1 s before the onset; the spectrograms have one span, or two of which one has no context."""
    signals = torch.randn(3, 2, N_TIMES, generator=torch.Generator().manual_seed(1))
    signals[..., (SECONDS >= -2) & (SECONDS < -1)] *= 100
    grids = [Stft(n_freqs=6, n_frames=20, f_min=2.0, f_max=30.0, window=0.5, span=span) for span in spans]
    parts = [make_transform("stft", grid, SFREQ, N_TIMES) for grid in grids]
    times = [part.times - CONTEXT / SFREQ for part in parts]
    described = [
        {"ch_names": CH_NAMES, "freqs": part.freqs, "times": seconds, "sfreq": SFREQ}
        for part, seconds in zip(parts, times, strict=True)
    ]
    whole = spans.index(None)
    frames = (times[whole] > -1.8) & (times[whole] < -1.2)
    transform = SignalTransform(parts)
    target, fill = (
        torch.ones(3, dtype=torch.int64),
        torch.randn(signals.shape, generator=torch.Generator().manual_seed(2)),
    )
    cells = make_cells(described, 1.0)

    class OfWhole(Reader):
        def forward(self, x):
            return super().forward(x[:, 2 * whole : 2 * whole + 2])

    one = SignalPerturbation(
        OfWhole(frames), transform, signals, fill, target, cells, CH_NAMES, SFREQ, 0, range(3), 0.1, context=CONTEXT
    )
    assert one.before.min() > 0.99
    maps = torch.zeros(one.inputs.shape)
    maps[:, 2 * whole : 2 * whole + 2, :, torch.from_numpy(np.flatnonzero(frames))] = 1
    assert one.probabilities(maps)["deletion_seconds"].max() < 0.5
    maps = torch.zeros(one.inputs.shape)
    maps[:, :, :, -1] = 1
    assert one.probabilities(maps)["deletion_seconds"].min() > 0.99
