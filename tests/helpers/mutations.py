"""Random changes of valid inputs, from a seed."""

import numpy as np

TEXTS = (
    *("", " ", "0", "-1", "1", "2", "-0", "nan", "inf", "-inf", "1e400", "1e-400", "99999999", "0.999999", "1,5"),
    *("n/a", "None", "uV", "µV", "μV", "mV", "V", "degC", "EDF+D", "EDF+C", "BIOSEMI", "Fp1", "EEG Fp1-REF", "\0\0\0"),
    *("Fp1\0\0", "é", "\t", "\n", "'", '"', "-200", "200", "32767", "-32768", "8388607", "1 000", "0x10", "[]", "{}"),
)
# Width of each field of an EDF header for the whole file, and for each signal.
FILE_FIELDS = (8, 80, 80, 8, 8, 8, 44, 8, 8, 4)
SIGNAL_FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)


def edf_fields(n_signals: int) -> list[slice]:
    """Places of the fields of an EDF or BDF header."""
    widths = [*FILE_FIELDS, *(width for width in SIGNAL_FIELDS for _ in range(n_signals))]
    ends = np.cumsum(widths)
    return [slice(int(end) - width, int(end)) for end, width in zip(ends, widths, strict=True)]


def mutated_edf(content: bytes, n_signals: int, rng: np.random.Generator) -> bytes:
    """Change one to three fields, or bytes anywhere, or the length of an EDF or BDF file.

    Parameters
    ----------
    content
        A valid file.
    n_signals
        Number of its signals.
    rng
        Source of the changes.

    Returns
    -------
    bytes
        The changed file.
    """
    changed = bytearray(content)
    kind = rng.random()
    if kind < 0.75:
        fields = edf_fields(n_signals)
        for _ in range(rng.integers(1, 4)):
            place = fields[rng.integers(len(fields))]
            width = place.stop - place.start
            if rng.random() < 0.7:
                text = TEXTS[rng.integers(len(TEXTS))].encode("utf-8" if rng.random() < 0.5 else "latin-1", "replace")
            else:
                text = rng.bytes(width)
            changed[place] = text[:width].ljust(width, b"\0" if rng.random() < 0.2 else b" ")
    elif kind < 0.9:
        for position in rng.integers(0, 256 * (n_signals + 1), rng.integers(1, 12)):
            changed[position] = rng.integers(256)
    elif kind < 0.97:
        del changed[rng.integers(len(changed)) :]
    else:
        changed += rng.bytes(rng.integers(1, 2000))
    return bytes(changed)


def mutated_text(text: str, rng: np.random.Generator) -> bytes:
    """Change lines and cells of a text, or its encoding.

    Parameters
    ----------
    text
        A valid text.
    rng
        Source of the changes.

    Returns
    -------
    bytes
        The changed text.
    """
    lines = text.split("\n")
    for _ in range(rng.integers(1, 4)):
        number = int(rng.integers(len(lines)))
        kind = rng.random()
        if kind < 0.15:
            del lines[number]
            lines = lines or [""]
        elif kind < 0.3:
            lines.insert(number, lines[rng.integers(len(lines))])
        elif kind < 0.85 and lines[number]:
            separator = next((mark for mark in ("\t", "=", ":", ",") if mark in lines[number]), " ")
            cells = lines[number].split(separator)
            cells[rng.integers(len(cells))] = TEXTS[rng.integers(len(TEXTS))]
            lines[number] = separator.join(cells)
        else:
            line = list(lines[number] or " ")
            line[rng.integers(len(line))] = chr(rng.integers(1, 1024))
            lines[number] = "".join(line)
    encoding = ("utf-8", "utf-8-sig", "utf-16", "latin-1")[rng.choice(4, p=[0.8, 0.08, 0.06, 0.06])]
    content = "\n".join(lines).encode(encoding, "replace")
    if rng.random() < 0.05:
        content = content[: rng.integers(len(content) + 1)]
    return content
