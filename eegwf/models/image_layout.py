"""A window's spectrograms as one picture of a size that a network takes, and its maps back over the input."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

LAYOUTS = ("stacked", "mosaic")


def multiple_of(number: int) -> Callable[[int], int]:
    """The next multiple of a number from a length on."""
    return lambda length: -(-length // number) * number


class Picture(nn.Module):
    """Lay channels out as a picture and pad it; nothing is ever cut.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window.
    layout
        `stacked`: the channels are the picture's colours. `mosaic`: they are tiled below each other in one colour, so
        that the network looks at all of them with the same weights.
    height, width
        The length, at least as large, that the network wants for a length of `n_freqs` (in a mosaic, of all tiles) and
        `n_times`.
    tile
        In a mosaic, the height a tile wants; so that no patch lies on two channels.
    smallest
        Least height and width; a smaller picture (in a mosaic, a smaller tile) is enlarged bilinearly.

    Raises
    ------
    ValueError
        If there is no such layout.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_times: int,
        layout: str,
        *,
        height: Callable[[int], int] = lambda length: length,
        width: Callable[[int], int] = lambda length: length,
        tile: Callable[[int], int] = lambda length: length,
        smallest: tuple[int, int] = (1, 1),
    ):
        super().__init__()
        if layout not in LAYOUTS:
            raise ValueError(f"layout {layout!r}; there are {' and '.join(LAYOUTS)}")
        self.tiles = n_chans if layout == "mosaic" else 1
        self.in_chans = n_chans // self.tiles
        self.shape = (n_freqs, n_times)
        self.inner = (max(n_freqs, -(-smallest[0] // self.tiles)), max(n_times, smallest[1]))
        self.tile = tile(self.inner[0]) if self.tiles > 1 else self.inner[0]
        self.size = (height(self.tiles * self.tile), width(self.inner[1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pictures `(batch, in_chans, *size)` of windows `(batch, n_chans, n_freqs, n_times)`."""
        if self.inner != self.shape:
            x = functional.interpolate(x, size=self.inner, mode="bilinear", align_corners=False)
        if self.tiles > 1:
            x = functional.pad(x, (0, 0, 0, self.tile - self.inner[0])).flatten(1, 2)[:, None]
        padding = (0, self.size[1] - x.shape[3], 0, self.size[0] - x.shape[2])
        return functional.pad(x, padding) if any(padding) else x  # padding by nothing would copy

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, height, width)` over the picture as maps `(batch, n_freqs, n_times)` over the window.

        Those of a mosaic's tiles are averaged.
        """
        if self.tiles > 1 and maps.shape[2] % self.tiles == 0 and self.size[0] == self.tiles * self.tile:
            # Averaged before enlarging, or neighbours in the mosaic would bleed into each other.
            maps = maps.unflatten(2, (self.tiles, -1)).mean(dim=2)
            maps = _resize(maps, (self.tile, self.size[1]))
        else:
            maps = _resize(maps, self.size)[:, :, : self.tiles * self.tile]
            maps = maps.unflatten(2, (self.tiles, self.tile)).mean(dim=2)
        return _resize(maps[..., : self.inner[0], : self.inner[1]], self.shape)[:, 0]


def _resize(maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)
