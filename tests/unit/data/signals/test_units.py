"""Units of voltage in the spellings of headers, and sampling rates that differ by rounding."""

import math

import pytest

from eegwf.data.signals.units import microvolts_of, nominal_rate
from tests.helpers.headers import MICRO


@pytest.mark.parametrize(("sign", "codec"), MICRO)
@pytest.mark.parametrize("decoder", ["utf-8", "latin-1", "cp1252"])
def test_the_micro_sign_is_read_in_any_encoding(sign, codec, decoder):
    """The micro sign and the Greek letter, written in one encoding and read in another."""
    written = f"{sign}V".encode(codec)
    assert microvolts_of(written.decode(decoder, errors="replace")) == 1.0


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("uV", 1), ("UV", 1), ("microV", 1), ("microvolts", 1), ("Micro Volt", 1), ("µ V", 1), ("㎶", 1), ("?V", 1),
     ("mV", 1e3), ("millivolt", 1e3), ("V", 1e6), ("Volts", 1e6), ("volt(s)", 1e6), ("nV", 1e-3)],
)  # fmt: skip
def test_units_of_voltage_are_converted(unit, factor):
    assert microvolts_of(unit) == factor


@pytest.mark.parametrize("unit", ["", "n/a", "Ohm", "%", "g", "uS", "µ", "V/s", "uV/Hz", "kV", "pV", "C", "°C", "mmHg"])
def test_other_units_are_not_units_of_voltage(unit):
    assert math.isnan(microvolts_of(unit))


@pytest.mark.parametrize(
    ("sfreq", "nominal"),
    [(128.0001, 128.0), (128 / 0.999999, 128.0), (255.9999, 256.0), (1e6 / 3906.3, 1e6 / 3906.3), (249.9988, 250.0),
     (173.61, 173.61), (173.6101, 173.61), (1024 / 3, 1024 / 3), (341.333, 1024 / 3), (512.033, 512.033),
     (127.99, 127.99), (0.5, 0.5), (1e-6, 1e-6), (199.99999999999997, 200.0)],
)  # fmt: skip
def test_rates_that_differ_by_rounding_are_one_rate(sfreq, nominal):
    assert nominal_rate(sfreq) == nominal
