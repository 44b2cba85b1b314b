"""Controls: maps that contain no information on the classifier."""

import torch

from eegwf.attribution.attribute import AttributionInput
from eegwf.seeds import seed_of

MAX_DB = 300.0
"""Larger values, of imported arrays in another unit, would have no power in single precision."""


def random_map(given: AttributionInput) -> torch.Tensor:
    """Values from 0 to 1 at random, the same ones in all bins of a cell.

    Independent values of the bins would average out over channels, bands and seconds, and leave nothing to compare.
    """
    maps = []
    cells = given.context.cells
    for row in given.rows:
        generator = torch.Generator().manual_seed(seed_of(given.context.seed, "random map", int(row)))
        maps.append(torch.rand(cells.shape, generator=generator))
    return cells.expand(torch.stack(maps)).to(given.inputs.device)


def energy(given: AttributionInput) -> torch.Tensor:
    """Power of the input: of the spectrogram, or the square of the time series; of a correlation, its magnitude."""
    if given.inputs.shape[2] == 1:
        return given.inputs.square()
    power = torch.pow(10.0, given.inputs.clamp(max=MAX_DB) / 10)
    in_decibels = given.context.in_decibels
    return power if in_decibels is None else torch.where(in_decibels[:, None, None], power, given.inputs.abs())
