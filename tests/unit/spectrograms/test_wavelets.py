"""Wavelets by their spectra, and the windows that are too short for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from eegwf.spectrograms.wavelets import Morlet, Morse, band, check_support, make_wavelet

WAVELETS = [Morlet(4.0), Morlet(6.0), Morse(60**0.5, 3.0), Morse(5.0, 1.0), Morse(9.0, 4.0)]


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_the_peak_is_1_at_the_centre_and_nothing_is_left_of_0(wavelet):
    ratio = np.linspace(-1, 4, 50001)
    gain = wavelet.gain(ratio)
    assert wavelet.gain(1.0) == gain.max() == pytest.approx(1)
    assert ratio[gain.argmax()] == pytest.approx(1, abs=1e-4)
    assert np.all(gain[ratio <= 0] == 0)


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_cycles_are_the_sharpness_of_the_peak(wavelet):
    """-d^2 log g / d (log r)^2 at the peak is P^2 = beta gamma for Morse (Lilly & Olhede 2009), w0^2 for Morlet."""
    h = 1e-4
    curvature = (np.log(wavelet.gain(np.exp([-h, 0, h]))) @ [1, -2, 1]) / h**2
    assert -curvature == pytest.approx(wavelet.cycles**2, rel=1e-4)


def test_morse_is_the_published_formula():
    """Lilly & Olhede 2009: a w^beta exp(-w^gamma) with a = 2 (e gamma / beta)^(beta / gamma)."""
    gamma, beta = 3.0, 20.0
    w = np.linspace(0.1, 4, 100)
    amplitude = 2 * (np.e * gamma / beta) ** (beta / gamma)
    published = amplitude * w**beta * np.exp(-(w**gamma))
    peak = (beta / gamma) ** (1 / gamma)
    found = 2 * Morse((beta * gamma) ** 0.5, gamma).gain(w / peak)
    np.testing.assert_allclose(found, published, rtol=1e-9)


def test_morlet_is_the_transform_of_its_wave():
    for ratio in (0.7, 1.0, 1.2):
        wave = quad(lambda u, r=ratio: np.cos(6 * (1 - r) * u) * np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi), -9, 9)[0]
        assert Morlet(6.0).gain(ratio) == pytest.approx(wave, rel=1e-8)


@given(st.sampled_from(WAVELETS), st.floats(1e-6, 0.5))
def test_a_band_ends_where_the_gain_falls_to_the_level(wavelet, level):
    low, high = band(wavelet, level)
    assert 0 <= low < 1 < high
    assert wavelet.gain(high) == pytest.approx(level, rel=1e-6)
    # A Morlet wavelet of few cycles may not fall so low before 0 Hz.
    assert wavelet.gain(low) == pytest.approx(level, rel=1e-6) or (low == 0 and wavelet.gain(1e-9) > level)


def test_what_is_no_wavelet_is_refused():
    assert make_wavelet("morlet", 6, 3) == Morlet(6.0) and make_wavelet("morse", 7, 3) == Morse(7.0, 3.0)
    for arguments, words in [
        (("mexican", 6.0, 3.0), "'mexican' is neither 'morlet' nor 'morse'"),
        (("morlet", 0.0, 3.0), "cycles 0.0"),
        (("morlet", float("nan"), 3.0), "cycles nan"),
        (("morse", 6.0, -1.0), "gamma -1.0"),
    ]:
        with pytest.raises(ValueError, match=words):
            make_wavelet(*arguments)


@given(st.floats(3, 12), st.floats(0.1, 20))
def test_the_lowest_frequency_that_is_offered_works(cycles, f_min):
    wavelet = Morlet(cycles)
    try:
        check_support(wavelet, 256.0, 1024, f_min, 100.0)
    except ValueError as refusal:
        words = str(refusal).replace(",", "").split()
        offered = float(words[words.index("choose") + 2])
        assert f_min < offered < 1.02 * 2 * 2**0.5 * cycles / (2 * np.pi * 4)
        check_support(wavelet, 256.0, 1024, offered, 100.0)
