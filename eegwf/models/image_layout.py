"""Arrangement of a window's channels as an image of a size that a network accepts, and the mapping back."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

LAYOUTS = ("stacked", "mosaic")


def multiple_of(number: int) -> Callable[[int], int]:
    """Return a function that rounds a length up to a multiple of `number`."""
    return lambda length: -(-length // number) * number


class ImageLayout(nn.Module):
    """Arrange the channels of a window as an image and pad the image; no bin of the input is removed.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window.
    layout
        `stacked`: the channels are the input channels of the image. `mosaic`: the channels are tiled below each other
        in a single input channel, so that the network applies the same weights to all of them.
    height, width
        Functions that return the length required by the network, at least the given one, for the height (`n_freqs`; in
        a mosaic, that of all tiles) and for the width (`n_frames`).
    tile
        Function that returns the required height of a mosaic's tile, so that no patch covers two channels.
    min_size
        Minimum height and width; a smaller image (in a mosaic, a smaller tile) is enlarged by bilinear interpolation.

    Attributes
    ----------
    in_chans
        Number of input channels of the image.
    n_tiles
        Number of tiles: `n_chans` for a mosaic, otherwise 1.
    size
        Height and width of the image.

    Raises
    ------
    ValueError
        If the layout is unknown.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
        layout: str,
        *,
        height: Callable[[int], int] = lambda length: length,
        width: Callable[[int], int] = lambda length: length,
        tile: Callable[[int], int] = lambda length: length,
        min_size: tuple[int, int] = (1, 1),
    ):
        super().__init__()
        if layout not in LAYOUTS:
            raise ValueError(f"unknown layout {layout!r}; expected {' or '.join(LAYOUTS)}")
        self.n_tiles = n_chans if layout == "mosaic" else 1
        self.in_chans = n_chans // self.n_tiles
        self.shape = (n_freqs, n_frames)
        self.enlarged = (max(n_freqs, -(-min_size[0] // self.n_tiles)), max(n_frames, min_size[1]))
        self.tile_height = tile(self.enlarged[0]) if self.n_tiles > 1 else self.enlarged[0]
        self.size = (height(self.n_tiles * self.tile_height), width(self.enlarged[1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return images `(batch, in_chans, *size)` of windows `(batch, n_chans, n_freqs, n_frames)`."""
        if self.enlarged != self.shape:
            x = functional.interpolate(x, size=self.enlarged, mode="bilinear", align_corners=False)
        if self.n_tiles > 1:
            x = functional.pad(x, (0, 0, 0, self.tile_height - self.enlarged[0])).flatten(1, 2)[:, None]
        padding = (0, self.size[1] - x.shape[3], 0, self.size[0] - x.shape[2])
        return functional.pad(x, padding) if any(padding) else x  # a padding of zero length would copy the array

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, height, width)` of the image to `(batch, n_chans, n_freqs, n_frames)` of the window.

        Every bin gets the value of the position that covers it, without interpolation. In a mosaic, each channel has
        the map of its tile; stacked channels have the same map.
        """
        if self.n_tiles > 1 and maps.shape[2] % self.n_tiles == 0 and self.size[0] == self.n_tiles * self.tile_height:
            maps = maps.unflatten(2, (self.n_tiles, -1))[:, 0]
            maps = _resize(maps, (self.tile_height, self.size[1]))
        else:
            maps = _resize(maps, self.size)[:, 0, : self.n_tiles * self.tile_height]
            maps = maps.unflatten(1, (self.n_tiles, self.tile_height))
        maps = _resize(maps[..., : self.enlarged[0], : self.enlarged[1]], self.shape)
        return maps.expand(-1, self.n_tiles * self.in_chans, -1, -1)


def _resize(maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return functional.interpolate(maps, size=size, mode="nearest-exact")
