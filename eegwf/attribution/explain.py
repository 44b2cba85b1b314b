"""Maps of an outer fold and their evidence: the measures of each method on each explained window."""

from dataclasses import dataclass, field

import numpy as np
import torch

from eegwf.attribution.attribute import attribute
from eegwf.attribution.comparison import compare
from eegwf.attribution.evidence import Evidence
from eegwf.attribution.fold import Block, FoldTask
from eegwf.attribution.localization import localization
from eegwf.attribution.mean_maps import MeanMaps
from eegwf.attribution.perturbation import Perturbation, mean_over_shares
from eegwf.attribution.sample import Example, choose_examples
from eegwf.attribution.signal_perturbation import SignalPerturbation
from eegwf.attribution.stopwatch import Stopwatch
from eegwf.attribution.target import contrast
from eegwf.attribution.truth import Region, read_truth, region_of, seizure_of
from eegwf.data.context import n_context
from eegwf.progress import Progress

COMPLETE = ("integrated_gradients", "deeplift")
"""Methods whose map sums to the difference of the score from that of the baselines."""


@dataclass
class Explained:
    """Results of an outer fold.

    Attributes
    ----------
    evidence
        Measures of each method and window.
    means, mean_inputs
        Mean maps, and mean inputs in the unit of the input (of the time series, mean squares).
    examples
        Example windows.
    example_maps
        Their maps by each method, `(n_methods, n_examples, n_chans, n_freqs, n_frames)`.
    stopwatch
        Seconds of the methods and of the measures.
    """

    evidence: Evidence
    means: MeanMaps
    mean_inputs: MeanMaps
    examples: list[Example]
    example_maps: np.ndarray
    stopwatch: Stopwatch = field(default_factory=Stopwatch)


def explain(task: FoldTask) -> Explained:
    """Compute the maps of all methods and controls, and their evidence.

    Parameters
    ----------
    task
        Windows, classifiers and settings.

    Returns
    -------
    Explained
        Measures of each window, mean maps and the maps of the examples.
    """
    examples = choose_examples(task.windows.label, task.p)
    shape = task.dataset.shape.values()
    result = Explained(
        Evidence(len(task.windows.window)),
        MeanMaps(task, len(task.methods)),
        MeanMaps(task, 1),
        examples,
        np.zeros((len(task.methods), len(examples), *shape), dtype=np.float32),
    )
    regions = _regions(task)
    progress = Progress(f"{task.name}: explaining", task.n_blocks * len(task.methods))
    for block in task.blocks():
        _explain_block(task, block, regions, result, progress)
    with result.stopwatch.measure("comparison of maps", len(task.compared())):
        compare(task, result.evidence)
    return result


def _explain_block(
    task: FoldTask, block: Block, regions: dict[int, Region], result: Explained, progress: Progress
) -> None:
    perturbation = Perturbation(
        task.classifier, block.inputs, block.fill, block.target, task.cells, task.context.seed, block.rows
    )
    signal = _signal_perturbation(task, block)
    shown = task.dataset.read(np.array(block.rows)).to(task.device)
    result.mean_inputs.add(0, block.index, shown.square() if task.is_time_series else shown)
    for number, method in enumerate(task.methods):
        with result.stopwatch.measure(method, len(block.rows)):
            maps = attribute(method, task.classifier, block.inputs, block.target, task.context, block.rows)
        result.means.add(number, block.index, maps)
        _keep_examples(result, number, block, maps)
        measured = {"before": perturbation.before}
        with result.stopwatch.measure("deletion and insertion", len(block.rows)):
            measured |= {
                "deletion": mean_over_shares(perturbation.deletion(maps)),
                "insertion": mean_over_shares(perturbation.insertion(maps)),
            }
        with result.stopwatch.measure("deletion in the signal", len(block.rows)):
            measured |= signal.probabilities(maps) if signal is not None else {}
        if method in COMPLETE:
            measured["completeness"] = _incompleteness(task, block, maps)
        for measure, values in measured.items():
            result.evidence.add(method, measure, block.index, values.double().cpu().numpy())
        _localize(method, block, maps, regions, result.evidence)
        progress.step(method)


def _signal_perturbation(task: FoldTask, block: Block) -> SignalPerturbation | None:
    if task.transform is None or task.signal_axes is None:
        return None
    return SignalPerturbation(
        classifier=task.classifier,
        transform=task.transform,
        signals=task.read_signals(task.windows.window[block.index]),
        fill=task.read_signals(task.fills[block.index]),
        target=block.target,
        cells=task.cells,
        ch_names=task.signal_axes["ch_names"],
        sfreq=task.signal_axes["sfreq"],
        seed=task.context.seed,
        rows=block.rows,
        normalize=task.normalize,
        context=n_context(task.signal_axes),
        has_bands=all(task.in_decibels),
    )


def _keep_examples(result: Explained, number: int, block: Block, maps: torch.Tensor) -> None:
    """Keep the maps of the examples in the block, each scaled to a maximum of 1."""
    for place, example in enumerate(result.examples):
        for inside in np.flatnonzero(block.index == example.index):
            found = maps[inside]
            result.example_maps[number, place] = (found / found.abs().max().clamp_min(1e-30)).cpu().numpy()


@torch.no_grad()
def _incompleteness(task: FoldTask, block: Block, maps: torch.Tensor) -> torch.Tensor:
    """Relative deviation of the sum of each map from the difference of the scores; NaN if there is no difference."""
    score = contrast(task.classifier(block.inputs), block.target)
    baselines = task.classifier(task.context.baselines)
    reference = [contrast(baselines, target.expand(len(baselines))).mean() for target in block.target]
    difference = score - torch.stack(reference)
    return (maps.sum(dim=(1, 2, 3)) - difference).abs() / torch.where(difference == 0, torch.nan, difference.abs())


def _regions(task: FoldTask) -> dict[int, Region]:
    """True region of each correctly answered seizure window of a synthetic data set, by its number."""
    if task.truth is None:
        return {}
    seizures, windows, described = read_truth(task.truth), task.windows, task.dataset.described
    begin, end = task.time_range
    regions = {}
    for index in np.flatnonzero((windows.label > 0) & (windows.label == task.target)):
        onset = float(windows.onset[index])
        seizure = seizure_of(seizures, str(windows.recording[index]), onset + begin, end - begin)
        if seizure is not None:
            regions[int(index)] = region_of(seizure, described, onset)
    return regions


def _localize(method: str, block: Block, maps: torch.Tensor, regions: dict[int, Region], evidence: Evidence) -> None:
    for place, index in enumerate(block.index):
        if int(index) in regions:
            found = localization(maps[place].cpu().numpy(), regions[int(index)])
            for measure, value in found.items():
                evidence.add(method, measure, np.array([index]), np.array([value]))
