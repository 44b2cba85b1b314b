"""Deletion in the signal: the probability of a class after relevant channels, a band or seconds were replaced."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from eegwf.attribution.cells import Cells
from eegwf.attribution.perturbation import batch_size, probabilities
from eegwf.attribution.ranking import ranked
from eegwf.attribution.signal_replacement import band_weights, replace_band, replace_interval, run_weights
from eegwf.attribution.signal_transform import Normalize, SignalTransform, unnormalized
from eegwf.training.classifier import Classifier

MIN_SECONDS = 1.0
Replace = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class SignalPerturbation:
    """Time series of windows, parts of which are replaced by those of another patient's background.

    The spectrogram is computed again, so that the input is that of a signal, and not a picture in which bins were
    exchanged.

    Attributes
    ----------
    classifier
        Classifier in evaluation mode.
    transform
        Transform of the signals to its inputs, on the same device.
    signals
        Windows in microvolts, `(n, n_signal_chans, n_times)`.
    fill
        Background window of another training patient for each window, of the same shape.
    target
        Index of the class that is explained, for each window, `(n,)`.
    cells
        Partition of the bins of the inputs.
    ch_names
        Names of the channels of the signals.
    sfreq
        Sampling rate in Hz.
    seed
        Seed of the order of parts that are equally relevant.
    rows
        Row numbers of the windows, which seed this order.
    share
        Share of the channels, and of the seconds that the inputs describe, that is replaced.
    normalize
        Normalization of inputs by recording. That of a changed window is that of its recording.
    context
        Samples of context before each window, and after it, which the signals have.
    has_bands
        Whether the bands of the cells are bands of the signals. The rows of a correlation are repetition rates, to
        which all harmonics of a rhythm contribute, so that none of them can be removed by a filter.
    """

    classifier: Classifier
    transform: SignalTransform
    signals: torch.Tensor
    fill: torch.Tensor
    target: torch.Tensor
    cells: Cells
    ch_names: Sequence[str]
    sfreq: float
    seed: int
    rows: Sequence[int]
    share: float = 0.2
    normalize: Normalize = unnormalized
    context: int = 0
    has_bands: bool = True

    @cached_property
    def inputs(self) -> torch.Tensor:
        """Unchanged signals in dB or microvolts, `(n, n_chans, n_freqs, n_frames)`."""
        return self.transform.stored(self.signals)

    @cached_property
    def fill_inputs(self) -> torch.Tensor:
        """Signals that replace them in dB or microvolts."""
        return self.transform.stored(self.fill)

    @cached_property
    def before(self) -> torch.Tensor:
        """Probability of the target class of each unchanged window, `(n,)`."""
        return self.probabilities_of(self.inputs, torch.arange(len(self.inputs)))

    def probabilities_of(self, x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        """Probabilities of changed windows.

        Parameters
        ----------
        x
            Windows in dB or microvolts, `(m, n_chans, n_freqs, n_frames)`.
        index
            Their numbers, `(m,)`.

        Returns
        -------
        torch.Tensor
            Probability of the target class of each window, `(m,)`.
        """
        rows = np.asarray(self.rows)[index.cpu().numpy()]
        # Rounded as the inputs that classifiers read.
        normalized = self.normalize(x, rows).to(torch.float16).float()
        return probabilities(self.classifier, normalized, self.target[index.to(self.target.device)])

    def probabilities(self, maps: torch.Tensor) -> dict[str, torch.Tensor]:
        """Probability of the target class after the parts that a map ranks first were replaced.

        Parameters
        ----------
        maps
            Relevance of the bins, `(n, n_chans, n_freqs, n_frames)`.

        Returns
        -------
        dict
            Probabilities `(n,)`: `deletion_channels` (most relevant channels, the given share, at least one),
            `deletion_bands` (most relevant band), and `deletion_seconds` (the run of intervals with the highest mean
            relevance, the given share of the window, at least a second). A key is missing where there is nothing to
            choose from, such as the bands of a time series.
        """
        values = self.cells.mean(maps.to(self.signals.device).double())
        found = {}
        if len(self.ch_names) > 1:
            found["deletion_channels"] = self._without_channels(self.cells.average(values, (2, 3)))
        if self.has_bands and self.cells.shape[1] > 1:
            found["deletion_bands"] = self._without_band(self._first(self.cells.average(values, (1, 3))))
        if self.cells.shape[2] > self._run_length:
            runs = self.cells.average(values, (1, 2)).unfold(1, self._run_length, 1).mean(dim=2)
            found["deletion_seconds"] = self._without_run(self._first(runs))
        return found

    def _first(self, values: torch.Tensor) -> torch.Tensor:
        return ranked(values, self.seed, self.rows)[:, 0]

    @torch.no_grad()
    def _without_channels(self, values: torch.Tensor) -> torch.Tensor:
        """Replace channels of the inputs: each channel of a signal is transformed by itself."""
        number = {name: index for index, name in enumerate(self.ch_names)}
        channel = torch.tensor([number[name] for name in self.cells.ch_names], device=values.device)
        sums = values.new_zeros(len(values), len(number)).index_add_(1, channel, values)
        count = max(1, round(self.share * len(number)))
        chosen = ranked(sums, self.seed, self.rows)[:, :count]
        replaced = torch.zeros_like(sums, dtype=torch.bool).scatter_(1, chosen, True)[:, channel, None, None]
        return self.probabilities_of(
            torch.where(replaced, self.fill_inputs, self.inputs), torch.arange(len(self.inputs))
        )

    @cached_property
    def _run_length(self) -> int:
        """Number of intervals of a run; the last interval can be shorter than the others."""
        starts, ends = self.cells.intervals.T
        # The intervals can end half a sample before the signal; with a span, they cover a part of it.
        covered = min(self.signals.shape[2] / self.sfreq, ends[-1] - starts[0] + 1 / self.sfreq)
        seconds = max(self.share * covered, MIN_SECONDS)
        # An interval ends in the middle between two frames, half a frame from where it would end exactly.
        return max(1, math.ceil(seconds / (ends - starts).max() - 0.1))

    @cached_property
    def _without_band(self) -> "_Replacement":
        weights = band_weights(self.cells, self.signals.shape[2], self.sfreq)
        return _Replacement(self, replace_band, weights)

    @cached_property
    def _without_run(self) -> "_Replacement":
        weights = run_weights(self.cells, self._run_length, self.signals.shape[2], self.sfreq, self.context)
        return _Replacement(self, replace_interval, weights)


class _Replacement:
    """Probabilities after one of several parts was replaced, which are kept for the maps of other methods.

    Parameters
    ----------
    windows
        The windows.
    replace
        Replaces a part of signals, given its weights.
    weights
        Weights of each part, `(n_parts, n_weights)`.
    """

    def __init__(self, windows: SignalPerturbation, replace: Replace, weights: torch.Tensor):
        self.windows, self.replace = windows, replace
        self.weights = weights.to(windows.signals.device)
        self.known = torch.full((len(windows.signals), len(weights)), torch.nan, device=windows.signals.device)

    @torch.no_grad()
    def __call__(self, part: torch.Tensor) -> torch.Tensor:
        """Probabilities `(n,)` after the part of this index, `(n,)`, was replaced in each window."""
        windows = self.windows
        found = self.known.gather(1, part[:, None])[:, 0]
        missing = found.isnan().nonzero()[:, 0]
        # An empty tensor is split into one empty part, which not every network accepts.
        for rows in missing.split(batch_size(windows.inputs)) if len(missing) else ():
            changed = self.replace(windows.signals[rows], windows.fill[rows], self.weights[part[rows]])
            x = windows.transform.stored(changed)
            found[rows] = windows.probabilities_of(x, rows)
        self.known.scatter_(1, part[:, None], found[:, None])
        return found
