"""2,000 randomly changed inputs: each gives a right answer or an error of one line, fast, and nothing is written."""

import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from edfio import Bdf, BdfSignal, Edf, EdfSignal

from eegwf.config.data import Bids, Signals
from eegwf.config.load import load_study
from eegwf.data.event_tables import read_events
from eegwf.data.events import EventRules
from eegwf.data.signals.header import header
from eegwf.data.signals.signal import open_signal
from eegwf.errors import InputError
from tests.helpers.mutations import edf_fields, mutated_edf, mutated_text

pytestmark = pytest.mark.slow
SETTINGS = Signals(montage="as recorded", sfreq="as recorded", l_freq=None)
NAMES = ("Fp1", "F7", "T7")
SFREQ, SECONDS = 64, 6
MICROVOLTS = {"uV": 1.0, "mV": 1e3, "V": 1e6, "nV": 1e-3}
EVENTS = "onset\tduration\teventType\n0\t2\tbckg\n2\t1.5\tsz_foc\n3.5\t2.5\tbckg\n"
VHDR = """Brain Vision Data Exchange Header File Version 1.0

[Common Infos]
Codepage=UTF-8
DataFile=a.eeg
MarkerFile=a.vmrk
DataFormat=BINARY
DataOrientation=MULTIPLEXED
NumberOfChannels=3
SamplingInterval=15625

[Binary Infos]
BinaryFormat=INT_16

[Channel Infos]
Ch1=Fp1,,0.1,µV
Ch2=F7,,0.1,µV
Ch3=T7,,0.1,µV
"""
VMRK = """Brain Vision Data Exchange Marker File, Version 1.0

[Common Infos]
Codepage=UTF-8
DataFile=a.eeg

[Marker Infos]
Mk1=New Segment,,1,1,0,20200101120000000000
Mk2=Stimulus,S  1,100,1,0
"""


def noise():
    return np.random.default_rng(0).normal(0, 30, (len(NAMES), SFREQ * SECONDS)).clip(-150, 150)


def folder_state(folder):
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def answer(call, folder):
    """Result of a call or its error, after checks of the error, the time, and the files."""
    before, started = folder_state(folder), time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call()
    except InputError as error:
        # Errors of a configuration have a line for each key.
        result = error
        assert str(error) and all(len(line) < 2000 for line in str(error).splitlines())
    assert time.monotonic() - started < 10
    assert folder_state(folder) == before
    return result


def read(path):
    """All samples of a recording in microvolts, and the names of its channels."""
    signal = open_signal(path, SETTINGS, None)
    return dict(zip(signal.derivations, signal.read(0, signal.n_times), strict=True))


def plain_name(label: str) -> str:
    """Name of a channel without the words around it, as far as these tests write it."""
    return label.removeprefix("EEG ").removesuffix("-REF")


