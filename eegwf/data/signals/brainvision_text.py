"""Samples of BrainVision recordings in the format ASCII."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from eegwf.data.signals.samples import Samples
from eegwf.errors import InputError


@dataclass(frozen=True)
class TextSamples(Samples):
    """Samples of the channels of a data file in ASCII, which is loaded as a whole.

    Attributes
    ----------
    path
        The data file.
    vectorized
        Whether a line has all samples of a channel, not all channels of a sample.
    skip_lines, skip_columns
        Lines at the beginning of the file, and cells at the beginning of each line, that are not samples.
    scales
        Resolution of each channel in microvolts; in the unit of the file if it is not a unit of voltage.
    """

    path: Path
    vectorized: bool
    skip_lines: int
    skip_columns: int
    scales: tuple[float, ...]

    @property
    def n_times(self) -> int:
        """Samples of each channel."""
        return self._values().shape[1]

    def _read(self, columns: list[int], start: int, stop: int) -> np.ndarray:
        return self._values()[columns, start:stop] * np.array(self.scales)[columns, np.newaxis]

    def _values(self) -> np.ndarray:
        modified = self.path.stat().st_mtime_ns
        values = _load(self.path, modified, self.skip_lines, self.skip_columns)
        values = values if self.vectorized else values.T
        if len(values) != len(self.scales):
            raise InputError(
                f"{self.path}: {len(values)} channels, but its header has {len(self.scales)}; export it again, in the "
                "format BINARY"
            )
        return values


@lru_cache(maxsize=1)
def _load(path: Path, _modified: int, skip_lines: int, skip_columns: int) -> np.ndarray:
    """Numbers in the lines of a file, with decimal points or commas."""
    lines = path.read_bytes().decode("latin-1").splitlines()[skip_lines:]
    rows = [(number, line.strip()) for number, line in enumerate(lines, start=skip_lines + 1) if line.strip()]
    # A comma separates cells only if neither blanks nor semicolons do.
    separator = r"[\s;]+" if any(re.search(r"[\s;]", line) for _, line in rows[:1]) else r","
    values: list[list[float]] = []
    for number, line in rows:
        cells = re.split(separator, line)[skip_columns:]
        try:
            values.append([float(cell.replace(",", ".")) for cell in cells])
        except ValueError as error:
            raise InputError(f"{path}, line {number}: {error}; export it again, in the format BINARY") from None
        if len(values[-1]) != len(values[0]):
            raise InputError(
                f"{path}, line {number}: {len(values[-1])} cells, {len(values[0])} expected; fetch or export it again"
            )
    return np.array(values, dtype=float).reshape(len(values), -1)
