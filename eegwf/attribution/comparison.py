"""Similarity of maps to those of other models and of other classes."""

from collections.abc import Iterator

import numpy as np
import torch

from eegwf.attribution.attribute import attribute
from eegwf.attribution.evidence import Evidence
from eegwf.attribution.fold import Block, FoldTask
from eegwf.attribution.randomization import cascade, n_stages, train_on_permuted_labels
from eegwf.attribution.similarity import rank_correlation
from eegwf.progress import Progress
from eegwf.training.classifier import Classifier


def compare(task: FoldTask, evidence: Evidence) -> None:
    """Measure how similar the maps of some windows are to those of other models and of other classes.

    Parameters
    ----------
    task
        Windows, classifiers and settings.
    evidence
        Gets the measures `cascade_*`, `label_randomized`, `other_rank` and `other_class`.
    """
    blocks = list(task.blocks(task.compared()))
    n_others = n_stages(task.classifier.network) + task.settings.label_randomization + len(task.classifiers) - 1
    n_others += len(task.windows.classes) - 1 if len(task.windows.classes) > 2 else 0
    progress = Progress(f"{task.name}: comparing maps", n_others * len(blocks))
    own = {number: _maps(task, task.classifier, block, block.target) for number, block in enumerate(blocks)}
    for measure, classifier in _other_models(task):
        for number, block in enumerate(blocks):
            found = _similarity(task, own[number], _maps(task, classifier, block, block.target))
            for method, values in found.items():
                # The same structure with the opposite sign is similar, too; means of both would cancel.
                evidence.add(method, measure, block.index, np.abs(values))
            progress.step(measure)
    _compare_ranks_and_classes(task, evidence, blocks, own, progress)


def _other_models(task: FoldTask) -> Iterator[tuple[str, Classifier]]:
    """Models whose maps must differ from those of the explained one, each with its measure."""
    description = task.descriptions[task.rank - 1]
    inputs = task.context.baselines
    for stage, classifier in enumerate(cascade(task.classifier, description, inputs, task.seed), start=1):
        yield f"cascade_{stage}", classifier
    if task.settings.label_randomization:
        yield (
            "label_randomized",
            train_on_permuted_labels(description, task.name, task.dataset, task.window_set, task.device),
        )


def _compare_ranks_and_classes(
    task: FoldTask, evidence: Evidence, blocks: list[Block], own: dict[int, dict[str, torch.Tensor]], progress: Progress
) -> None:
    """Mean similarity to the maps of the other ranks, and to those of the other classes."""
    n_classes = len(task.windows.classes)
    others = [classifier for classifier in task.classifiers if classifier is not task.classifier]
    for number, block in enumerate(blocks):
        alternatives = {"other_rank": [(classifier, block.target) for classifier in others]}
        if n_classes > 2:  # contrasts of two classes are negatives of each other
            alternatives["other_class"] = [
                (task.classifier, (block.target + shift) % n_classes) for shift in range(1, n_classes)
            ]
        for measure, pairs in alternatives.items():
            found = []
            for classifier, target in pairs:
                found.append(_similarity(task, own[number], _maps(task, classifier, block, target)))
                progress.step(measure)
            for method in found[0] if found else ():
                values = np.mean([similarity[method] for similarity in found], axis=0)
                evidence.add(method, measure, block.index, values)


def _maps(task: FoldTask, classifier: Classifier, block: Block, target: torch.Tensor) -> dict[str, torch.Tensor]:
    """Maps of each method by cell, `(n, n_chans, n_bands, n_intervals)`."""
    inputs, context = block.inputs, task.context_for(classifier)
    if context is not task.context:
        inputs = task.read(np.array(block.rows), classifier)
    return {
        method: task.cells.mean(attribute(method, classifier, inputs, target, context, block.rows).double())
        for method in task.methods
    }


def _similarity(task: FoldTask, own: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {method: rank_correlation(own[method], other[method]).cpu().numpy() for method in task.methods}
