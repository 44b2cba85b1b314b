"""Inputs of the models of an ensemble for the windows of a recording, each with the normalization of its model."""

from collections.abc import Collection

import torch

from eegwf.config.training import RECORDING_NORMALIZATIONS
from eegwf.training.recording_statistics import WHOLE_RECORDING, Normalizer, RunningScale, finite_in_half

CAUSAL = "recording_causal"


class NormalizedInputs:
    """Inputs of the windows of one recording, in order of onset, with the bits that the study's inputs have.

    Parameters
    ----------
    kinds
        Kinds of normalization of the models.
    """

    def __init__(self, kinds: Collection[str]):
        self.kinds = frozenset(kinds)
        self._statistics = {kind: make() for kind, make in WHOLE_RECORDING.items() if kind in self.kinds}
        self._normalizers: dict[str, Normalizer] = {}
        self._running = RunningScale() if CAUSAL in self.kinds else None

    @property
    def needs_statistics(self) -> bool:
        """Whether all windows must be measured before the first one is predicted."""
        return bool(self._statistics)

    def measure(self, x: torch.Tensor) -> None:
        """Add windows `(n_windows, n_chans, n_freqs, n_frames)` in dB or microvolts to the statistics."""
        for statistics in self._statistics.values():
            statistics.add(x.numpy())

    def __call__(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Inputs of models by their kind of normalization.

        Parameters
        ----------
        x
            Next windows in dB or microvolts, `(n_windows, n_chans, n_freqs, n_frames)`.

        Returns
        -------
        dict
            For normalization by recording the windows normalized, rounded to half precision; otherwise as they are.
        """
        normalizers = dict(self._measured())
        if self._running is not None:
            normalizers[CAUSAL] = self._running.add(x.numpy())
        return {
            kind: finite_in_half(normalizers[kind](x)).half().float() if kind in RECORDING_NORMALIZATIONS else x
            for kind in self.kinds
        }

    def _measured(self) -> dict[str, Normalizer]:
        if not self._normalizers:
            self._normalizers = {kind: statistics.result() for kind, statistics in self._statistics.items()}
        return self._normalizers
