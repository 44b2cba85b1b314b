"""Evidence over patients: scipy as reference for paired differences, the jackknife of scores for means."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from eegwf.attribution.evidence_summary import patient_values, summarize_evidence, t_interval
from eegwf.evaluation.intervals import jackknife_interval
from tests.helpers.evidence import COLUMNS, evidence


def row(table: pd.DataFrame, method: str, measure: str) -> pd.Series:
    return table.set_index(["method", "measure"]).loc[method, measure]


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_differences_have_the_interval_of_the_paired_t_test(confidence):
    rng = np.random.default_rng(0)
    method, random, energy = rng.random((3, 9))
    found = row(
        summarize_evidence(evidence("deletion", saliency=method, random=random, energy=energy), "bckg", confidence),
        "saliency",
        "deletion",
    )
    for control, values in (("random", random), ("energy", energy)):
        low, high = stats.ttest_rel(method, values).confidence_interval(confidence)
        assert found[f"minus_{control}"] == pytest.approx((method - values).mean())
        assert [found[f"minus_{control}_low"], found[f"minus_{control}_high"]] == pytest.approx([low, high])
        assert found[f"minus_{control}_patients"] == 9


@pytest.mark.parametrize(
    ("measure", "bounds"),
    [("deletion", (0, 1)), ("auroc_channels", (0, 1)), ("cascade_3", (-1, 1)), ("other_rank", (-1, 1))],
)
def test_means_have_the_jackknife_interval(measure, bounds):
    values = np.random.default_rng(1).uniform(0.1, 0.9, 8)
    found = row(summarize_evidence(evidence(measure, saliency=values), "bckg"), "saliency", measure)
    left_out = np.array([np.delete(values, patient).mean() for patient in range(8)])
    expected = jackknife_interval(values.mean(), left_out, [8], 0.95, bounds)
    assert [found["mean"], found["low"], found["high"]] == pytest.approx([values.mean(), expected.low, expected.high])
    assert np.isnan(found["minus_random"])
    assert found["minus_random_patients"] == 0


def test_measure_without_an_upper_bound_has_the_interval_of_t():
    values = np.array([0.8, 1.5, 4.0, 2.2])
    found = row(summarize_evidence(evidence("mass", saliency=values), "bckg"), "saliency", "mass")
    expected = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    assert [found["low"], found["high"]] == pytest.approx(expected)


def test_patients_are_paired_and_those_without_a_control_left_out():
    rows = evidence("deletion", saliency=[0.1, 0.2, 0.3, 0.9], random=[0.5, 0.5, 0.6])
    found = row(summarize_evidence(rows.sample(frac=1, random_state=3), "bckg"), "saliency", "deletion")
    assert found["n_patients"] == 4
    assert found["minus_random_patients"] == 3
    assert found["minus_random"] == pytest.approx(-1.0 / 3)
    assert np.isnan(found["minus_energy"])


def test_value_of_a_patient_is_the_mean_over_windows():
    rows = pd.concat(
        [
            evidence("deletion", "sz_unk", 1, saliency=[0.9]),
            evidence("deletion", "sz", 4, saliency=[0.4]),
            evidence("deletion", "sz_foc", 0, saliency=[5.0]),
            evidence("deletion", "sz_gen", 3, saliency=[np.nan]),
            evidence("insertion", "sz_gen", 3, saliency=[np.inf]),
        ]
    )
    assert patient_values(rows, "bckg").to_dict("records") == [
        {"method": "saliency", "measure": "deletion", "patient": "sub-00", "value": pytest.approx(0.5)}
    ]


def test_windows_in_which_the_classifier_sees_no_seizure_are_left_out():
    rows = pd.concat(
        [
            evidence("deletion", "sz_foc", saliency=[0.8, 0.7]),
            evidence("deletion", "bckg", saliency=[0.2, 0.1]),
            evidence("insertion", "bckg", saliency=[0.6, 0.6]),
        ]
    )
    table = summarize_evidence(rows, "bckg")
    assert row(table, "saliency", "deletion")["mean"] == pytest.approx(0.75)
    assert table["measure"].tolist() == ["deletion"]
    assert row(summarize_evidence(rows, "none"), "saliency", "deletion")["mean"] == pytest.approx(0.45)


def test_no_interval_of_two_patients_or_of_equal_values():
    assert t_interval(np.array([0.1, 0.4]), 0.95).low is None
    assert t_interval(np.array([0.1, 0.1, 0.1, 0.1]), 0.95).high is None
    found = row(
        summarize_evidence(evidence("deletion", saliency=[0.1, 0.4], random=[0.5, 0.5]), "bckg"), "saliency", "deletion"
    )
    assert found["mean"] == pytest.approx(0.25)
    assert found[["low", "high", "minus_random_low", "minus_random_high"]].isna().all()
    assert found["minus_random"] == pytest.approx(-0.25)


def test_values_at_a_bound_and_rounding_beyond_it():
    found = row(
        summarize_evidence(evidence("auroc_channels", saliency=[1.0, 1.0 + 1e-7, 1.0]), "bckg"),
        "saliency",
        "auroc_channels",
    )
    assert found["high"] == 1.0
    assert 0 < found["low"] < 1


def test_no_evidence_gives_an_empty_table():
    table = summarize_evidence(pd.DataFrame(columns=COLUMNS).astype({"value": float, "n_windows": int}), "bckg")
    assert table.empty
    assert {"method", "measure", "mean", "minus_energy_high"} <= set(table.columns)
