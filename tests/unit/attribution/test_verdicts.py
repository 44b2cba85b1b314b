"""Verdicts: each rule alone turns a supported method into another word, with its numbers in the reason."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from eegwf.attribution.evidence_summary import summarize_evidence
from eegwf.attribution.verdicts import ranking, verdicts
from eegwf.report.judgment import judge
from tests.helpers.evidence import evidence

N = 8
SPREAD = np.linspace(-0.04, 0.04, N)
# Values of a method and the mean of the two controls; those of the patients differ.
GOOD = {
    "deletion": (0.4, 0.6, 0.5),
    "insertion": (0.7, 0.5, 0.6),
    "deletion_channels": (0.5, 0.7, 0.6),
    "deletion_bands": (0.5, 0.7, 0.6),
    "deletion_seconds": (0.5, 0.7, 0.6),
    "cascade_1": (0.9, np.nan, np.nan),
    "cascade_2": (0.8, np.nan, np.nan),
    "cascade_10": (0.1, np.nan, np.nan),
    "label_randomized": (0.1, np.nan, np.nan),
    "other_class": (0.2, np.nan, np.nan),
    "other_rank": (0.6, np.nan, np.nan),
    "auroc_channels": (0.85, 0.5, 0.7),
}


def table_of(n_patients: int = N, method: str = "saliency", **changed) -> pd.DataFrame:
    parts = []
    for measure, values in ({**GOOD, **changed}).items():
        if values is not None:
            given = dict(zip((method, "random", "energy"), values, strict=True))
            offsets = {method: SPREAD, "random": SPREAD[::-1], "energy": -0.5 * SPREAD}
            parts.append(
                evidence(measure, **{name: (mean + offsets[name])[:n_patients] for name, mean in given.items()})
            )
    return summarize_evidence(pd.concat(parts), "bckg")


def verdict_of(**changed):
    (found,) = verdicts(table_of(**changed))
    return found


def test_a_method_that_beats_its_controls_is_supported():
    found = verdict_of()
    assert (found.method, found.word, found.reasons) == ("saliency", "supported", ())
    method, energy = 0.4 + SPREAD, 0.5 - 0.5 * SPREAD
    low, high = stats.ttest_rel(energy, method).confidence_interval(0.95)
    assert found.sentence.startswith(
        "Removing the bins with the highest values lowers the probability of the class by 0.20 more than random bins "
        "(95 % confidence interval "
    )
    assert f"and by 0.10 more than the bins with the highest energy ({low:.2f} to {high:.2f}); " in found.sentence
    assert "rank correlation 0.10 with the map after all weights are drawn anew" in found.sentence
    assert found.sentence.endswith("the AUROC over the channels of focal seizures is 0.85 (energy map: 0.70).")


@pytest.mark.parametrize(
    ("measure", "values", "word", "reason"),
    [
        ("deletion", (0.4, 0.4, 0.5), "unsupported", "not shown to lower .* than random bins"),
        ("deletion", (0.4, 0.6, 0.4), "unsupported", "not shown to lower .* than the bins with the highest energy"),
        ("deletion", (0.6, 0.4, 0.8), "unsupported", "lowers the probability of the class less than random bins"),
        ("cascade_10", (0.6, np.nan, np.nan), "unsupported", "hardly depends on the trained weights .*0.60"),
        ("insertion", (0.7, 0.5, 0.8), "mixed", "raises the probability of the class less than the bins"),
        ("insertion", (0.7, 0.7, 0.6), "mixed", "not shown to raise .* than random bins"),
        ("deletion_channels", (0.7, 0.8, 0.5), "mixed", "less than the channels of the signal with the highest energy"),
        ("deletion_bands", (0.7, 0.5, 0.8), "mixed", "less than random bands of the signal"),
        ("deletion_seconds", (0.7, 0.5, 0.8), "mixed", "less than random seconds of the signal"),
        ("label_randomized", (0.6, np.nan, np.nan), "mixed", "permuted labels .rank correlation 0.60"),
        ("other_class", (0.7, np.nan, np.nan), "mixed", "classes resemble each other .rank correlation 0.70"),
        ("other_rank", (0.2, np.nan, np.nan), "mixed", "retrained models differ .rank correlation 0.20"),
        ("auroc_channels", (0.7, 0.5, 0.6), "mixed", "0.70, below 0.75"),
        ("auroc_channels", (0.8, 0.5, 0.9), "mixed", "0.80, is not above 0.90 of the energy map"),
    ],
)
def test_each_rule_alone_decides(measure, values, word, reason):
    found = verdict_of(**{measure: values})
    assert found.word == word
    assert len(found.reasons) == 1
    assert pd.Series(found.reasons).str.contains(reason).all()
    assert found.sentence.lower().endswith(f"{found.reasons[0].lower()}.")


def test_one_measure_in_the_signal_has_to_beat_the_controls():
    equal = {"deletion_channels": (0.5, 0.5, 0.5), "deletion_bands": (0.5, 0.6, 0.5)}
    assert verdict_of(**equal).word == "supported"
    found = verdict_of(**equal, deletion_seconds=(0.5, 0.5, 0.6))
    assert found.word == "mixed"
    assert found.reasons == ("in the signal domain, neither channels nor bands nor seconds beat both controls",)


@pytest.mark.parametrize(
    "measure", ["insertion", "deletion_channels", "label_randomized", "other_class", "other_rank", "auroc_channels"]
)
def test_a_measure_that_was_not_made_does_not_count(measure):
    assert verdict_of(**{measure: None}).word == "supported"


def test_an_unsupported_method_has_all_reasons_and_a_sentence_of_the_decisive_ones():
    found = verdict_of(deletion=(0.5, 0.5, 0.5), cascade_10=(0.9, 0, 0), other_rank=(0.1, 0, 0))
    assert found.word == "unsupported"
    assert len(found.reasons) == 4
    assert "retrained" in found.reasons[-1]
    assert "retrained" not in found.sentence
    assert found.sentence.count(";") == 2


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"n_patients": 2}, "deletion was measured in 2 patients, and a confidence interval needs at least 3"),
        ({"n_patients": 1}, "deletion was measured in 1 patient, and a confidence interval needs at least 3"),
        ({"deletion": None}, "deletion was not measured for the method and both controls"),
        ({"deletion": (0.1, 0.5, np.nan)}, "deletion was not measured for the method and both controls"),
        (dict.fromkeys(["cascade_1", "cascade_2", "cascade_10"]), "the weights were not randomized"),
    ],
)
def test_without_the_decisive_measures_there_is_no_verdict(changed, reason):
    found = verdict_of(**changed)
    assert found.word == "undecided"
    assert found.reasons == (reason,)
    assert found.sentence == f"{reason.capitalize()}."


def test_a_method_equal_to_a_control_is_unsupported():
    parts = [evidence("deletion", saliency=[0.4] * N, random=[0.4] * N, energy=0.5 + SPREAD)]
    parts.append(evidence("cascade_1", saliency=[0.1] * N))
    (found,) = verdicts(summarize_evidence(pd.concat(parts), "bckg"))
    assert found.word == "unsupported"
    assert "(difference 0, without a confidence interval)" in found.sentence


def test_ranking_by_word_then_by_deletion():
    given = {
        "smoothgrad": {"deletion": (0.45, 0.6, 0.55)},
        "saliency": {"deletion": (0.2, 0.6, 0.55), "other_rank": (0.1, 0, 0)},
        "occlusion": {"deletion": (0.3, 0.6, 0.55)},
        "gradcam": {"deletion": (0.6, 0.6, 0.55)},
        "hirescam": {"deletion": None},
    }
    tables = [table_of(method=method, **changed) for method, changed in given.items()]
    table = pd.concat(tables).drop_duplicates(["method", "measure"])
    found = verdicts(table)
    assert [verdict.method for verdict in found] == list(given)
    ranked = [(verdict.method, verdict.word) for verdict in ranking(found, table)]
    assert ranked == [
        ("occlusion", "supported"),
        ("smoothgrad", "supported"),
        ("saliency", "mixed"),
        ("gradcam", "unsupported"),
        ("hirescam", "undecided"),
    ]


def test_a_model_that_sees_no_seizure_leaves_its_methods_undecided():
    rows = [
        {
            "method": method,
            "measure": "deletion",
            "target": "bckg",
            "patient": f"p{number}",
            "n_windows": 1,
            "value": 0.5,
        }
        for method in ("saliency", "random", "energy")
        for number in range(5)
    ]
    (found,) = judge(pd.DataFrame(rows), "bckg", 0.95).verdicts
    assert (found.method, found.word) == ("saliency", "undecided")
    assert "deletion was not measured" in found.reasons[0]
