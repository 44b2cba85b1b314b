"""`eegwf check`: highest frequency of the spectrograms if recordings of different sampling rates are resampled."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.signal import resample_poly

from eegwf.checks.findings import Findings
from eegwf.checks.inputs import PASSBAND, check_grids
from eegwf.dag.flow_reading import read_flow


@pytest.fixture
def edge(root):
    """Warnings about `f_max` for recordings of these rates."""

    def warnings(sfreq, rates, f_max):
        flow = read_flow(root / "config/config.yaml", [], {"spectrograms": {"mel": {"f_max": f_max}}})
        findings = Findings()
        check_grids(flow, sfreq, round(sfreq * flow.study.windows.length), rates, findings)
        return findings.warnings

    return warnings


@pytest.mark.parametrize(
    ("sfreq", "rates", "highest"),
    [
        # The lower of the recorded rate and that of the study, times 0.43.
        (256, {256, 512}, 110),
        (256, {256, 250}, 107.5),
        (256, {250, 400, 1000}, 107.5),
        (256, {512, 1000}, 110),
        (256, {200, 256}, 86),
        (128, {128, 256}, 55),
        # If all recordings have one rate, no model can tell them apart by it.
        (256, {200}, 100),
        (256, {512}, 128),
        (256, {256}, 128),
        (128, {128, 128.0001}, 64),
    ],
)
def test_f_max_near_the_edge_of_the_resampling_is_a_warning(edge, sfreq, rates, highest):
    assert edge(sfreq, rates, highest) == []
    if highest < sfreq / 2:
        (warning,) = edge(sfreq, rates, highest + 0.5)
        assert f"spectrograms.mel.f_max: {highest + 0.5:g} Hz, but" in warning
        assert warning.endswith(f"choose f_max: {highest:g} or lower")


@pytest.mark.parametrize(("recorded", "target"), [(512, 256), (250, 256), (1000, 256), (200, 256), (256, 128)])
def test_resampling_changes_frequencies_below_the_highest_by_less_than_four_tenths_of_a_decibel(recorded, target):
    """Sines, resampled by SciPy: 0.43 of the lower rate is within 0.4 dB, 0.49 is not within 2 dB."""
    times = np.arange(40 * recorded) / recorded
    ratio = Fraction(target, recorded)

    def change(fraction):
        wave = np.sin(2 * np.pi * fraction * min(recorded, target) * times)
        resampled = resample_poly(wave, ratio.numerator, ratio.denominator)[5 * target : -5 * target]
        return abs(20 * np.log10(resampled.std() * np.sqrt(2)))

    assert change(PASSBAND) < 0.4 and change(0.3) < 0.05 and change(0.49) > 2
