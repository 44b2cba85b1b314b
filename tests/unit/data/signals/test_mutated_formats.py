"""Randomly changed recordings of the formats that MNE reads: samples of the declared size, or an error of one line."""

import time
import warnings

import numpy as np
import pytest

from eegwf.data.signals.header import header
from eegwf.errors import InputError
from tests.helpers.headers import noise, write_edf
from tests.helpers.mne_files import (
    NAMES,
    quantized,
    write_cnt,
    write_fif,
    write_gdf,
    write_gz,
    write_nihon,
    write_persyst,
    write_set,
)

pytestmark = pytest.mark.slow
N_CHANGES = 100
EVENTS = [("boundary", 129.5, 64.0), ("x", 400.0, 0.0)]


def packed_edf(path, _):
    return write_gz(path, write_edf(path.with_suffix(""), noise()))


# Writer, suffix, options, and the bytes at the beginning and at the end in which changes are made.
CHANGED = {
    "set": (write_set, ".set", {"events": EVENTS}, 6000, 0),
    "set-fields": (write_set, ".set", {"events": EVENTS, "nested": False}, 1200, 1500),
    "set-packed": (write_set, ".set", {"events": EVENTS, "compress": True}, 700, 100),
    "set-fdt": (write_set, ".set", {"events": EVENTS, "fdt": "a_eeg.fdt"}, 4000, 0),
    "fif": (write_fif, ".fif", {}, 4000, 500),
    "fif-gz": (write_fif, ".fif.gz", {}, 500, 20),
    "gdf1": (write_gdf, ".gdf", {"version": "1.25", "events": [(641, 0x7FFE)]}, 1024, 20),
    "gdf2": (write_gdf, ".gdf", {"events": [(641, 0x7FFE)]}, 1024, 20),
    "cnt": (write_cnt, ".cnt", {"events": [(128, 14)]}, 1125, 17),
    "cnt-blocks": (write_cnt, ".cnt", {"block": 40}, 1125, 9),
    "nihon": (write_nihon, ".eeg", {"names": NAMES, "pauses": [(256, 3)]}, 0x1850, 0),
    "persyst": (write_persyst, ".lay", {"times": {0: 5.0, 640: 30.0}}, 500, 0),
    "edf-gz": (packed_edf, ".edf.gz", {}, 600, 20),
}


def changed(content, generator, begin, end):
    """Content with a few bytes or a whole number replaced, removed or repeated, where headers and tables are."""
    content = bytearray(content)
    places = [*range(min(begin, len(content))), *range(len(content) - end, len(content))]
    for _ in range(generator.integers(1, 4)):
        place, kind = int(generator.choice(places)), generator.integers(4)
        if kind == 0:
            content[place] = generator.integers(256)
        elif kind == 1:
            number = int(generator.choice([0, -1, 1, 2**31 - 1, -(2**31), 65535, 10**6]))
            content[place : place + 4] = number.to_bytes(4, str(generator.choice(["little", "big"])), signed=True)
        elif kind == 2:
            content[place] ^= 1 << int(generator.integers(8))
        else:
            length = int(generator.integers(1, 40))
            content[place : place + length] = content[place : place + length] * int(generator.integers(0, 3))
        places = [place for place in places if place < len(content)]
    return bytes(content)


@pytest.mark.parametrize("name", CHANGED)
def test_changed_recordings_are_read_or_refused(tmp_path, name):
    write, suffix, options, begin, end = CHANGED[name]
    path = write(tmp_path / f"a_eeg{suffix}", quantized(), **options) if options else write(
        tmp_path / f"a_eeg{suffix}", quantized()
    )  # fmt: skip
    content, generator = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(N_CHANGES):
        path.write_bytes(changed(content, generator, begin, end))
        started = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                head = header(path)
            columns = [column for column in head.eeg if not head.faults[column]]
            n_times = min(head.n_times, 100_000)
            with np.errstate(all="ignore"):
                values = head.samples.read(columns, 0, n_times)
            assert values.shape == (len(columns), n_times) and head.stretches[-1].stop == head.n_times
            assert all(stretch.start < stretch.stop for stretch in head.stretches)
        except InputError as error:
            refused += 1
            assert str(error) and "\n" not in str(error) and len(str(error)) < 2000
        assert time.monotonic() - started < 10
    assert 0 < refused < N_CHANGES
