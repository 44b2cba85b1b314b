"""Choice of the classical baseline: scores of validation predictions equal those of scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from eegwf.errors import InputError
from eegwf.evaluation.baseline_choice import choose_baseline, validation_score
from eegwf.storage.files import write_table

CLASSES = ["background", "focal", "generalized"]
NAMES = [f"p_{name}" for name in CLASSES]


def write_rank(path, seed, n_windows=60):
    """Write the predictions of a rank on two validation folds; every tenth window has no label."""
    rng = np.random.default_rng(seed)
    number = np.arange(n_windows)
    p = np.round(rng.dirichlet(np.ones(3), n_windows), 9)
    labels = np.array(CLASSES, dtype=object)[number % 3]
    labels[::10] = ""
    table = pd.DataFrame({"window": number, "patient": "a", "recording": "r", "onset": number * 5.0})
    table = table.assign(fold=1 + number % 2, label=labels, predicted=np.array(CLASSES)[p.argmax(1)])
    table[NAMES] = p
    write_table(path, table)
    return table


def test_score_is_that_of_the_mean_probabilities_of_labeled_windows(tmp_path):
    paths = [tmp_path / f"{rank}.tsv" for rank in (1, 2)]
    first, second = (write_rank(path, seed) for seed, path in enumerate(paths))
    labeled = first["label"] != ""
    predicted = np.array(CLASSES)[(first[NAMES].to_numpy() + second[NAMES].to_numpy()).argmax(1)]
    expected = balanced_accuracy_score(first["label"][labeled], predicted[labeled])
    assert validation_score(paths, CLASSES) == pytest.approx(expected, abs=1e-12)
    alone = balanced_accuracy_score(second["label"][labeled], second["predicted"][labeled])
    assert validation_score(paths[1:], CLASSES) == pytest.approx(alone, abs=1e-12) != pytest.approx(expected)


def test_a_fold_without_labeled_windows_has_no_score(tmp_path):
    path = tmp_path / "1.tsv"
    table = write_rank(path, 0)
    write_table(path, table.assign(label=""))
    assert validation_score([path], CLASSES) is None
    write_table(path, table.iloc[:0])
    assert validation_score([path, path], CLASSES) is None


def test_ranks_of_other_windows_are_refused(tmp_path):
    paths = [tmp_path / f"{rank}.tsv" for rank in (1, 2)]
    tables = [write_rank(path, seed) for seed, path in enumerate(paths)]
    for wrong in (tables[1].iloc[:-1], tables[1].assign(label="focal")):
        write_table(paths[1], wrong)
        with pytest.raises(InputError, match=r"2\.tsv: other windows, folds or labels than in .*1\.tsv"):
            validation_score(paths, CLASSES)


def test_the_highest_mean_of_the_folds_is_chosen():
    choice = choose_baseline({"a": [0.5, 0.7], "b": [0.9, 0.5], "c": [0.5, None], "d": [0.95, 0.1]})
    assert choice["baseline"] == "b"
    assert [one["combination"] for one in choice["candidates"]] == list("abcd")
    assert [one["balanced_accuracy"] for one in choice["candidates"]] == pytest.approx([0.6, 0.7, 0.5, 0.525])
    assert choice["candidates"][2]["per_fold"] == [0.5, None]


def test_ties_are_broken_by_the_order_of_the_matrix():
    assert choose_baseline({"b": [0.6, 0.7], "a": [0.6, 0.7], "c": [None, None]})["baseline"] == "b"
    assert choose_baseline({"c": [None], "a": [0.1]})["baseline"] == "a"
    undefined = choose_baseline({"b": [None], "a": [None]})
    assert undefined["baseline"] == "b" and undefined["candidates"][0]["balanced_accuracy"] is None
