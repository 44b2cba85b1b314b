"""Controls: maps that contain no information on the classifier."""

from collections.abc import Sequence

import torch

from eegwf.attribution.attribute import Context
from eegwf.seeds import seed_of
from eegwf.training.classifier import Classifier


def random_map(
    classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor, context: Context, rows: Sequence[int]
) -> torch.Tensor:
    """Values from 0 to 1 at random, the same ones in all bins of a cell; arguments as in `attribute`.

    Independent values of the bins would average out over channels, bands and seconds, and leave nothing to compare.
    """
    maps = []
    for row in rows:
        generator = torch.Generator().manual_seed(seed_of(context.seed, "random map", int(row)))
        maps.append(torch.rand(context.cells.shape, generator=generator))
    return context.cells.expand(torch.stack(maps)).to(inputs.device)


def energy(
    classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor, context: Context, rows: Sequence[int]
) -> torch.Tensor:
    """Power of the input: of the spectrogram, or the square of the time series; arguments as in `attribute`."""
    return inputs.square() if inputs.shape[2] == 1 else torch.pow(10.0, inputs / 10)
