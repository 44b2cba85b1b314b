"""Attribution of an outer fold: what is explained, by which model, and with which background."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eegwf.attribution.attribute import Context
from eegwf.attribution.cells import Cells, make_cells
from eegwf.attribution.methods import CONTROLS, METHODS, refusal
from eegwf.attribution.sample import choose_backgrounds, choose_windows
from eegwf.attribution.signal_transform import SignalTransform, make_transforms
from eegwf.config.explanation import Explanation
from eegwf.data.splits import WindowSet, split
from eegwf.models.registry import entry_of
from eegwf.seeds import seed_of
from eegwf.spectrograms.names import POWER_SPECTROGRAMS
from eegwf.storage.files import read_array, read_json
from eegwf.training.classifier import Classifier, chunk_size, predict
from eegwf.training.recording_normalization import input_for
from eegwf.training.spectrogram_dataset import SpectrogramDataset, time_range

N_FILLS = 16
"""Number of background windows from which those that replace removed parts are taken."""


@dataclass(frozen=True)
class Block:
    """Explained windows that are processed together.

    Attributes
    ----------
    index
        Their numbers among the explained windows, `(n,)`.
    rows
        Their rows in the arrays.
    inputs, fill
        Windows as the explained classifier receives them, and the background windows that replace removed parts,
        `(n, n_chans, n_freqs, n_frames)`.
    target
        Index of the class that is explained, `(n,)`.
    """

    index: np.ndarray
    rows: list[int]
    inputs: torch.Tensor
    fill: torch.Tensor
    target: torch.Tensor


@dataclass(frozen=True)
class FoldTask:
    """Attribution of an outer fold.

    Attributes
    ----------
    name
        Name of the combination with its outer fold, such as `vit_mel_3class_fold1`, which seeds the random draws.
    fold
        The outer fold.
    dataset
        Spectrograms of the study.
    window_set
        Windows of all folds.
    classifiers, descriptions
        Classifiers of all ranks in evaluation mode, and the contents of their `model.json`.
    rank
        Rank that is explained, from 1.
    settings
        Number of windows and settings of the methods.
    seed
        Seed of the study.
    device
        `cpu` or `cuda`.
    signals
        Samples of the windows, `windows.npy`; None for imported arrays.
    truth
        Ground truth of a synthetic data set; None for others.
    """

    name: str
    fold: int
    dataset: SpectrogramDataset
    window_set: WindowSet
    classifiers: list[Classifier]
    descriptions: list[dict[str, Any]]
    rank: int
    settings: Explanation
    seed: int
    device: str
    signals: Path | None = None
    truth: Path | None = None

    @property
    def classifier(self) -> Classifier:
        """The classifier that is explained."""
        return self.classifiers[self.rank - 1]

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.descriptions[0]["model"]

    @property
    def differentiable(self) -> bool:
        """Whether the classifier has a gradient with respect to the input."""
        return entry_of(self.model, self.descriptions[0]["parameters"]).differentiable

    @cached_property
    def windows(self) -> WindowSet:
        """The explained windows."""
        test = self.window_set.in_folds(self.fold).scored()
        return choose_windows(test, self.settings.max_windows_per_class, self._seed("windows"))

    @cached_property
    def p(self) -> np.ndarray:
        """Probabilities of the classes, `(n_windows, n_classes)`."""
        logits = predict(self.classifier, self.dataset, self.windows.window)
        logits = logits.reshape(-1, len(self.windows.classes))  # a test fold can be without windows that have a class
        return logits.softmax(dim=1).double().cpu().numpy()

    @property
    def target(self) -> np.ndarray:
        """Index of the class that the classifier predicts, which is explained."""
        return self.p.argmax(axis=1)

    @cached_property
    def refused(self) -> dict[str, str]:
        """Methods that are not valid for the model, with the reason."""
        requested = self.settings.methods or METHODS
        return {method: reason for method in requested if (reason := refusal(method, self.model))}

    @property
    def methods(self) -> list[str]:
        """Valid methods, and the controls."""
        return [method for method in self.settings.methods or METHODS if method not in self.refused] + list(CONTROLS)

    @cached_property
    def cells(self) -> Cells:
        """Cells of a window."""
        return make_cells(self.dataset.described, self.settings.cell_seconds)

    @cached_property
    def baselines(self) -> WindowSet:
        """Background windows of training patients that are the baselines of methods."""
        train = split(self.window_set, self.fold).train
        return choose_backgrounds(train, self.settings.n_baselines, self._seed("baselines"))

    @cached_property
    def fills(self) -> np.ndarray:
        """Row of the background window that replaces removed parts of each explained window."""
        train = split(self.window_set, self.fold).train
        others = train.select(~np.isin(train.window, self.baselines.window))
        rows = choose_backgrounds(others, N_FILLS, self._seed("fills")).window
        rows = rows if len(rows) else self.baselines.window  # a very small study
        rng = np.random.default_rng(self._seed("order of fills"))
        return rng.permutation(np.resize(rows, len(self.windows.window)))

    @cached_property
    def context(self) -> Context:
        """Baselines, cells and settings of the methods."""
        settings = self.settings
        return Context(
            baselines=self.read(self.baselines.window, self.classifier),
            cells=self.cells,
            seed=self._seed("maps"),
            n_steps=settings.n_steps,
            n_samples=settings.n_samples,
            noise=settings.noise,
            in_decibels=torch.tensor(self.in_decibels, device=self.device).repeat_interleave(
                self.dataset.n_chans // len(self.in_decibels)
            ),
        )

    def context_for(self, classifier: Classifier) -> Context:
        """The context with the baselines as another classifier receives them."""
        if classifier.normalization.kind == self.classifier.normalization.kind:
            return self.context
        return replace(self.context, baselines=self.read(self.baselines.window, classifier))

    def read(self, rows: np.ndarray, classifier: Classifier) -> torch.Tensor:
        """Windows as a classifier receives them, float32 on the device.

        Parameters
        ----------
        rows
            Their rows in the arrays.
        classifier
            Classifier, whose normalization can be by recording.

        Returns
        -------
        torch.Tensor
            Windows `(len(rows), n_chans, n_freqs, n_frames)`.
        """
        return input_for(self.dataset, classifier.normalization.kind).read(rows, self.device)

    def normalize(self, x: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        """Normalize changed copies of windows by the recordings of the windows, if the explained classifier needs it.

        Parameters
        ----------
        x
            Windows in dB or microvolts, `(len(rows), n_chans, n_freqs, n_frames)`.
        rows
            Their rows in the arrays.

        Returns
        -------
        torch.Tensor
            Inputs of the explained classifier, differentiable.
        """
        return input_for(self.dataset, self.classifier.normalization.kind).normalize(x, rows)

    @property
    def is_time_series(self) -> bool:
        """Whether the input is the time series, in microvolts instead of dB."""
        return int(self.dataset.n_freqs) == 1

    @property
    def time_range(self) -> tuple[float, float]:
        """Seconds from the onset of a window to the begin and to the end of what the model sees."""
        begins, ends = zip(*map(time_range, self.dataset.described), strict=True)
        return min(begins), max(ends)

    @property
    def in_decibels(self) -> list[bool]:
        """Whether each of the stacked arrays is power in dB at frequencies of the signal."""
        return [array["spectrogram"] in POWER_SPECTROGRAMS for array in self.dataset.described]

    @cached_property
    def signal_axes(self) -> dict[str, Any] | None:
        """Description of the time series, `windows.json`; None without one."""
        return None if self.signals is None else read_json(self.signals.with_suffix(".json"))

    @cached_property
    def transform(self) -> SignalTransform | None:
        """Transform of the time series to the input; None without a time series."""
        found = make_transforms(self.dataset.described, self.signal_axes)
        return None if found is None else found.to(self.device)

    def read_signals(self, rows: np.ndarray) -> torch.Tensor:
        """Time series of windows in microvolts, float32 `(n, n_signal_chans, n_times)`."""
        assert self.signals is not None
        return torch.from_numpy(read_array(self.signals)[rows].astype(np.float32)).to(self.device)

    @property
    def n_blocks(self) -> int:
        """Number of blocks of all explained windows."""
        return -(-len(self.windows.window) // self._block_size)

    @property
    def _block_size(self) -> int:
        return max(1, chunk_size(self.dataset) // 4)

    def blocks(self, index: np.ndarray | None = None) -> Iterator[Block]:
        """Explained windows in blocks, whose size depends on the shape of a window only.

        Parameters
        ----------
        index
            Numbers of explained windows; None for all.

        Yields
        ------
        Block
            On the device of the classifiers.
        """
        index = np.arange(len(self.windows.window)) if index is None else index
        for start in range(0, len(index), self._block_size):
            part = index[start : start + self._block_size]
            rows = self.windows.window[part]
            yield Block(
                index=part,
                rows=rows.tolist(),
                inputs=self.read(rows, self.classifier),
                fill=self.read(self.fills[part], self.classifier),
                target=torch.from_numpy(self.target[part]).to(self.device),
            )

    def compared(self) -> np.ndarray:
        """Numbers of the explained windows whose maps are compared with those of other models."""
        most = self.settings.max_similarity_windows_per_class
        chosen = choose_windows(self.windows, most, self._seed("similarity"))
        return np.flatnonzero(np.isin(self.windows.window, chosen.window))

    def _seed(self, purpose: str) -> int:
        return seed_of(self.seed, self.name, "explain", purpose)
