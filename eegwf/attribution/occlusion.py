"""Occlusion of each cell of channel x band x interval."""

import torch

from eegwf.attribution.attribute import AttributionInput
from eegwf.attribution.target import contrast
from eegwf.training.classifier import CHUNK_BYTES


@torch.no_grad()
def occlusion(given: AttributionInput) -> torch.Tensor:
    """Decrease of the score when a cell gets the values of a background window, divided by the number of its bins.

    Zeiler and Fergus 2014, with background of another patient instead of a gray patch. It needs no gradient,
    and one forward pass for each cell.
    """
    classifier, inputs, target, context = given.classifier, given.inputs, given.target, given.context
    cells = context.cells
    n_cells = cells.n_bins.size
    numbers = torch.arange(n_cells, device=inputs.device).reshape(1, *cells.shape)
    number = cells.expand(numbers)[0]
    size = max(1, min(n_cells, CHUNK_BYTES // (4 * inputs[0].numel())))
    score = contrast(classifier(inputs), target)
    decrease = torch.empty(len(inputs), n_cells, device=inputs.device)
    for index, (window, row) in enumerate(zip(inputs, given.rows, strict=True)):
        background = context.baselines[int(row) % len(context.baselines)].to(window)
        for start in range(0, n_cells, size):
            chunk = torch.arange(start, min(start + size, n_cells), device=inputs.device)
            occluded = torch.where(number == chunk[:, None, None, None], background, window)
            scores = contrast(classifier(occluded), target[index].expand(len(chunk)))
            decrease[index, chunk] = score[index] - scores
    n_bins = torch.from_numpy(cells.n_bins).to(decrease)
    return cells.expand(decrease.unflatten(1, cells.shape) / n_bins)
