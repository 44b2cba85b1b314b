"""Recordings of EEGLAB, FIF, GDF, CNT, Persyst and Nihon Kohden, written field by field or by SciPy and MNE.

Each function writes samples in microvolts and returns the path of the recording; the values that it stores are those
of `quantized`, so that they are read without a difference in all formats.
"""

import gzip
import struct
import warnings

import numpy as np
from scipy.io import savemat

SFREQ = 128
NAMES = ("Fp1", "F7", "T7")
# Microvolts of a digital unit.
STEP = 0.25


def quantized(n_chans=3, seconds=10, seed=0):
    """Noise of 30 microvolts in steps of `STEP`, which 16 bits and float32 hold exactly."""
    data = np.random.default_rng(seed).normal(0, 30, (n_chans, seconds * SFREQ)).clip(-180, 180)
    return np.round(data / STEP) * STEP


def write_set(path, samples, names=NAMES, sfreq=SFREQ, fdt=None, nested=True, events=(), trials=1, types=None,
              compress=False, **fields):  # fmt: skip
    """Write an EEGLAB file; `fdt`: the name of its data file, `nested`: fields in a struct `EEG`."""
    n_chans, n_times = samples.shape[0], int(np.prod(samples.shape[1:])) // trials
    kinds = types or [""] * len(names)
    chanlocs = np.array([(name, kind) for name, kind in zip(names, kinds, strict=True)],
                        dtype=[("labels", object), ("type", object)])  # fmt: skip
    eeg = {
        "setname": "a", "nbchan": float(n_chans), "trials": float(trials), "pnts": float(n_times),
        "srate": float(sfreq), "xmin": 0.0, "xmax": (n_times - 1) / sfreq, "chanlocs": chanlocs,
        "data": fdt or samples.astype("f4"),
        "event": np.array([tuple(event) for event in events],
                          dtype=[("type", object), ("latency", float), ("duration", float)]),
    }  # fmt: skip
    eeg |= fields
    savemat(path, {"EEG": eeg} if nested else eeg, appendmat=False, do_compression=compress)
    if fdt:
        path.with_name(fdt).write_bytes(samples.reshape(n_chans, -1).T.astype("<f4").tobytes())
    return path


def raw_of(data, names=NAMES, sfreq=SFREQ, types="eeg", first_samp=0, date=None):
    import mne

    info = mne.create_info(list(names), sfreq, types)
    raw = mne.io.RawArray(data * 1e-6, info, first_samp=first_samp, verbose="ERROR")
    raw.set_meas_date(date)
    return raw


