"""Signals of recordings: every segment agrees with the whole recording processed by MNE and SciPy."""

import tracemalloc
from itertools import pairwise

import mne
import numpy as np
import pytest
from edfio import Edf, EdfAnnotation, EdfSignal
from scipy.signal import resample_poly

from eegwf.config.data import Signals
from eegwf.data.signals.filters import Resampling
from eegwf.data.signals.montage import ELECTRODES19, MONTAGES
from eegwf.data.signals.signal import FlatChannels, common_derivations, header, open_signal
from eegwf.errors import InputError

NAMES = ELECTRODES19.split()
PLAIN = Signals(montage="as recorded", sfreq="as recorded", l_freq=None)


def brownian(n_chans, n_times, seed=0):
    """Create random walks in microvolts, with a different offset in each channel."""
    steps = np.random.default_rng(seed).normal(0, 3, size=(n_chans, n_times))
    return np.cumsum(steps, axis=1) + 40.0 * np.arange(n_chans)[:, np.newaxis]


def edf(path, data, sfreq, names=NAMES, unit="uV", record=1, annotations=None):
    """Write an EDF file of 16-bit samples; data (n_chans, n_times) in `unit`."""
    signals = [
        EdfSignal(row, sfreq, label=name, physical_dimension=unit, physical_range=(-4000, 4000))
        for name, row in zip(names, data, strict=False)
    ]
    Edf(signals, annotations=annotations, data_record_duration=record).write(path)
    return path


def loaded(path):
    """Samples of the file in microvolts, rounded to 16 bits when they were written."""
    return mne.io.read_raw_edf(path, preload=True, verbose="ERROR").get_data() * 1e6


def blocks(signal, edges):
    edges = [0, *edges, signal.n_times]
    return np.concatenate([signal.read(a, b) for a, b in pairwise(edges)], axis=1)


@pytest.mark.parametrize("sfreq", [250, 512, 200])
def test_every_segment_agrees_with_the_whole_recording(tmp_path, sfreq):
    """Reference: MNE's filters and SciPy's polyphase resampling; within 1e-4 uV apart from the ends."""
    path = edf(tmp_path / "a.edf", brownian(3, 90 * sfreq), sfreq)
    settings = Signals(montage="as recorded", sfreq=256.0, l_freq=0.5, h_freq=70.0, notch=[50.0])
    signal = open_signal(path, settings)
    assert (signal.sfreq, signal.n_times, signal.duration) == (256.0, 90 * 256, 90.0)
    x = mne.filter.filter_data(loaded(path), sfreq, 0.5, 70.0, verbose="ERROR")
    x = mne.filter.notch_filter(x, sfreq, [50.0], verbose="ERROR")
    ratio = Resampling.between(sfreq, 256)
    x = resample_poly(x, ratio.up, ratio.down, axis=1)
    read = blocks(signal, [1, 700, 701, 5000, 5003, 16384, 20000])
    assert read.dtype == np.float32 and read.shape == x.shape
    middle = slice(10 * 256, -10 * 256)
    assert np.abs(read[:, middle] - x[:, middle]).max() < 1e-4
    # The division into segments makes no difference, also at the ends.
    assert np.abs(read - signal.read(0, signal.n_times)).max() < 1e-4


@pytest.mark.parametrize(
    "settings", [{"l_freq": 0.5}, {"h_freq": 40.0, "l_freq": None}, {"l_freq": 1.0, "h_freq": 30.0}]
)
@pytest.mark.parametrize("seconds", [60, 4])
def test_the_ends_are_padded_as_by_mne(tmp_path, settings, seconds):
    """Without resampling, all samples agree with `filter_data` of MNE, even if the filter is longer than the signal."""
    path = edf(tmp_path / "a.edf", brownian(2, seconds * 256), 256)
    signal = open_signal(path, Signals(montage="as recorded", sfreq="as recorded", **settings))
    whole = mne.filter.filter_data(
        loaded(path), 256.0, settings["l_freq"], settings.get("h_freq"), pad="reflect_limited", verbose="ERROR"
    )
    assert np.abs(blocks(signal, [100, 101, 900]) - whole).max() < 1e-4


