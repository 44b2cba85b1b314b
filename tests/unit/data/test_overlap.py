"""Patients of two data sets: those in both are found under other names, unrelated ones are not."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from scipy.signal import resample_poly

from eegwf.data.leakage import check_leakage
from eegwf.data.overlap import WindowedSignals, in_fingerprints, shared_patients, window_fingerprints
from eegwf.errors import InputError
from tests.helpers.windowed_signals import NAMES, SFREQ, background, data_set


def found(overlap):
    return [(one.patient, one.other, one.evidence) for one in overlap.shared]


def test_fingerprint_is_the_digest_of_the_half_precision_bytes():
    arrays = data_set([background(0)]).arrays
    expected = [
        int.from_bytes(hashlib.blake2b(arrays[row].tobytes(), digest_size=8).digest(), "little") for row in (3, 0)
    ]
    fingerprints = window_fingerprints(arrays, np.array([3, 0]))
    assert fingerprints.dtype == np.uint64 and fingerprints.tolist() == expected
    assert np.array_equal(window_fingerprints(arrays.astype(np.float32), np.array([3, 0])), fingerprints)


def test_constant_windows_have_no_fingerprint_and_never_match():
    arrays = np.zeros((3, 2, 8), np.float16)
    arrays[1] += np.array([[1.0], [2.0]])
    arrays[2, 1, 3] = 1.0
    fingerprints = window_fingerprints(arrays, np.arange(3))
    assert fingerprints[:2].tolist() == [0, 0] and fingerprints[2] > 0
    assert in_fingerprints(fingerprints, np.sort(fingerprints)).tolist() == [False, False, True]


def test_fingerprints_are_found_as_by_set_membership():
    rng = np.random.default_rng(0)
    ours, theirs = rng.integers(0, 60, 40).astype(np.uint64), np.sort(rng.integers(0, 60, 30).astype(np.uint64))
    expected = [value != 0 and value in set(theirs.tolist()) for value in ours.tolist()]
    assert in_fingerprints(ours, theirs).tolist() == expected and any(expected) and not all(expected)
    assert not in_fingerprints(ours, theirs[:0]).any()


def test_unrelated_data_sets_share_nobody_even_with_equal_names():
    overlap = shared_patients(data_set([background(1), background(2)]), data_set([background(3), background(4)]))
    assert overlap.shared == [] and [check["leaks"] for check in overlap.checks] == [0, 0]
    assert overlap.checks[0]["examined"] == "30 windows by hash against 30, 5 derivations"
    assert overlap.checks[1]["examined"] == "4 pairs of recordings" and overlap.checks[1]["largest_similarity"] < 0.4


def test_a_patient_with_another_name_is_found_by_samples_and_by_similarity():
    ours = data_set([background(1), background(2)])
    overlap = shared_patients(ours, data_set([background(3), background(4), background(2)], "pat"))
    assert found(overlap) == [("sub-2", "pat-3", "samples"), ("sub-2", "pat-3", "similarity")]
    samples, similarity = overlap.shared
    assert samples.describe() == "15 windows of sub-2_eeg have the samples of pat-3_eeg"
    assert similarity.describe() == "sub-2_eeg looks like a copy of pat-3_eeg (similarity 1.00)"


def test_a_patient_with_equal_name_in_both_is_found():
    ours, theirs = data_set([background(1), background(2)]), data_set([background(1), background(5)])
    assert found(shared_patients(ours, theirs)) == [("sub-1", "sub-1", "samples"), ("sub-1", "sub-1", "similarity")]


@pytest.mark.parametrize("sfreq", [50.0, 256.0])
def test_a_copy_with_another_rate_gain_and_order_of_channels_is_found_by_similarity(sfreq):
    up, down = round(sfreq), round(SFREQ)
    copy = -1.5 * resample_poly(background(2), up, down, axis=1)[::-1]
    theirs = data_set([resample_poly(background(7), up, down, axis=1), copy], "pat", sfreq, NAMES[::-1])
    overlap = shared_patients(data_set([background(1), background(2)]), theirs)
    assert found(overlap) == [("sub-2", "pat-2", "similarity")] and overlap.shared[0].value > 0.6
    assert overlap.checks[0]["examined"] == "nothing: rates or lengths of windows differ"


def test_only_derivations_of_both_are_compared():
    theirs = data_set([np.concatenate([background(9)[:1], background(2)[1:]])], "pat")
    assert found(shared_patients(data_set([background(2)]), theirs)) == [("sub-1", "pat-1", "similarity")]
    renamed = WindowedSignals(theirs.windows, theirs.arrays, ["t7", *NAMES[1:]], SFREQ)
    assert [one[2] for one in found(shared_patients(data_set([background(2)]), renamed))] == ["samples", "similarity"]
    other = WindowedSignals(theirs.windows, theirs.arrays, [f"x{name}" for name in NAMES], SFREQ)
    nothing = shared_patients(data_set([background(2)]), other)
    assert nothing.shared == []
    assert {check["examined"] for check in nothing.checks} == {"nothing: no derivation in common"}


def test_the_limit_of_similarity_can_be_raised():
    ours, theirs = data_set([background(1)]), data_set([1.01 * background(1)], "pat")
    assert found(shared_patients(ours, theirs)) == [("sub-1", "pat-1", "similarity")]
    assert shared_patients(ours, theirs, 1.0).shared == []


def test_what_is_found_between_data_sets_is_a_leak_between_folds():
    signals = [background(1), background(2), background(2)]
    joined = data_set(signals)
    folds = pd.DataFrame({"patient": ["sub-1", "sub-2", "sub-3"], "fold": [1, 2, 3]})
    with pytest.raises(InputError, match="leak: the same samples"):
        check_leakage(joined.windows, folds, joined.arrays, SFREQ)
    assert shared_patients(data_set(signals[:2]), data_set(signals[2:], "pat")).shared
