"""Attribution maps of a fold and their evidence, read from its files."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.fold_paths import AttributionPaths
from eegwf.config.paths import RunPaths
from eegwf.storage.files import read_array, read_json, read_table

TEXT = ("patient", "recording", "label", "predicted", "outcome", "example", "method", "measure", "target")
OUTCOMES = ("correct", "wrong")
EVIDENCE_COLUMNS = ("method", "measure", "target", "patient", "n_windows", "value")


@dataclass(frozen=True)
class Maps:
    """Attribution maps of a fold.

    Attributes
    ----------
    about
        `maps.json`.
    windows
        `windows.tsv`: the explained windows.
    means
        Mean maps, `(n_methods, n_classes, 2, n_chans, n_freqs)`; the third axis has the correctly and the wrongly
        answered windows. NaN without windows.
    mean_inputs
        Mean inputs, `(n_classes, 2, n_chans, n_freqs)`.
    examples, example_inputs
        Maps `(n_methods, n_examples, n_chans, n_freqs, n_frames)` and inputs of the example windows.
    example_signals
        Time series of the example windows in µV and the relevance of each sample, `(n_examples, 2, n_signal_chans,
        n_times)`; no examples without time series.
    window_relevance
        Relevance over time of the explained windows, `(n_windows, n_signal_chans, n_columns)`; no windows without time
        series, or if the maps are of an earlier version.
    evidence
        `evidence.tsv`: measures of each method by class and patient.
    timing
        `timing.tsv`: seconds of each method.
    """

    about: dict[str, Any]
    windows: pd.DataFrame
    means: np.ndarray
    mean_inputs: np.ndarray
    examples: np.ndarray
    example_inputs: np.ndarray
    example_signals: np.ndarray
    window_relevance: np.ndarray
    evidence: pd.DataFrame
    timing: pd.DataFrame


def read_maps(paths: AttributionPaths) -> Maps | None:
    """Read the attribution maps of a fold; None if there are none."""
    # The maps of earlier versions have a description, but no evidence.
    if not paths.description.exists() or not paths.evidence.exists():
        return None
    return Maps(
        about=read_json(paths.description),
        windows=read_table(paths.windows, ("label", "outcome", "example", "example_index", "p"), text=TEXT),
        means=read_array(paths.means),
        mean_inputs=read_array(paths.mean_inputs),
        examples=read_array(paths.examples),
        example_inputs=read_array(paths.example_inputs),
        example_signals=read_array(paths.example_signals),
        window_relevance=read_array(paths.window_relevance) if paths.window_relevance.exists() else np.zeros((0, 0, 0)),
        evidence=read_table(paths.evidence, EVIDENCE_COLUMNS, text=TEXT),
        timing=_timing(paths),
    )


def _timing(paths: AttributionPaths) -> pd.DataFrame:
    """Seconds of each method; empty without the file, as all timing tables of a report."""
    columns = ("method", "seconds", "n_windows")
    return (
        read_table(paths.timing, columns, text=TEXT) if paths.timing.exists() else pd.DataFrame(columns=list(columns))
    )


def read_evidence(folds: Iterable[AttributionPaths]) -> tuple[dict[str, Any], pd.DataFrame] | None:
    """Description of the maps of the first fold and evidence of all folds; None if no fold has any."""
    paths = [fold for fold in folds if fold.evidence.exists()]
    if not paths:
        return None
    tables = [read_table(fold.evidence, EVIDENCE_COLUMNS, text=TEXT) for fold in paths]
    return read_json(paths[0].description), pd.concat(tables, ignore_index=True)


def scored_folds(run: RunPaths) -> list[AttributionPaths]:
    """Attribution of the outer folds that were scored: an earlier run with more of them may have left files."""
    numbers = sorted(read_table(run.predictions, ("fold",))["fold"].unique().tolist())
    return [run.fold(number).attribution for number in numbers]


def all_evidence(folds: list[Maps]) -> pd.DataFrame:
    """Concatenate the evidence of the folds."""
    return pd.concat([maps.evidence for maps in folds], ignore_index=True)
