"""Canonical names of the electrodes of the 10-20 and 10-10 systems, and their parser."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
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
# References in capitals: of amplifiers (REF, REF1, VREF of EGI nets), averages, ears and mastoids, alone or linked
# (LE, LER, CLE of MASS, A1/A2), and those of single devices (G2, CS2).
_REFERENCE = re.compile(
    r"V?REF\d*|(?:AVG?|AVE|AVERAGE|CAR|COMMON|C)?[ -]?REF|AVG?|AVE|AVERAGE|CAR|C?LER?|AR|RE|AA|LM|G2|CS2"
    r"|\(?A1 ?[+/,&]? ?A2\)?(?:/2)?|\(?M1 ?[+/,&]? ?M2\)?(?:/2)?"
)
_PREFIX = re.compile(r"^(EEG|POL)(?=[\s_:-])[\s_:-]+", re.IGNORECASE)
_COPY_NUMBER = re.compile(r"-(\d+)$")
# Names of electrodes of nets and grids: BioSemi A1 to H32, EGI E1 to E256, and strips and depth electrodes.
_NUMBERED = re.compile(r"([A-H])\d{1,3}")
_MIN_NET = 4  # names of a net that are no electrodes of the 10-10 system, in a file without any other electrode
_MIN_SERIES = 2  # such names of one letter, in any file
_DASH = re.compile(r"\s*[-\u2010-\u2015\u2212_:]\s*")  # hyphens, dashes and the minus sign of Unicode


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


def parse_channel(name: str, references: Collection[str] = ()) -> Channel | None:
    """Parse a channel name as an electrode or a pair of electrodes.

    Case, the prefix `EEG`, the names of before 1991 (`T3`, or both as in `T3/T7`), the number of a copy of a channel
    (`T8-P8-0`) and trailing dots are ignored; the reference (`-REF`, `-LE`, ...) is kept apart. In pairs, O1 and O2 may
    be written with a zero (`P7-01`).

    Parameters
    ----------
    name
        Name of the channel in the file.
    references
        Names of references besides the known ones.

    Returns
    -------
    Channel or None
        None for a channel that is not a scalp or ear electrode: ECG, EOG, respiration, markers, placeholders such as
        `-`.
    """
    return _channel(_parts(name, references), references)


def _channel(parts: Sequence[str], references: Collection[str]) -> Channel | None:
    """The channel of an electrode, and of a reference or a second electrode."""
    if not parts or any(not part for part in parts) or len(parts) > 2:
        return None
    anode = _electrode(parts[0], paired=len(parts) == 2)
    if anode is None:
        return None
    if len(parts) == 1:
        return Channel(anode)
    if _is_reference(parts[1], references):
        return Channel(anode, reference=parts[1])
    cathode = _electrode(parts[1], paired=True)
    if cathode is None or cathode == anode:
        return None
    return Channel(anode, cathode)


def parse_channels(
    names: Sequence[str], references: Collection[str] = (), net: Mapping[str, str] | None = None
) -> tuple[Channel | None, ...]:
    """Parse the channel names of a recording.

    The electrodes of some nets have names that are also those of other electrodes in the 10-10 system: `A1`, `A2`,
    `C1` to `C6` and `F1` to `F10`. They are told apart by the other names of the recording.

    Parameters
    ----------
    names
        Names of all channels in the file.
    references
        As in `parse_channel`.
    net
        Electrode of the 10-10 system for electrodes of the net of the study.

    Returns
    -------
    tuple of Channel or None
        As of `parse_channel`, but for an electrode of a net, grid or strip that of the 10-10 system, or None if `net`
        does not contain it.
    """
    net = net or {}
    parts_of = [_parts(name, references) for name in names]
    channels = [_channel(parts, references) for parts in parts_of]
    numbered = [{part: part[0] for part in parts if _NUMBERED.fullmatch(part)} for parts in parts_of]
    foreign = {part: letter for parts in numbered for part, letter in parts.items() if part not in _CANONICAL}
    if len(foreign) >= _MIN_NET and not any(map(_is_other_electrode, channels, numbered)):
        letters = set("ABCDEFGH")
    else:
        letters = {letter for letter, count in Counter(foreign.values()).items() if count >= _MIN_SERIES}
    for row, parts in enumerate(parts_of):
        if letters.intersection(numbered[row].values()):
            electrodes = [net.get(_without_zeros(part), "") if part in numbered[row] else part for part in parts]
            channels[row] = _channel([part.upper() for part in electrodes], references)
    return tuple(channels)


def reference_of(name: str, references: Collection[str] = ()) -> str:
    """Determine the reference in a channel name of any electrode.

    Parameters
    ----------
    name
        Name of the channel in the file.
    references
        Names of references besides the known ones.

    Returns
    -------
    str
        A known reference or an electrode, in capitals; "" if the name has none.
    """
    parts = _parts(name, references)
    if len(parts) != 2:
        return ""
    return parts[1] if _is_reference(parts[1], references) else (_electrode(parts[1], paired=True) or "").upper()


def _is_reference(text: str, references: Collection[str]) -> bool:
    """Whether a part of a channel name, in capitals, is a reference."""
    return bool(_REFERENCE.fullmatch(text)) or text in {
        "-".join(_split(without_copy_number(name))) for name in references
    }


def _without_zeros(name: str) -> str:
    """The electrode `E1` for `E001`."""
    return f"{name[0]}{int(name[1:])}"


def _is_other_electrode(channel: Channel | None, numbered: dict[str, str]) -> bool:
    """Whether a channel has an electrode whose name no net has."""
    return channel is not None and not numbered


def _parts(name: str, references: Collection[str]) -> list[str]:
    """Electrode, and reference or second electrode, of a channel name in capitals."""
    parts = _split(without_copy_number(_PREFIX.sub("", name.strip())))
    if len(parts) == 1:
        words = parts[0].split(maxsplit=1)
        return words if len(words) == 2 and _is_reference(words[1], references) else parts
    reference = "-".join(parts[1:])
    return [parts[0], reference] if len(parts) > 2 and _is_reference(reference, references) else parts


def _split(name: str) -> list[str]:
    """Parts of a name between dashes, in capitals."""
    return [part.strip(" .").upper() for part in _DASH.split(name)]


def without_copy_number(name: str) -> str:
    """Remove the number that some programs append to copies of a channel (`T8-P8-0`).

    Parameters
    ----------
    name
        Name of the channel.

    Returns
    -------
    str
        `P7-01` and `P7-02` remain as they are: they are pairs with O1 and O2, written with a zero.
    """
    name = name.strip()
    match = _COPY_NUMBER.search(name)
    if match is None:
        return name
    rest = name[: match.start()]
    electrode = _electrode(_PREFIX.sub("", rest).strip(" .").upper(), paired=False)
    return name if match[1] in ("01", "02") and electrode is not None else rest


def _electrode(text: str, paired: bool) -> str | None:
    if paired and text in ("01", "02"):  # a zero in place of the letter O, as in parts of CHB-MIT
        text = "O" + text[1]
    names = {_CANONICAL.get(part.strip()) for part in text.split("/")}
    return names.pop() if len(names) == 1 else None
