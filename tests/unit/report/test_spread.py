"""Sentence on the spread between random seeds."""

import pytest

from eegwf.storage.files import read_json, write_json
from tests.helpers.report_page import text_of, write_report
from tests.helpers.report_study import write_study

ENTRY = {"values": [0.745, 0.778, 0.76], "mean": 0.761, "standard_deviation": 0.0165, "min": 0.745, "max": 0.778}
NO_SPREAD = {"values": [0.745], "mean": None, "standard_deviation": None, "min": None, "max": None}


@pytest.fixture
def page_of(tmp_path):
    """The text of the page of a study whose `metrics.json` has this spread."""
    study, path = write_study(tmp_path), tmp_path / "vit_mel_2class/metrics.json"

    def page(spread) -> str:
        write_json(path, read_json(path) | {"spread": spread})
        return text_of(write_report(study, tmp_path)[0])

    return page


def test_page_has_the_spread_beside_the_interval_over_patients(page_of):
    entry = ENTRY | {"low": 0.7, "high": 0.82}
    without = NO_SPREAD | {"values": [None] * 3, "low": None, "high": None}
    text = page_of({"seeds": {"n": 3, "balanced_accuracy": entry, "macro_f1": without, "auroc": entry | {"low": None}}})
    assert (
        "Rank 1 trained with 3 seeds: balanced accuracy 0.761 (standard deviation 0.017, 0.745 to 0.778; interval over "
        "patients: 0.700 to 0.820) and AUROC 0.761 (standard deviation 0.017, 0.745 to 0.778; interval over patients: "
        "no interval). This variation of training is not in the confidence intervals, which are over patients"
    ) in text


def test_page_says_that_a_training_draws_no_random_numbers(page_of):
    one = NO_SPREAD | {"low": 0.7, "high": 0.82}
    text = page_of({"seeds": {"n": 1, "balanced_accuracy": one, "macro_f1": one, "auroc": one}})
    assert "The training of vit draws no random numbers" in text and "trained with 1 seed" not in text


def test_page_of_one_seed_or_an_earlier_version_has_no_spread(page_of):
    for spread in (None, {"seeds": None}):
        assert "seeds" not in page_of(spread).partition("Reproducibility")[0].partition("Members and baselines")[2]
