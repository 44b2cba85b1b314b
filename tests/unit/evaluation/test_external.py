"""External scores, their mean over the folds, and differences, against independent computations."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from eegwf.config.evaluation import Evaluation
from eegwf.config.paths import Combination, ResultPaths
from eegwf.data.class_mapping import map_event_types
from eegwf.errors import InputError
from eegwf.evaluation.bootstrap import patient_draws
from eegwf.evaluation.event_counts import Counts
from eegwf.evaluation.events import detector_scores
from eegwf.evaluation.external_events import _mean
from eegwf.evaluation.independent_difference import independent_difference
from eegwf.evaluation.intervals import jackknife_interval
from eegwf.seeds import seed_of
from eegwf.storage.files import read_json
from tests.helpers.external_study import NAME, write_external
from tests.helpers.report_study import write_study

FOLDS = ["fold1", "fold2", "fold3"]


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """Metrics of an external test, its predictions, the internal predictions and the folder of the combination."""
    results = tmp_path_factory.mktemp("external") / "results"
    study = write_study(results)
    metrics = write_external(results, study)
    run = ResultPaths(results).run(Combination("vit", "mel", "2class"))
    external = pd.read_csv(run.external(NAME).predictions, sep="\t", keep_default_na=False)
    internal = pd.read_csv(run.predictions, sep="\t", keep_default_na=False)
    return metrics, external, internal[internal["member"] == "ensemble"], run


def windows_of(table: pd.DataFrame, draws: np.ndarray) -> pd.DataFrame:
    """Labeled windows of drawn patients, repeated as often as they are drawn."""
    patients = sorted(table.loc[table["label"] != "", "patient"].unique())
    parts = [table[(table["patient"] == name) & (table["label"] != "")] for name in patients]
    return pd.concat([part for part, n in zip(parts, draws, strict=True) for _ in range(int(n))])


def balanced_accuracy(table: pd.DataFrame) -> float:
    return balanced_accuracy_score(table["label"], table["predicted"])


def auroc(table: pd.DataFrame) -> float:
    return roc_auc_score(table["label"] == "seizure", table["raw_seizure"])


SCORES = {"balanced_accuracy": balanced_accuracy, "auroc": auroc}


def folds_of(external: pd.DataFrame) -> list[pd.DataFrame]:
    return [external[external["member"] == fold] for fold in FOLDS]


@pytest.mark.parametrize("kind", SCORES)
def test_mean_of_the_folds_and_its_jackknife_interval(tested, kind):
    metrics, external, _, _ = tested
    score, parts = SCORES[kind], folds_of(external)
    everyone = np.ones(6)
    values = [score(windows_of(part, everyone)) for part in parts]
    assert [metrics["members"][fold][kind]["value"] for fold in FOLDS] == pytest.approx(values)
    entry = metrics["mean_of_folds"][kind]
    assert entry["value"] == pytest.approx(np.mean(values))
    left_out = np.array([np.mean([score(windows_of(part, everyone - row)) for part in parts]) for row in np.eye(6)])
    low, high, _ = jackknife_interval(float(np.mean(values)), left_out, [6, 6], 0.95)
    assert (entry["low"], entry["high"]) == pytest.approx((low, high))


@pytest.mark.parametrize("kind", SCORES)
def test_difference_and_its_interval_of_two_independent_bootstraps(tested, kind):
    metrics, external, internal, _ = tested
    score = SCORES[kind]
    seeds = {part: seed_of(1, "external test", NAME, part) for part in ("internal", "external")}
    assert seeds["internal"] != seeds["external"]
    draws = {"internal": patient_draws(9, 100, seeds["internal"]), "external": patient_draws(6, 100, seeds["external"])}
    own, other = [], []
    for mine, theirs in zip(draws["internal"], draws["external"], strict=True):
        own.append(_defined(score, windows_of(internal, mine)))
        other.append(np.mean([score(windows_of(part, theirs)) for part in folds_of(external)]))
    low, high = np.nanquantile(np.array(other) - np.array(own), [0.025, 0.975])
    entry = metrics["difference"][kind]
    assert entry["value"] == pytest.approx(metrics["mean_of_folds"][kind]["value"] - metrics["internal"][kind]["value"])
    assert (entry["low"], entry["high"]) == pytest.approx((low, high))
    assert low < entry["value"] < high


def _defined(score, table: pd.DataFrame) -> float:
    return score(table) if table["label"].nunique() == 2 else np.nan


def test_internal_scores_are_those_of_the_study(tested):
    metrics, _, _, run = tested
    study = read_json(run.metrics)
    for kind in SCORES:
        assert metrics["internal"][kind] == study["members"]["ensemble"][kind]
    assert metrics["events"]["internal"]["f1"] == study["events"]["detectors"]["operating_point"]["f1"]
    assert metrics["calibration"]["internal"]["calibrated"]["ece"] == study["calibration"]["calibrated"]["ece"]


def test_events_of_a_member_are_those_of_its_operating_point(tested):
    metrics, _, _, run = tested
    events, study = metrics["events"], read_json(run.metrics)["events"]
    assert events["detector"] == study["primary"] == "operating_point"
    values = [events["members"][fold]["sensitivity"]["value"] for fold in FOLDS]
    assert events["mean_of_folds"]["sensitivity"]["value"] == pytest.approx(np.mean(values))
    rates = [events["members"][fold]["false_alarms_per_day"]["value"] for fold in FOLDS]
    found = events["difference"]["false_alarms_per_day"]
    inside = study["detectors"]["operating_point"]["false_alarms_per_day"]["value"]
    assert found["value"] == pytest.approx(np.mean(rates) - inside)
    assert found["low"] is None and found["high"] is None, "no replicate of either data set has a false alarm"
    found = events["difference"]["sensitivity"]
    assert found["low"] < found["value"] < found["high"]


@pytest.mark.parametrize("kind", ["jackknife", "percentile", "bca"])
def test_the_mean_of_equal_folds_has_the_interval_of_one_of_them(kind):
    """Also for the events, whose counts are pooled: the configured interval."""
    rng, n = np.random.default_rng(3), 9
    n_events = rng.integers(1, 5, n)
    counts = {name: rng.integers(0, 9, n) for name in (*Counts._fields, "seconds")}
    counts |= {"n_events": n_events, "tp": rng.integers(0, n_events + 1), "seconds": np.full(n, 600)}
    settings, table = Evaluation(interval=kind, n_bootstrap=100), pd.DataFrame(counts)
    expected = detector_scores(table, settings, seed=4)
    found = _mean(np.stack([table.to_numpy(float)] * 2), settings, 4)
    for name in ("sensitivity", "precision", "false_alarms_per_day"):
        assert found[name] == pytest.approx(expected[name]) and found[name]["low"] < found[name]["value"]


def test_no_interval_of_a_difference_with_few_patients():
    replicates = np.linspace(0, 1, 50)
    assert independent_difference(0.7, 0.6, replicates, replicates[::-1], 2, 0.95) == {
        "value": pytest.approx(0.1), "low": None, "high": None,
    }  # fmt: skip
    assert independent_difference(None, 0.6, replicates, replicates, 9, 0.95)["value"] is None
    found = independent_difference(0.7, 0.6, replicates, replicates[::-1], 3, 0.9)
    assert (found["low"], found["high"]) == pytest.approx(tuple(np.quantile(2 * replicates - 1, [0.05, 0.95])))


@pytest.mark.parametrize("undefined", [0, 20])
def test_no_interval_of_a_difference_from_a_score_without_variation(undefined):
    """With the same score in every replicate, as 1 of all patients, a bootstrap would call the score exact."""
    constant = np.where(np.arange(50) < undefined, np.nan, 0.1 + 0.2)
    constant[-1] = 0.3  # differs by rounding
    varying = np.linspace(0, 1, 50)
    for first, second in ((constant, varying), (varying, constant), (constant, constant)):
        found = independent_difference(0.3, 0.1, first, second, 9, 0.95)
        assert found == {"value": pytest.approx(0.2), "low": None, "high": None}


def windows_with(*labels: str) -> pd.DataFrame:
    return pd.DataFrame({"label": labels, "patient": [f"sub-{n}" for n in range(len(labels))]})


def events_with(*labels: str) -> pd.DataFrame:
    return pd.DataFrame({"label": labels})


def test_event_types_are_mapped_with_their_subtypes():
    classes = {"background": ["bckg"], "focal": ["sz_foc"], "seizure": ["sz"]}
    windows = windows_with("bckg", "bckg", "sz_foc_ia", "sz_gen", "sz_focal", "impd", "")
    table = map_event_types(windows, events_with("sz_foc_ia", "sz_gen", "impd"), classes, NAME).set_index("event_type")
    assert dict(table["class"]) == {
        "bckg": "background", "sz_foc_ia": "focal", "sz_focal": "seizure", "sz_gen": "seizure", "impd": "",
    }  # fmt: skip
    assert table.loc["bckg", "n_windows"] == 2 and table.loc["impd", "n_events"] == 1
    assert list(table["class"])[-1] == "", "types without a class are last"


def test_a_class_that_no_event_type_fills_is_refused_by_name():
    classes = {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]}
    with pytest.raises(InputError) as caught:
        map_event_types(windows_with("bckg", "sz"), events_with("sz"), classes, "siena")
    assert "siena has no events of class focal (sz_foc); its event types: bckg, sz. Use a class set" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)


def test_events_that_label_no_window_are_named():
    classes = {"background": ["bckg"], "seizure": ["sz"]}
    with pytest.raises(InputError, match=r"none of its 2 events of class seizure \(sz\) labels a window"):
        map_event_types(windows_with("bckg"), events_with("sz_foc", "sz"), classes, NAME)
