"""Spread of the scores of rank 1 between random seeds, recomputed with scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from eegwf.config.evaluation import Evaluation
from eegwf.errors import InputError
from eegwf.evaluation.evaluate import evaluate
from eegwf.storage.files import read_table, write_table
from tests.unit.evaluation.test_evaluate import SETS, study

CLASSES = list(SETS["3class"])
SETTINGS = Evaluation(n_bootstrap=100, n_permutations=0, seeds=3)
TEXT = ("patient", "recording", "label", "predicted")


@pytest.fixture
def parts_of(tmp_path):
    """Predictions of a member, the table of windows, and predictions of two further seeds."""
    parts, windows, *_ = study(tmp_path, SETS["3class"], n_ranks=1)
    seeds = {}
    for seed in (2, 3):
        rng = np.random.default_rng(seed)
        for test in parts[1]:
            table = read_table(test, text=TEXT)
            columns = [f"p_{name}" for name in CLASSES]
            p = table[columns].to_numpy() + rng.uniform(0, 0.8, (len(table), 3))
            table[columns] = np.round(p / p.sum(axis=1, keepdims=True), 9)
            table["predicted"] = np.array(CLASSES, dtype=object)[table[columns].to_numpy().argmax(axis=1)]
            path = test.parents[1] / f"rank1_seed{seed}" / "test.tsv"
            write_table(path, table.iloc[::-1])
            seeds.setdefault(seed, []).append(path)
    return parts, windows, seeds


def test_spread_can_be_recomputed_from_the_files_of_the_trainings(parts_of):
    parts, windows, seeds = parts_of
    result = evaluate(parts, windows, SETS["3class"], SETTINGS, 1, seeds=seeds)
    found = result.metrics["spread"]["seeds"]
    expected = {"balanced_accuracy": [], "macro_f1": [], "auroc": []}
    for paths in (parts[1], *seeds.values()):
        table = pd.concat([pd.read_csv(path, sep="\t") for path in paths]).dropna(subset="label")
        truth, predicted, p = table["label"], table["predicted"], table[[f"p_{name}" for name in CLASSES]]
        expected["balanced_accuracy"].append(metrics.balanced_accuracy_score(truth, predicted))
        expected["macro_f1"].append(metrics.f1_score(truth, predicted, average="macro"))
        expected["auroc"].append(metrics.roc_auc_score(truth, p, multi_class="ovr", labels=CLASSES))
    assert set(found) == {"n", *expected} and found["n"] == 3
    member = result.metrics["members"]["rank1"]
    for name, values in expected.items():
        assert len(set(values)) == 3
        entry = found[name]
        assert entry["values"] == pytest.approx(values, abs=1e-9)
        assert entry["values"][0] == member[name]["value"]
        mean = sum(values) / 3
        deviation = (sum((value - mean) ** 2 for value in values) / 2) ** 0.5
        written = [entry[key] for key in ("mean", "standard_deviation", "min", "max")]
        assert written == pytest.approx([mean, deviation, min(values), max(values)], abs=1e-9)
        assert (entry["low"], entry["high"]) == (member[name]["low"], member[name]["high"])


def test_further_seeds_change_nothing_else(parts_of):
    parts, windows, seeds = parts_of
    one = evaluate(parts, windows, SETS["3class"], SETTINGS.model_copy(update={"seeds": 1}), 1)
    three = evaluate(parts, windows, SETS["3class"], SETTINGS, 1, seeds=seeds)
    assert one.metrics["spread"] == {"seeds": None}
    assert one.metrics == three.metrics | {"spread": {"seeds": None}}
    assert one.predictions.equals(three.predictions) and one.per_patient.equals(three.per_patient)


def test_training_without_random_draws_has_no_spread(parts_of):
    parts, windows, seeds = parts_of
    for path in (path for paths in seeds.values() for path in paths):
        path.write_text(path.read_text().splitlines(keepends=True)[0])
    found = evaluate(parts, windows, SETS["3class"], SETTINGS, 1, seeds=seeds).metrics["spread"]["seeds"]
    assert found["n"] == 1 and len(found["auroc"]["values"]) == 1
    assert found["auroc"]["standard_deviation"] is None and found["auroc"]["mean"] is None


def test_spread_of_an_undefined_score_is_undefined(parts_of):
    parts, windows, seeds = parts_of
    for path in (path for paths in (*parts.values(), *seeds.values()) for path in paths):
        write_table(path, read_table(path, text=TEXT).replace({"label": {"generalized": "focal"}}))
    found = evaluate(parts, windows, SETS["3class"], SETTINGS, 1, seeds=seeds).metrics["spread"]["seeds"]
    assert found["auroc"]["values"] == [None] * 3 and found["auroc"]["mean"] is None
    assert found["balanced_accuracy"]["standard_deviation"] > 0


def test_predictions_of_other_windows_or_seeds_are_refused(parts_of):
    parts, windows, seeds = parts_of
    with pytest.raises(
        InputError, match=r"evaluation\.seeds: 3, but there are predictions of seeds 2; expected those of"
    ):
        evaluate(parts, windows, SETS["3class"], SETTINGS, 1, seeds={2: seeds[2]})
    write_table(seeds[3][1], read_table(seeds[3][1], text=TEXT).iloc[1:])
    with pytest.raises(InputError, match=r"rank1_seed3/test.tsv, or the file of another fold: the windows, folds or"):
        evaluate(parts, windows, SETS["3class"], SETTINGS, 1, seeds=seeds)
