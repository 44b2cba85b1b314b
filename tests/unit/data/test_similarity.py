"""Similar recordings of different patients in two folds: copies are found, unrelated recordings are not."""

import numpy as np
import pandas as pd
import pytest
from scipy.signal import butter, resample_poly, sosfiltfilt

from eegwf.data import similarity
from eegwf.data.leakage import check_leakage
from eegwf.data.signals.header import header
from eegwf.data.similarity import compare_recordings, slow_signal
from eegwf.errors import InputError

SFREQ, LENGTH, STEP = 128.0, 4, 2


def background(seed, n_chans=6, seconds=60):
    """Noise whose power decreases with frequency, as that of EEG."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=(n_chans, round(seconds * SFREQ))))
    spectrum /= np.maximum(np.arange(spectrum.shape[1]), 20.0)
    signal = np.fft.irfft(spectrum)
    return 30 * signal / signal.std()


def study_of(signals, sfreq=SFREQ, step=STEP):
    """Windows, folds and samples of one recording for each patient, each in a fold of its own."""
    rows, samples = [], []
    for number, signal in enumerate(signals, start=1):
        for onset in np.arange(0, signal.shape[1] / sfreq - LENGTH + 1e-9, step):
            start = round(onset * sfreq)
            rows.append([f"sub-{number}_eeg", f"sub-{number}", onset, float(LENGTH)])
            samples.append(signal[:, start : start + round(LENGTH * sfreq)])
    windows = pd.DataFrame(rows, columns=["recording", "patient", "onset", "duration"])
    windows.insert(0, "window", range(len(windows)))
    patients = [f"sub-{number}" for number in range(1, len(signals) + 1)]
    folds = pd.DataFrame({"patient": patients, "fold": range(1, len(signals) + 1)})
    return windows, folds, np.stack(samples).astype(np.float16)


def copies(signal, sfreq):
    """Exports of a recording that have no sample in common with it."""
    n = round(5.37 * sfreq)
    return {
        "gain and polarity": -1.7 * signal,
        "quantization": np.round(signal / 2) * 2,
        "another rate": resample_poly(resample_poly(signal, 125, 128, axis=1), 128, 125, axis=1),
        "filter": sosfiltfilt(butter(2, [1.5, 25], "band", fs=sfreq, output="sos"), signal, axis=1),
        "later start": signal[:, n:],
        "first half": signal[:, : signal.shape[1] // 2] * 1.01,
        "middle": np.concatenate([background(99, len(signal), 40)[:, :n], 1.1 * signal[:, n : 6 * n]], axis=1),
    }


@pytest.mark.parametrize("kind", copies(background(0), SFREQ))
def test_copies_of_a_recording_are_leaks(kind):
    signals = [background(1), background(2), background(3), copies(background(2), SFREQ)[kind]]
    with pytest.raises(InputError, match=r"leak: sub-\d_eeg looks like a copy of sub-\d_eeg .* `patients:`") as error:
        check_leakage(*study_of(signals), SFREQ)
    assert {"sub-2", "sub-4"} <= set(str(error.value).replace("?", "").split())


def test_shift_of_a_copy_is_named():
    signals = [background(1), background(2), 1.1 * background(1)[:, round(8 * SFREQ) :]]
    with pytest.raises(InputError, match=r"sub-3_eeg looks like a copy of sub-1_eeg \(similarity 0.99, .* 8.00 s\)"):
        check_leakage(*study_of(signals), SFREQ)


def test_unrelated_recordings_pass_and_the_largest_similarity_is_recorded():
    windows, folds, samples = study_of([background(seed) for seed in range(8)])
    check = check_leakage(windows, folds, samples, SFREQ)["checks"][-1]
    assert check["check"] == "similar recordings in two folds" and check["leaks"] == 0
    assert check["examined"] == "28 pairs of recordings" and 0 < check["largest_similarity"] < 0.4
    assert len(check_leakage(windows, folds, samples)["checks"]) == 3, "spectrograms have no time to compare"


def test_a_copy_passes_within_a_fold_as_one_patient_and_above_the_limit():
    windows, folds, samples = study_of([background(1), background(2), 1.1 * background(1)])
    with pytest.raises(InputError, match=r"the limit is 0\.9"):
        check_leakage(windows, folds, samples, SFREQ, 0.9)
    assert check_leakage(windows, folds, samples, SFREQ, 1.0)["passed"]
    assert check_leakage(windows, folds.assign(fold=[1, 2, 1]), samples, SFREQ)["passed"]
    joined = windows.assign(patient=windows["patient"].replace("sub-3", "sub-1"))
    assert check_leakage(joined, folds[:2], samples, SFREQ)["passed"]


def test_recordings_of_few_channels_need_a_higher_similarity():
    noise = background(5, n_chans=2)
    signals = [background(1, n_chans=2), background(2, n_chans=2), background(1, n_chans=2) + 0.9 * noise]
    check = check_leakage(*study_of(signals), SFREQ)["checks"][-1]
    assert check["limit"] == 0.75 and 0.5 < check["largest_similarity"] < 0.75


def test_flat_and_short_recordings_are_not_similar():
    flat = [np.zeros((6, 60 * 128)), np.zeros((6, 60 * 128)), background(1)]
    assert check_leakage(*study_of(flat), SFREQ)["checks"][-1]["largest_similarity"] == 0
    short = [background(1)[:, : 12 * 128], background(2), 1.1 * background(1)[:, : 12 * 128]]
    assert check_leakage(*study_of(short), SFREQ)["checks"][-1]["largest_similarity"] < 0.5
    one = study_of([background(1)])
    assert check_leakage(*one, SFREQ)["checks"][-1]["largest_similarity"] is None


def test_windows_with_gaps_between_them_are_compared():
    windows, folds, samples = study_of([background(1), background(2), -1.1 * background(1)], step=6)
    with pytest.raises(InputError, match="looks like a copy"):
        check_leakage(windows, folds, samples, SFREQ)


def test_of_many_recordings_only_those_of_equal_duration_are_compared(monkeypatch):
    monkeypatch.setattr(similarity, "MAX_PAIRS", 5)
    signals = [background(seed, seconds=40 + 4 * seed) for seed in range(4)]
    windows, _, samples = study_of([*signals, 1.1 * signals[2]])
    pairs, examined = compare_recordings(windows, windows["patient"].to_numpy(), samples, SFREQ)
    assert examined == "1 pairs of recordings of equal duration, of 10 pairs of recordings"
    assert [(pair.first, pair.second) for pair in pairs] == [("sub-3_eeg", "sub-5_eeg")] and pairs[0].value > 0.99


def test_only_the_middle_of_a_long_recording_is_kept():
    windows, _, samples = study_of([background(1, n_chans=1, seconds=3000)])
    slow = slow_signal(windows["onset"].to_numpy(), windows["window"].to_numpy(), samples, SFREQ)
    assert slow.rate == similarity.RATE and slow.values.shape[1] / slow.rate == pytest.approx(1204, abs=2)
    assert slow.onset == pytest.approx(898, abs=2)
    excerpt = slow.excerpt()
    assert excerpt.values.shape[1] == 60 * similarity.RATE and excerpt.onset == pytest.approx(1470, abs=2)


def test_neonatal_recordings_are_told_apart_and_their_copies_found(data_root):
    signals = []
    for path in sorted(data_root.glob("helsinki/**/*.edf"))[:12]:
        head = header(path)
        signal = head.samples.read(list(head.eeg), 0, head.n_times)
        signals.append(signal - signal.mean(axis=0))
    windows, folds, samples = study_of(signals, sfreq=256.0)
    assert check_leakage(windows, folds, samples, 256.0)["checks"][-1]["largest_similarity"] < 0.3
    for kind, copy in copies(signals[4], 256.0).items():
        if kind not in ("middle", "first half"):  # shorter than 15 s, or made for another length
            with pytest.raises(InputError, match=r"sub-(5|13)_eeg looks like a copy of sub-(5|13)_eeg"):
                check_leakage(*study_of([*signals, copy], sfreq=256.0), 256.0)
