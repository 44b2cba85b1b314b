"""Content of binary files at given positions, and what the checks of it find."""

import struct
from dataclasses import dataclass
from pathlib import Path

from eegwf.errors import InputError


@dataclass(frozen=True)
class FileCheck:
    """What a check found in a file, besides errors.

    Attributes
    ----------
    edges
        Samples at which a new part begins after a pause.
    pauses
        Length of the pause before each of them in seconds; 0 if it is not known.
    units
        Unit of each channel; empty if that is MNE's.
    scales
        Factor from MNE's value to microvolts, or to the unit if it is not one of voltage; empty for 1e6.
    faults
        For each channel the reason why it can't be used; empty if all can.
    block
        Samples of a channel that are stored together, at whose multiples MNE can begin to read.
    notes
        Peculiarities of the file.
    """

    edges: tuple[int, ...] = ()
    pauses: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    scales: tuple[float, ...] = ()
    faults: tuple[str, ...] = ()
    block: int = 1
    notes: tuple[str, ...] = ()


class FileContent:
    """Bytes and numbers at positions of a file, with an error if it ends before them.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    size
        Its size in bytes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size

    def read(self, position: int, n_bytes: int, what: str = "its header") -> bytes:
        """Read bytes.

        Parameters
        ----------
        position
            First byte.
        n_bytes
            Number of bytes.
        what
            What they are, for the error.

        Returns
        -------
        bytes

        Raises
        ------
        InputError
            If the file ends before their end.
        """
        self.require(position + n_bytes, what)
        with open(self.path, "rb") as file:
            file.seek(position)
            return file.read(n_bytes)

    def take(self, position: int, code: str) -> tuple:
        """Read numbers of the header.

        Parameters
        ----------
        position
            First byte.
        code
            Types of the numbers, as `struct` has them.

        Returns
        -------
        tuple

        Raises
        ------
        InputError
            If the file ends before their end.
        """
        return struct.unpack(code, self.read(position, struct.calcsize(code)))

    def require(self, size: int, what: str) -> None:
        """Refuse a file that is too short.

        Parameters
        ----------
        size
            Bytes that it must have.
        what
            What ends there.

        Raises
        ------
        InputError
            If it is shorter.
        """
        if size > self.size:
            raise InputError(
                f"{self.path}: cut off: {what} would end at byte {size}, the file has {self.size}; fetch or export it "
                "again"
            )