def write_fif(path, data, **options):
    """Write a FIF file; options as of `raw_of`, and those of `Raw.save`."""
    saving = {
        key: options.pop(key) for key in ("split_size", "split_naming", "fmt", "buffer_size_sec") if key in options
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw_of(data, **options).save(path, verbose="ERROR", overwrite=True, **saving)
    return path


def write_gdf(path, data, names=NAMES, version="2.20", codes=None, units=None, lengths=None, types=None, events=(),
              limits=(-8191.75, 8191.75), sfreq=SFREQ):  # fmt: skip
    """Write a GDF file of version 1 or 2 in records of one second; events are positions from 1, and types."""
    n, old = len(data), float(version) < 1.9
    lengths = lengths or [sfreq] * n
    types = types or [3] * n
    size = 256 * (n + 1)
    records = data.shape[1] // lengths[0]
    if old:
        head = f"GDF {version}".encode().ljust(8) + b"X X".ljust(160) + b"2020010112000000" + struct.pack("<q", size)
        head = head.ljust(236, b"\0") + struct.pack("<qIII", records, 1, 1, n)
    else:
        head = f"GDF {version}".encode().ljust(8) + b"X X".ljust(66) + bytes(14) + b" " * 64 + bytes(32)
        head = head.ljust(184, b"\0") + struct.pack("<H", size // 256)
        head = head.ljust(236, b"\0") + struct.pack("<qIIHH", records, 1, 1, n, 0)
    head += b"".join(name.encode().ljust(16) for name in names) + b" " * 80 * n
    if old:
        head += b"".join(unit.encode().ljust(8) for unit in units or ["uV"] * n)
    else:
        head += b" " * 6 * n + struct.pack(f"<{n}H", *(codes or [4275] * n))
    head += struct.pack(f"<{2 * n}d", *[limits[0]] * n, *[limits[1]] * n)
    digital = [-32767] * n + [32767] * n
    head += struct.pack(f"<{2 * n}q", *digital) if old else struct.pack(f"<{2 * n}d", *map(float, digital))
    head += (b" " if old else b"\0") * 80 * n
    head += struct.pack(f"<{n}i", *lengths) + struct.pack(f"<{n}I", *types) + bytes(32 * n)
    assert len(head) == size
    gain = (limits[1] - limits[0]) / 65534
    integers = np.round(data / gain).clip(-32768, 32767).astype("<i2")
    body = b"".join(
        integers[row, record * length : (record + 1) * length].tobytes()
        for record in range(records)
        for row, length in enumerate(lengths)
    )
    number = struct.pack("<I", len(events))
    rate = struct.pack("<I", sfreq)[:3]
    table = b"\1" + (rate + number if float(version) < 1.94 else number[:3] + struct.pack("<f", sfreq))
    table += struct.pack(f"<{len(events)}I", *(position for position, _ in events))
    table += struct.pack(f"<{len(events)}H", *(kind for _, kind in events))
    path.write_bytes(head + body + table)
    return path


def write_cnt(path, data, names=NAMES, width=2, events=(), block=1, n_samples=None, sfreq=SFREQ):
    """Write a Neuroscan file; events are samples and marks (14: discontinuity)."""
    n, n_times = data.shape
    start = 900 + 75 * n
    table = start + n * n_times * width
    head = bytearray(start)
    head[:12] = b"Version 3.0\0"
    head[225:245] = b"01/01/20\0\0" + b"12:00:00\0\0"
    struct.pack_into("<H", head, 370, n)
    struct.pack_into("<H", head, 376, sfreq)
    struct.pack_into("<i", head, 864, n_times if n_samples is None else n_samples)
    struct.pack_into("<i", head, 886, table)
    struct.pack_into("<i", head, 894, block * width if block > 1 else 0)
    for index, name in enumerate(names):
        position = 900 + 75 * index
        head[position : position + len(name)] = name.encode()
        struct.pack_into("<f", head, position + 59, 204.8)
        struct.pack_into("<f", head, position + 71, STEP)
    integers = np.round(data / STEP).astype(f"<i{width}")
    blocks = [integers[:, first : first + block] for first in range(0, n_times, block)]
    body = b"".join((part if block > 1 else part.T).tobytes() for part in blocks)
    marks = b"".join(struct.pack("<HBBi", 0, 0, mark << 4, start + sample * n * width) for sample, mark in events)
    path.write_bytes(bytes(head) + body + struct.pack("<Bii", 1, len(marks), 0) + marks)
    return path


def write_persyst(path, data, names=NAMES, kind=0, times=(), header_length=0, changes=(), numbers=None, sfreq=SFREQ):
    """Write a Persyst recording; `changes` replaces lines of the layout, by the text before the `=`."""
    lines = {"[FileInfo]": None, "File": path.with_suffix(".dat").name, "FileType": "Interleaved"}
    lines |= {"SamplingRate": sfreq, "HeaderLength": header_length, "Calibration": STEP, "WaveformCount": len(data)}
    lines |= {"DataType": kind, "[ChannelMap]": None}
    lines |= {f"{name}-Ref": number for name, number in zip(names, numbers or range(1, len(data) + 1), strict=True)}
    lines |= (
        {"[SampleTimes]": None} | dict(times) | {"[Patient]": None, "First": "X", "Sex": "", "TestDate": "01/01/2020"}
    )
    lines |= {"TestTime": "12:00:00", "BirthDate": "01/01/80", "Hand": "", "[Comments]": None}
    lines |= dict(changes)
    text = [str(key) if value is None else f"{key}={value}" for key, value in lines.items()]
    path.write_text("\r\n".join([*text, "1.5,0,0,100,a comment, with = and ,", ""]))
    body = np.round(data / STEP).T.astype("<i4" if kind == 7 else "<i2").tobytes()
    path.with_suffix(".dat").write_bytes(bytes(header_length) + body)
    return path


# Codes of Nihon Kohden for electrodes: positions in its table.
CODES = {"Fp1": 0, "F7": 10, "T7": 12}
NIHON_STEP = (3199.902 + 3200) / 65535


def write_nihon(path, data, codes=(0, 10, 12), pauses=(), device=b"EEG-1100C V01.00", names=None, sfreq=SFREQ):
    """Write a Nihon Kohden recording of one block, or of several with (samples, seconds of pause before the next)."""
    n, seconds = len(data), 0.0
    parts, first = [], 0
    for length, pause in [*pauses, (data.shape[1] - sum(length for length, _ in pauses), 0)]:
        parts.append((data[:, first : first + length], seconds))
        first += length
        seconds += length / sfreq + pause
    content = bytearray(0x1800)
    content[:16] = content[0x81:0x91] = device
    content[0x17FE] = 1
    content[0x91] = 1
    control = 0x400
    struct.pack_into("<I", content, 0x92, control)
    content[control + 17] = len(parts)
    for index, (part, onset) in enumerate(parts):
        struct.pack_into("<I", content, control + 18 + 20 * index, len(content))
        block = bytearray(0x27 + 10 * n)
        clock = (0x20, 0x01, 0x01, 0x12, *(int(f"{value:02d}", 16) for value in divmod(round(onset), 60)))
        block[0x14:0x1A] = bytes(clock)
        struct.pack_into("<HI", block, 0x1A, 0xC000 | sfreq, round(part.shape[1] / sfreq * 10))
        block[0x26] = n
        for row, code in enumerate(codes):
            block[0x27 + 10 * row] = code
        digital = np.round((part + 3200) / NIHON_STEP).clip(0, 65535)
        mark = np.zeros((1, part.shape[1]))
        content += block + np.concatenate([digital, mark]).T.astype("<u2").tobytes()
    path.write_bytes(content)
    if names is not None:
        lines = [f"{code:04d}={name}" for code, name in zip(codes, names, strict=True)]
        path.with_suffix(".21E").write_text("\n".join(["[ELECTRODE]", *lines, ""]))
    return path


def write_gz(path, source):
    """Compress a file."""
    path.write_bytes(gzip.compress(source.read_bytes()))
    return path
