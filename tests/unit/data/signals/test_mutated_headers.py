"""Headers with random errors: the recording is read, or refused with one line."""

import random
import time

import pytest

from eegwf.config.data import Signals
from eegwf.data.signals.signal import open_signal
from eegwf.errors import InputError
from tests.helpers.headers import noise, write_brainvision, write_edf

SETTINGS = (
    Signals(montage="as recorded", sfreq="as recorded", l_freq=None),
    Signals(montage="as recorded", missing="interpolate", flat="interpolate", sfreq=100.0),
)
TEXTS = (
    b"", b"\0", b"-1", b"-", b"0", b"nan", b"inf", b"1e300", b"1e-300", b"9" * 8, b"\xff\xfe", "²".encode(), b"=", b",",
    b"\r\n", b"[Comment]", b"UTF-16",
)  # fmt: skip
DATA = noise(seconds=3)


def mutate(content, rng, insert):
    """Replace some bytes of the header by others, or by texts that mean something in one."""
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5])):
        position = rng.randrange(min(len(content), 1024))
        text = rng.choice(TEXTS) if rng.random() < 0.7 else bytes([rng.randrange(256)])
        removed = rng.choice([0, 1, 3, 10]) if insert and rng.random() < 0.5 else len(text)
        content[position : position + removed] = text
    return bytes(content)


@pytest.mark.filterwarnings("ignore:overflow encountered")  # a physical maximum of 1e300
@pytest.mark.parametrize("kind", ["edf", "bdf", "vhdr", "vmrk"])
def test_mutated_headers_are_read_or_refused_with_one_line(tmp_path, kind):
    rng = random.Random(kind)
    text = kind in ("vhdr", "vmrk")
    path = (write_brainvision if text else write_edf)(tmp_path / f"a.{'vhdr' if text else kind}", DATA)
    mutated = path.with_suffix(f".{kind}")
    valid, outcomes = mutated.read_bytes(), set()
    before = sorted(tmp_path.iterdir())
    for _ in range(150):
        mutated.write_bytes(mutate(valid, rng, insert=text))
        start = time.monotonic()
        for settings in SETTINGS:
            try:
                signal = open_signal(path, settings)
                assert signal.read(0, min(signal.n_times, 1000)).shape[0] == len(signal.derivations)
                outcomes.add("read")
            except InputError as error:
                assert str(error).startswith(str(tmp_path)) and "\n" not in str(error)
                outcomes.add("refused")
        assert time.monotonic() - start < 10
    # No error of the markers prevents the reading of a recording.
    assert outcomes == ({"read"} if kind == "vmrk" else {"read", "refused"})
    assert sorted(tmp_path.iterdir()) == before
