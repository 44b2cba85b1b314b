"""EDF, BDF and BrainVision files written field by field, with headers that no library writes."""

import numpy as np

SFREQ = 128
NAMES = ("Fp1", "F7", "T7")
LABEL, UNIT, PHYSICAL, DIGITAL, LENGTH = 0, 2, (3, 4), (5, 6), 8  # columns of a signal's fields
WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
# Spellings of the micro sign and of the Greek letter mu, and encodings that have them.
MICRO = [
    *(("\u00b5", codec) for codec in ("utf-8", "latin-1", "cp1252", "cp1253", "cp437", "cp850", "mac_roman")),
    *(("\u03bc", codec) for codec in ("utf-8", "cp1253", "shift_jis", "gbk", "euc_kr")),
]


def noise(n_chans=3, seconds=10, seed=0):
    """White noise of 30 microvolts, at most 180."""
    return np.random.default_rng(seed).normal(0, 30, (n_chans, seconds * SFREQ)).clip(-180, 180)


def padded(value, width):
    """A header field: text or bytes padded with blanks."""
    content = value if isinstance(value, bytes) else str(value).encode("latin-1")
    return content.ljust(width)[:width]


def write_edf(path, data, labels=NAMES, unit="uV", fields=(), n_records=None, length="1", rates=None, main=()):
    """Write an EDF or BDF file with a physical range from -200 to 200.

    `fields` has values for (column, signal), `main` for the position of a field of the header's first 256 bytes, and
    `rates` the samples of each signal in a data record.
    """
    bdf = path.suffix.lower() == ".bdf"
    low, high = (-8388608, 8388607) if bdf else (-32768, 32767)
    rates = rates or [SFREQ] * len(data)
    digital = [np.round((row + 200) / 400 * (high - low) + low).clip(low, high).astype("<i4") for row in data]
    signals = [[label, "", unit, -200, 200, low, high, "", rate, ""] for label, rate in zip(labels, rates, strict=True)]
    for (column, signal), value in dict(fields).items():
        signals[signal][column] = value
    written = len(digital[0]) // rates[0]
    head = [padded(b"\xffBIOSEMI" if bdf else "0", 8), padded("X X X X", 80), padded("Startdate X X X X", 80)]
    head += [padded("01.01.85", 8), padded("00.00.00", 8), padded(256 * (len(signals) + 1), 8), padded("", 44)]
    head += [padded(written if n_records is None else n_records, 8), padded(length, 8), padded(len(signals), 4)]
    content = bytearray(b"".join(head))
    for position, value in dict(main).items():
        content[position : position + len(value)] = value
    for column, width in enumerate(WIDTHS):
        content += b"".join(padded(signal[column], width) for signal in signals)
    for record in range(written):
        for row, rate in zip(digital, rates, strict=True):
            block = row[record * rate : (record + 1) * rate]
            content += block.view("u1").reshape(-1, 4)[:, :3].tobytes() if bdf else block.astype("<i2").tobytes()
    path.write_bytes(content)
    return path


def write_brainvision(
    path, data, unit="µV", encoding="utf-8", codepage="UTF-8", names=NAMES, data_name=None, data_key=None,
    marker_key="", markers=("Mk1=New Segment,,1,1,0,20190101000000000000",), resolution="", changes=(), dtype="<f4",
):  # fmt: skip
    """Write a BrainVision recording; `changes` replaces lines of the header, by the text before the `=`."""
    lines = {"Codepage": codepage, "DataFile": data_key or data_name or path.with_suffix(".eeg").name}
    lines |= {"MarkerFile": marker_key or path.with_suffix(".vmrk").name, "DataFormat": "BINARY"}
    lines |= {"DataOrientation": "MULTIPLEXED", "NumberOfChannels": len(data), "SamplingInterval": 1e6 / SFREQ}
    lines |= {"[Binary Infos]": None, "BinaryFormat": "IEEE_FLOAT_32", "UseBigEndianOrder": "NO"}
    lines |= {"[Channel Infos]": None}
    lines |= {f"Ch{number}": f"{name},,{resolution},{unit}" for number, name in enumerate(names, start=1)}
    lines |= dict(changes)
    text = ["Brain Vision Data Exchange Header File Version 1.0", "; a comment", "[Common Infos]"]
    text += [key if value is None else f"{key}={value}" for key, value in lines.items()]
    path.write_bytes(("\r\n".join([*text, "[Comment]", "free = text [x]"]) + "\r\n").encode(encoding))
    (path.parent / (data_name or path.with_suffix(".eeg").name)).write_bytes(data.T.astype(dtype).tobytes())
    text = ["Brain Vision Data Exchange Marker File, Version 1.0", "[Common Infos]", f"Codepage={codepage}"]
    path.with_suffix(".vmrk").write_bytes("\r\n".join([*text, "[Marker Infos]", *markers]).encode(encoding))
    return path


def set_record_onsets(path, onsets):
    """Turn an EDF+C file into an EDF+D file whose data records begin at the given seconds, and have no annotations."""
    content = bytearray(path.read_bytes())
    assert content[192:197] in (b"EDF+C", b"EDF+D")
    content[192:197] = b"EDF+D"
    n_signals, begin = int(content[252:256]), int(content[184:192])
    labels = [bytes(content[256 + 16 * index :][:16]).strip() for index in range(n_signals)]
    sizes = [2 * int(content[256 + 216 * n_signals + 8 * index :][:8]) for index in range(n_signals)]
    column = labels.index(b"EDF Annotations")
    for record, onset in enumerate(onsets):
        start = begin + record * sum(sizes) + sum(sizes[:column])
        annotation = (b"+" * (onset >= 0)) + b"%s\x14\x14" % str(onset).encode()
        assert len(annotation) < sizes[column]
        content[start : start + sizes[column]] = annotation.ljust(sizes[column], b"\0")
    path.write_bytes(content)
    return path
