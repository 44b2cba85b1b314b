"""Spectra of the wavelets, and the minimum length of windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from eegwf.spectrograms.wavelets import Morlet, Morse, band, check_support, make_wavelet

WAVELETS = [Morlet(4.0), Morlet(6.0), Morse(60**0.5, 3.0), Morse(5.0, 1.0), Morse(9.0, 4.0)]


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_peak_is_1_at_the_center_frequency_and_gain_is_0_below_0_hz(wavelet):
    ratio = np.linspace(-1, 4, 50001)
    gain = wavelet.gain(ratio)
    assert wavelet.gain(1.0) == gain.max() == pytest.approx(1)
    assert ratio[gain.argmax()] == pytest.approx(1, abs=1e-4)
    assert np.all(gain[ratio <= 0] == 0)


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_cycles_determine_the_curvature_of_the_peak(wavelet):
    """-d^2 log g / d (log r)^2 at the peak is P^2 = beta gamma for Morse (Lilly & Olhede 2009), w0^2 for Morlet."""
    h = 1e-4
    curvature = (np.log(wavelet.gain(np.exp([-h, 0, h]))) @ [1, -2, 1]) / h**2
    assert -curvature == pytest.approx(wavelet.cycles**2, rel=1e-4)


def test_morse_agrees_with_the_published_formula():
    """Lilly & Olhede 2009: a w^beta exp(-w^gamma) with a = 2 (e gamma / beta)^(beta / gamma)."""
    gamma, beta = 3.0, 20.0
    w = np.linspace(0.1, 4, 100)
    amplitude = 2 * (np.e * gamma / beta) ** (beta / gamma)
    published = amplitude * w**beta * np.exp(-(w**gamma))
    peak = (beta / gamma) ** (1 / gamma)
    gain = 2 * Morse((beta * gamma) ** 0.5, gamma).gain(w / peak)
    np.testing.assert_allclose(gain, published, rtol=1e-9)


def test_morlet_is_the_fourier_transform_of_its_waveform():
    for ratio in (0.7, 1.0, 1.2):
        wave = quad(lambda u, r=ratio: np.cos(6 * (1 - r) * u) * np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi), -9, 9)[0]
        assert Morlet(6.0).gain(ratio) == pytest.approx(wave, rel=1e-8)


@given(st.sampled_from(WAVELETS), st.floats(1e-6, 0.5))
def test_band_ends_where_the_gain_equals_the_level(wavelet, level):
    low, high = band(wavelet, level)
    assert 0 <= low < 1 < high
    assert wavelet.gain(high) == pytest.approx(level, rel=1e-6)
    # The gain of a Morlet wavelet of few cycles can be above the level down to 0 Hz.
    assert wavelet.gain(low) == pytest.approx(level, rel=1e-6) or (low == 0 and wavelet.gain(1e-9) > level)


def test_invalid_wavelets_are_refused():
    assert make_wavelet("morlet", 6, 3) == Morlet(6.0) and make_wavelet("morse", 7, 3) == Morse(7.0, 3.0)
    for arguments, message in [
        (("mexican", 6.0, 3.0), "wavelet is 'mexican'; expected 'morlet' or 'morse'"),
        (("morlet", 0.0, 3.0), "cycles is 0.0"),
        (("morlet", float("nan"), 3.0), "cycles is nan"),
        (("morse", 6.0, -1.0), "gamma is -1.0"),
    ]:
        with pytest.raises(ValueError, match=message):
            make_wavelet(*arguments)


@given(st.floats(3, 12), st.floats(0.1, 20))
def test_suggested_f_min_works(cycles, f_min):
    wavelet = Morlet(cycles)
    try:
        check_support(wavelet, 256.0, 1024, f_min, 100.0)
    except ValueError as refusal:
        words = str(refusal).replace(",", "").split()
        suggested = float(words[words.index("choose") + 2])
        assert f_min < suggested < 1.02 * 2 * 2**0.5 * cycles / (2 * np.pi * 4)
        check_support(wavelet, 256.0, 1024, suggested, 100.0)