@pytest.mark.parametrize(
    ("recorded", "target"), [(250, 256), (512, 256), (500, 256), (256, 200), (100, 256), (173.61, 256)]
)
def test_resampling_agrees_with_scipy(recorded, target):
    """Segments within the signal agree with `scipy.signal.resample_poly`."""
    n_times = 4000
    x = np.random.default_rng(1).normal(size=(2, n_times))
    ratio = Resampling.between(recorded, target)
    assert ratio.up / ratio.down == pytest.approx(target / recorded, rel=1e-7)
    whole = resample_poly(x, ratio.up, ratio.down, axis=1)
    assert ratio.n_times(n_times) == whole.shape[1]
    for start, stop in [(300, 301), (500, 1200), (777, 1100)]:
        first, last = ratio.input_range(start, stop)
        assert np.allclose(ratio.apply(x[:, first:last], start, stop), whole[:, start:stop], atol=1e-10)


def test_as_recorded_keeps_the_samples(tmp_path):
    path = edf(tmp_path / "a.edf", brownian(19, 2560), 256)
    signal = open_signal(path, PLAIN)
    assert signal.derivations == NAMES and signal.sfreq == 256.0
    assert np.allclose(signal.read(0, 2560), loaded(path), atol=1e-4)


def test_derivations_of_a_real_recording(data_root):
    """Differences of the recorded electrodes, in microvolts."""
    path = data_root / "helsinki/sub-01/eeg/sub-01_task-sz_eeg.edf"
    raw = mne.io.read_raw_edf(path, preload=True, verbose="ERROR")
    x = raw.get_data(units="uV")
    index = raw.ch_names.index
    signal = open_signal(path, Signals(montage="tcp20", sfreq="as recorded", l_freq=None))
    assert signal.derivations == list(MONTAGES["tcp20"]) and signal.flat == []
    read = signal.read(1000, 2000)
    row = signal.derivations.index("T7-C3")
    assert np.allclose(read[row], (x[index("EEG T3-REF")] - x[index("EEG C3-REF")])[1000:2000], atol=1e-4)
    assert 1 < read.std() < 200


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1.0), ("mV", 1e3), ("UV", 1.0), ("V", 1e6)])
def test_units_of_voltage_are_converted_to_microvolts(tmp_path, unit, factor):
    data = brownian(1, 1024)
    path = edf(tmp_path / "a.edf", data, 256, ["Fp1"], unit)
    assert np.allclose(open_signal(path, PLAIN).read(0, 1024), data * factor, atol=0.07 * factor)


@pytest.mark.parametrize("unit", ["", "Ohm"])
def test_units_other_than_voltage_are_refused(tmp_path, unit):
    path = edf(tmp_path / "a.edf", brownian(2, 1024), 256, ["Fp1", "F7"], unit)
    with pytest.raises(InputError, match=f"unit of 'Fp1' is '{unit}', not a unit of voltage"):
        open_signal(path, PLAIN)


def test_other_channels_have_no_influence(tmp_path):
    """An ECG with a higher rate and an oximeter change neither the rate nor the samples."""
    x = brownian(3, 2560)
    rows = [
        (x[0], 256, "EEG Fp1"),
        (np.zeros(10240), 1024, "ECG"),
        (np.full(10, 97.0), 1, "SpO2"),
        (x[1], 256, "EEG F7"),
    ]
    signals = [
        EdfSignal(row, rate, label=name, physical_dimension="uV", physical_range=(-4000, 4000))
        for row, rate, name in rows
    ]
    Edf(signals, annotations=[EdfAnnotation(1.0, None, "eyes open")]).write(tmp_path / "a.edf")
    head = header(tmp_path / "a.edf")
    assert (head.sfreq, head.n_times, head.names) == (256.0, 2560, ("EEG Fp1", "ECG", "SpO2", "EEG F7"))
    assert np.allclose(open_signal(head.path, PLAIN).read(250, 520), x[:2, 250:520], atol=0.07)


