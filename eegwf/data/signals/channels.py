"""Canonical names of the electrodes of the 10-20 and 10-10 systems, and their parser."""

import re
from dataclasses import dataclass, field

EARS = ("A1", "A2", "M1", "M2")

_ROWS = {
    "Fp": "1 z 2",
    "AF": "9 7 5 3 1 z 2 4 6 8 10",
    "F": "9 7 5 3 1 z 2 4 6 8 10",
    "FT": "9 7 8 10",
    "FC": "5 3 1 z 2 4 6",
    "T": "9 7 8 10 1 2",
    "C": "5 3 1 z 2 4 6",
    "TP": "9 7 8 10",
    "CP": "5 3 1 z 2 4 6",
    "P": "9 7 5 3 1 z 2 4 6 8 10",
    "PO": "9 7 5 3 1 z 2 4 6 8 10",
    "O": "1 z 2 9 10",
    "I": "1 z 2",
    "N": "z",
    "A": "1 2",
    "M": "1 2",
}
ELECTRODES = tuple(row + position for row, positions in _ROWS.items() for position in positions.split())

# Names of the 10-20 system before 1991.
_OLD_NAMES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
_CANONICAL = {name.upper(): name for name in ELECTRODES} | _OLD_NAMES
_REFERENCES = {
    "REF", "LE", "AR", "AVG", "AV", "AVE", "AVERAGE", "CAR", "RE", "LER", "G2", "CS2", "A1A2", "A1+A2", "M1M2", "M1+M2",
}  # fmt: skip
_PREFIX = re.compile(r"^(EEG|POL)(?=[\s_:-])[\s_:-]+", re.IGNORECASE)
_COPY_NUMBER = re.compile(r"-\d+$")
_DASH = re.compile(r"\s*[-–—_:]\s*")


@dataclass(frozen=True)
class Channel:
    """A referential channel (an electrode against the recording's reference) or a bipolar channel (two electrodes).

    Attributes
    ----------
    anode
        Canonical name of the electrode (`T7` for `T3`).
    cathode
        Canonical name of the second electrode of a bipolar channel; None for a referential one.
    reference
        Name of the reference of a referential channel, in capitals; "" if the channel name has none. Ignored when
        channels are compared.
    """

    anode: str
    cathode: str | None = None
    reference: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.anode if self.cathode is None else f"{self.anode}-{self.cathode}"


def parse_channel(name: str) -> Channel | None:
    """Parse a channel name as an electrode or a pair of electrodes.

    Case, the prefix `EEG`, the names of before 1991 (`T3`, or both as in `T3/T7`), the number of a copy of a channel
    (`T8-P8-0`) and trailing dots are ignored; the reference (`-REF`, `-LE`, ...) is kept apart.

    Parameters
    ----------
    name
        Name of the channel in the file.

    Returns
    -------
    Channel or None
        None for a channel that is not a scalp or ear electrode: ECG, EOG, respiration, markers, placeholders such as
        `-`.
    """
    name = without_copy_number(_PREFIX.sub("", name.strip()))
    parts = [part.strip(" .").upper() for part in _DASH.split(name)]
    if not parts or any(not part for part in parts) or len(parts) > 2:
        return None
    if len(parts) == 1:
        words = parts[0].split()
        if len(words) == 2 and words[1] in _REFERENCES:
            parts = words
    anode = _electrode(parts[0], paired=len(parts) == 2)
    if anode is None:
        return None
    if len(parts) == 1:
        return Channel(anode)
    if parts[1] in _REFERENCES:
        return Channel(anode, reference=parts[1])
    cathode = _electrode(parts[1], paired=True)
    if cathode is None or cathode == anode:
        return None
    return Channel(anode, cathode)


def without_copy_number(name: str) -> str:
    """Remove the number that some programs append to copies of a channel (`T8-P8-0`)."""
    return _COPY_NUMBER.sub("", name.strip())


def _electrode(text: str, paired: bool) -> str | None:
    if paired and text in ("01", "02"):  # a zero in place of the letter O, as in parts of CHB-MIT
        text = "O" + text[1]
    names = {_CANONICAL.get(part.strip()) for part in text.split("/")}
    return names.pop() if len(names) == 1 else None