def stated_samples(content: bytes, width: int):
    """Samples of a file by the formula of the EDF specification, as far as its fields can be read; else None."""
    fields = [content[place].split(b"\0")[0].decode("latin-1").strip() for place in edf_fields(len(NAMES))][10:]
    columns = [fields[number * len(NAMES) : (number + 1) * len(NAMES)] for number in range(10)]
    body = np.frombuffer(content[256 * (len(NAMES) + 1) :], "u1")
    try:
        numbers = [[float(value) for value in columns[number]] for number in (3, 4, 5, 6)]
        counts = [int(value) for value in columns[8]]
        factor = [MICROVOLTS[unit] for unit in columns[2]]
        records = body[: len(body) // (width * sum(counts)) * width * sum(counts)].reshape(-1, sum(counts), width)
    except (KeyError, ValueError, ZeroDivisionError):
        return None
    padded = np.concatenate([np.zeros((*records.shape[:2], 4 - width), "u1"), records], axis=2)
    digital = np.ascontiguousarray(padded).view("<i4")[..., 0] >> (32 - 8 * width)
    found, first = {}, 0
    for number, (label, count) in enumerate(zip(columns[0], counts, strict=True)):
        low, high, digital_low, digital_high = (column[number] for column in numbers)
        values = digital[:, first : first + count].ravel().astype(float)
        first += count
        if digital_high != digital_low:
            scaled = (values - digital_low) * (high - low) / (digital_high - digital_low) + low
            found[plain_name(label)] = scaled * factor[number]
    return found


@pytest.mark.parametrize(("suffix", "width", "seed"), [(".edf", 2, 0), (".edf", 2, 1), (".bdf", 3, 2)])
def test_changed_edf_and_bdf_files(tmp_path, suffix, width, seed):
    kinds = {".edf": (Edf, EdfSignal), ".bdf": (Bdf, BdfSignal)}
    file_class, signal_class = kinds[suffix]
    signals = [
        signal_class(row, SFREQ, label=name, physical_dimension="uV", physical_range=(-200, 200))
        for name, row in zip(NAMES, noise(), strict=True)
    ]
    path = tmp_path / f"a{suffix}"
    file_class(signals).write(path)
    original, n_read = path.read_bytes(), 0
    expected = stated_samples(original, width)
    assert all(np.abs(expected[name] - row).max() < 0.01 for name, row in zip(NAMES, noise(), strict=True))
    rng = np.random.default_rng(seed)
    for _ in range(300):
        content = mutated_edf(original, len(NAMES), rng)
        path.write_bytes(content)
        result = answer(lambda: read(path), tmp_path)
        if isinstance(result, InputError):
            assert "\n" not in str(result) and str(path) in str(result)
            continue
        n_read += 1
        assert all(np.isfinite(row).all() and len(row) for row in result.values())
        expected = stated_samples(content, width)
        for name, row in result.items():
            if expected and name in expected and len(expected[name]) == len(row):
                np.testing.assert_allclose(row, expected[name], rtol=1e-4, atol=1e-4 * np.abs(expected[name]).max())
    assert 50 < n_read < 290


@pytest.mark.parametrize("changed", ["a.vhdr", "a.vmrk"])
def test_changed_brainvision_files(tmp_path, changed):
    (np.round(10 * noise().T)).astype("<i2").tofile(tmp_path / "a.eeg")
    texts = {"a.vhdr": VHDR, "a.vmrk": VMRK}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert np.abs(np.stack(list(read(tmp_path / "a.vhdr").values())) - noise()).max() < 0.1
    rng, n_read = np.random.default_rng(3), 0
    for _ in range(200):
        (tmp_path / changed).write_bytes(mutated_text(texts[changed], rng))
        result = answer(lambda: read(tmp_path / "a.vhdr"), tmp_path)
        if isinstance(result, InputError):
            assert "\n" not in str(result) and "a.v" in str(result)
            continue
        n_read += 1
        assert all(np.isfinite(row).all() for row in result.values())
    assert n_read > 20


def test_changed_event_tables(tmp_path):
    path, rng, n_read = tmp_path / "a_events.tsv", np.random.default_rng(4), 0
    rules = EventRules.of(Bids(kind="bids", root=".", event_types=["bckg", "sz"]))
    for _ in range(400):
        path.write_bytes(mutated_text(EVENTS, rng))
        result = answer(lambda: read_events(path, float(SECONDS), rules, []), tmp_path)
        if isinstance(result, InputError):
            assert "\n" not in str(result) and str(path) in str(result)
            continue
        n_read += 1
        ends = [0.0]
        for event in result:
            assert event.label.startswith(("bckg", "sz")) and ends[-1] - 1e-6 <= event.onset
            ends.append(event.onset + event.duration)
        assert ends[-1] <= SECONDS + 1.0
    assert 20 < n_read < 380


def test_changed_configurations(tmp_path, root):
    text = Path(root / "config/full.yaml").read_text(encoding="utf-8")
    path, rng, n_read = tmp_path / "mine.yaml", np.random.default_rng(5), 0
    for _ in range(500):
        path.write_bytes(mutated_text(text, rng))
        result = answer(lambda: load_study(root / "config/config.yaml", [path]), tmp_path)
        if isinstance(result, InputError):
            assert "mine.yaml" in str(result) or "config.yaml" in str(result)
        else:
            n_read += 1
    assert 20 < n_read < 480


def test_header_alone_gives_the_answer_of_the_samples(tmp_path):
    """What the header reader accepts, the check calls ready."""
    signals = [
        EdfSignal(row, SFREQ, label=name, physical_dimension="uV") for name, row in zip(NAMES, noise(), strict=True)
    ]
    path = tmp_path / "a.edf"
    Edf(signals).write(path)
    original, rng = path.read_bytes(), np.random.default_rng(6)
    for _ in range(200):
        path.write_bytes(mutated_edf(original, len(NAMES), rng))
        by_header = answer(lambda: header(path), tmp_path)
        by_samples = answer(lambda: read(path), tmp_path)
        if isinstance(by_header, InputError):
            assert isinstance(by_samples, InputError)