def test_eeg_channels_of_different_rates_are_refused(tmp_path):
    rows = [(np.zeros(2560), 256, "Fp1"), (np.zeros(1280), 128, "F7")]
    Edf(
        [EdfSignal(row, rate, label=name, physical_dimension="uV", physical_range=(-1, 1)) for row, rate, name in rows]
    ).write(tmp_path / "a.edf")
    with pytest.raises(InputError, match="different sampling rates: 'Fp1' 256 Hz, 'F7' 128 Hz"):
        open_signal(tmp_path / "a.edf", PLAIN)


def test_duplicate_channels_are_refused_unless_identical(tmp_path, data_root):
    """Identical channels with the same name are used once."""
    x = brownian(2, 1024)
    names = ["T8-P8", "P8-O2", "T8-P8"]
    same = edf(tmp_path / "same.edf", x[[0, 1, 0]], 256, names)
    assert open_signal(same, PLAIN).derivations == ["T8-P8", "P8-O2"]
    x = x[[0, 1, 0]]
    x[2, 700] += 50
    with pytest.raises(InputError, match=r"duplicated channel T8-P8: .*\(channels 1 and 3\) differ at 2\.734 s"):
        open_signal(edf(tmp_path / "other.edf", x, 256, names), PLAIN)
    with pytest.raises(InputError, match="duplicated channel T7: 'T3' and 'T7'"):
        open_signal(edf(tmp_path / "names.edf", x[[0, 0]], 256, ["T3", "T7"]), PLAIN)
    # The samples of these files are noise, so that the two channels T8-P8 of their real headers differ.
    with pytest.raises(InputError, match="duplicated channel T8-P8"):
        open_signal(data_root / "mini_edf/chbmit/chb05/chb05_01.edf", Signals(montage="banana18"))


def test_flat_channels_are_kept_excluded_or_interpolated(tmp_path):
    x = brownian(19, 2560)
    x[NAMES.index("C3")] = 12.0
    path = edf(tmp_path / "a.edf", x, 256)
    settings = {"montage": "tcp20", "sfreq": "as recorded", "l_freq": None}
    kept = open_signal(path, Signals(**settings))
    assert kept.flat == ["C3"]
    with pytest.raises(FlatChannels, match="flat from start to end: C3"):
        open_signal(path, Signals(**settings, flat="exclude"))
    interpolated = open_signal(path, Signals(**settings, flat="interpolate"))
    assert interpolated.flat == ["C3"] and interpolated.derivations == kept.derivations
    row = interpolated.derivations.index("C3-Cz")
    raw = mne.io.RawArray(loaded(path), mne.create_info(NAMES, 256.0, "eeg"), verbose="ERROR")
    raw.set_montage(mne.channels.make_standard_montage("colin27_1020"))
    raw.info["bads"] = ["C3"]
    raw.interpolate_bads(verbose="ERROR")
    assert np.allclose(interpolated.read(0, 2560)[row], np.subtract(*raw.get_data(picks=["C3", "Cz"])), atol=1e-3)
    # A channel that the montage does not use may be flat.
    unused = edf(tmp_path / "b.edf", np.vstack([brownian(19, 2560), np.zeros((1, 2560))]), 256, [*NAMES, "FC1"])
    assert open_signal(unused, Signals(**settings, flat="exclude")).flat == []
    # A flat pair is not interpolated from pairs that do not determine it.
    pairs = edf(tmp_path / "c.edf", np.vstack([np.zeros((1, 2560)), x[:1]]), 256, ["Fp1-F7", "F7-T7"])
    with pytest.raises(InputError, match="Fp1-F7 can't be computed from the other channels"):
        open_signal(pairs, Signals(**(settings | {"montage": "as recorded"}), flat="interpolate"))


