"""Section of the summary on splits by window: what was found, not what was expected."""

import pytest

from eegwf.report.split_by_window import NEVER, split_section
from tests.helpers.split_by_window import make_found


@pytest.mark.parametrize(
    ("by_window", "said", "unsaid"),
    [
        (0.93, "the balanced accuracy is 0.930 instead of 0.710 (+0.220). The model and the windows", "not raise"),
        (
            0.75,
            "0.750 instead of 0.710 (+0.040), which is within the confidence interval of the split by patient. So few",
            "arises because",
        ),
        (0.71, "did not raise the balanced accuracy: it is 0.710 instead of 0.710 (+0.000)", "arises because"),
        (0.65, "did not raise the balanced accuracy: it is 0.650 instead of 0.710 (−0.060)", "arises because"),
    ],
)
def test_the_text_says_what_was_found(by_window, said, unsaid):
    text = split_section(make_found(by_window)).text
    assert said in text and unsaid not in text and text.endswith(NEVER)
    assert "the same 1,234 windows of 28 patients: with the folds of this study, by patient, and" in text


def test_both_scores_are_in_the_table_and_only_one_has_an_interval():
    first, second = split_section(make_found()).table.rows
    assert first == ["split by patient", ("0.710", "0.600 to 0.800"), ("0.710", "0.600 to 0.800"), *["0.0 %"] * 3]
    assert second == ["split by window, not a result", "0.930", "0.950", "100.0 %", "unknown", "90.0 %"]


def test_other_circumstances_are_named():
    assert "by patient, joined to 10, and" in split_section(make_found(n_folds=10, n_study_folds=28)).text
    assert "on mel, cwt and stft, with" in split_section(make_found(arrays=["mel", "cwt", "stft"])).text
    permuted = split_section(make_found(permuted=True)).text
    assert "were shuffled" in permuted and "arises because" not in permuted
    failed = split_section(make_found(reason="all windows of class 'seizure' are in one fold"))
    assert failed.table is None and "could not be computed: all windows of class 'seizure'" in failed.text