def test_missing_electrodes_are_refused_interpolated_or_excluded(tmp_path):
    path = edf(tmp_path / "a.edf", brownian(18, 1024), 256, [name for name in NAMES if name != "C3"])
    with pytest.raises(
        InputError, match="missing for montage tcp20: T7-C3, C3-Cz, F3-C3, C3-P3; EEG channels found: Fp1, F3"
    ):
        open_signal(path, Signals(montage="tcp20"))
    assert len(open_signal(path, Signals(montage="tcp20", missing="interpolate")).derivations) == 20
    assert len(open_signal(path, Signals(montage="tcp20", missing="exclude")).derivations) == 16
    none = edf(tmp_path / "b.edf", np.zeros((2, 1024)), 256, ["ECG", "SpO2"])
    with pytest.raises(InputError, match="no EEG channel among ECG, SpO2"):
        open_signal(none, PLAIN)


def test_common_derivations_of_recordings_with_different_channels(tmp_path):
    heads = [
        header(edf(tmp_path / f"{missing}.edf", np.zeros((18, 256)), 256, [name for name in NAMES if name != missing]))
        for missing in ("C3", "O2")
    ]
    common = common_derivations(heads, Signals(montage="tcp20", missing="exclude"))
    assert common == [name for name in MONTAGES["tcp20"] if "C3" not in name and "O2" not in name]
    with pytest.raises(InputError, match=r"C3\.edf: missing for montage tcp20: T7-C3"):
        common_derivations(heads, Signals(montage="tcp20"))
    with pytest.raises(InputError, match=r"O2\.edf: channels differ from .*C3\.edf: O2 only in .*C3\.edf; C3 only in"):
        common_derivations(heads, PLAIN)
    shared = [name for name in NAMES if name not in ("C3", "O2")]
    assert common_derivations(heads, Signals(montage="as recorded", missing="exclude")) == shared
    assert common_derivations(heads[:1], PLAIN) == [name for name in NAMES if name != "C3"]
    assert common_derivations(heads, Signals(montage="tcp20", missing="interpolate")) == list(MONTAGES["tcp20"])
    pair = header(edf(tmp_path / "p.edf", np.zeros((1, 256)), 256, ["Fz-Cz"]))
    with pytest.raises(InputError, match=r"p\.edf: no derivation is common to all recordings"):
        common_derivations([heads[0], pair], Signals(montage="tcp20", missing="exclude"))
    # The average is computed over the electrodes of the study.
    names = common_derivations(heads, Signals(montage="average", missing="exclude"))
    assert names == [f"{name}-Avg" for name in shared]


def test_filters_outside_the_recorded_band_are_refused(tmp_path):
    path = edf(tmp_path / "a.edf", brownian(2, 1000), 100)
    for settings, message in [({"h_freq": 60.0}, r"h_freq 60 Hz .* 100 Hz"), ({"notch": [49.5]}, r"notch 49\.5 Hz")]:
        with pytest.raises(InputError, match=message):
            open_signal(path, Signals(montage="as recorded", **settings))


def test_segments_outside_the_recording_are_refused(tmp_path):
    signal = open_signal(edf(tmp_path / "a.edf", brownian(1, 2560), 256), PLAIN)
    assert signal.read(5, 5).shape == (1, 0)
    for start, stop in [(-1, 5), (5, 2561), (6, 5)]:
        with pytest.raises(ValueError, match="stretch"):
            signal.read(start, stop)


def test_memory_is_bounded(tmp_path):
    """Three hours of four channels occupy 84 MiB; opening and reading them takes less than 50 MB."""
    path = edf(tmp_path / "a.edf", np.tile(brownian(4, 256 * 60), 180), 256, annotations=[EdfAnnotation(5, 1, "x")])
    tracemalloc.start()
    signal = open_signal(path, Signals(montage="as recorded", sfreq=200.0))
    for start in range(0, signal.n_times, 200 * 600):
        signal.read(start, start + 200 * 60)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert signal.n_times == 3 * 3600 * 200 and peak < 50e6
