"""Comparison of combinations from their files."""

import time
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from eegwf.errors import InputError
from eegwf.evaluation.compared_runs import OTHER_WINDOWS, compare_runs, read_tested
from eegwf.evaluation.scores import scores
from eegwf.storage.files import write_table

CLASSES = ["background", "focal", "generalized"]
MEMBERS = ("rank1", "rank2", "ensemble")


def table_of(n_patients, n_windows, seed=0):
    """Windows of a study without predictions; some are borderline."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), n_windows)
    label = np.array(CLASSES, dtype=object)[np.arange(len(patient)) % len(CLASSES)]
    label[rng.random(len(label)) < 0.1] = ""
    return pd.DataFrame(
        {
            "window": np.arange(len(patient)),
            # One of them is named like a missing value, another one like a member.
            "patient": np.array(["NA", "ensemble", *(f"sub-{n:02d}" for n in range(n_patients - 2))])[patient],
            "recording": [f"sub-{n} rec" for n in patient],
            "onset": 5.0 * np.arange(len(patient)),
            "fold": patient % 4 + 1,
            "label": label,
        }
    )


def write_run(folder, table, seed, accuracy, shuffled=False):
    """Write predictions of all members; returns the file and what is read of `metrics.json`."""
    rng = np.random.default_rng(seed)
    parts = []
    for member in MEMBERS:
        right = rng.random(len(table)) < accuracy
        predicted = np.where(right & (table["label"] != ""), table["label"], rng.choice(CLASSES, len(table)))
        predicted = rng.permutation(predicted) if shuffled else predicted
        p = (predicted[:, None] == np.array(CLASSES)[None]) * 0.7 + 0.1
        parts.append(table.assign(predicted=predicted, **{f"p_{name}": p[:, c] for c, name in enumerate(CLASSES)}))
        parts[-1].insert(0, "member", member)
    every = pd.concat(parts)
    write_table(folder / "predictions.tsv", every)
    index = pd.Index(CLASSES)
    rows = parts[-1][parts[-1]["label"] != ""]
    truth, found = index.get_indexer(rows["label"]), index.get_indexer(rows["predicted"])
    value = scores(truth, found, np.eye(len(CLASSES))[found])["balanced_accuracy"]
    metrics = {
        "primary": "ensemble",
        "classes": CLASSES,
        "members": {"ensemble": {"balanced_accuracy": {"value": value}}},
        "bootstrap": {"replicates": 200, "seed": 1, "confidence": 0.95},
    }
    return folder / "predictions.tsv", metrics


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two good models, one of them twice, bandpower at chance level, and shuffled predictions."""
    folder, table = tmp_path_factory.mktemp("runs"), table_of(24, 30)
    return {
        "good": write_run(folder / "good", table, 1, 0.7),
        "other": write_run(folder / "other", table, 2, 0.69),
        "copy": write_run(folder / "copy", table, 1, 0.7),
        "bandpower": write_run(folder / "bandpower", table, 3, 0.0),
        "shuffled": write_run(folder / "shuffled", table, 4, 0.7, shuffled=True),
    }


def test_primary_member_is_read_as_by_pandas(runs):
    path, _ = runs["good"]
    table = pd.read_csv(path, sep="\t", keep_default_na=False)
    for member in MEMBERS:
        rows = table[(table["member"] == member) & (table["label"] != "")]
        tested = read_tested(path, member, CLASSES)
        assert tested.patient.tolist() == sorted(rows["patient"].unique())
        for number, patient in enumerate(tested.patient):
            one = rows[rows["patient"] == patient]
            assert [*tested.total[number]] == [(one["label"] == name).sum() for name in CLASSES]
            right = one[one["label"] == one["predicted"]]
            assert [*tested.correct[number]] == [(right["label"] == name).sum() for name in CLASSES]
            assert tested.fold[number] == one["fold"].iloc[0]


def test_groups_of_combinations(runs):
    compared = compare_runs(runs)
    assert set(compared.names[:3]) == {"good", "copy", "other"} and not compared.skipped
    assert set(compared.like_best) == {"good", "copy", "other"}
    table = compared.table()
    assert len(table) == 10 and (table["difference"] >= 0).all()
    row = table[table["first"].isin(["good", "copy"]) & table["second"].isin(["good", "copy"])].iloc[0]
    assert (row["difference"], row["p_patients"], row["p_folds"], row["told_apart"]) == (0, 1, 1, "")
    good = table[(table["first"] == "good") & (table["second"] == "bandpower")].iloc[0]
    assert good["told_apart"] == "patients and folds" and good["low"] > 0.2
    values = {name: metrics["members"]["ensemble"]["balanced_accuracy"]["value"] for name, (_, metrics) in runs.items()}
    for pair in table.to_dict("records"):
        assert pair["difference"] == pytest.approx(values[pair["first"]] - values[pair["second"]], abs=1e-9)
    assert (table["p_patients_holm"] >= table["p_patients"]).all()


def test_groups_of_ties_are_those_of_the_table(runs):
    compared = compare_runs(runs)
    pairs = {(row["first"], row["second"]): row["told_apart"] for row in compared.table().to_dict("records")}
    left, expected = list(compared.names), {}
    while left:
        number = max(expected.values(), default=0) + 1
        tied = [name for name in left if name == left[0] or not pairs[left[0], name]]
        expected |= dict.fromkeys(tied, number)
        left = [name for name in left if name not in tied]
    assert compared.tie_groups == expected and list(compared.tie_groups) == compared.names
    assert expected["bandpower"] == expected["shuffled"] == 2


def test_shuffled_predictions_are_no_better_than_the_baseline(runs):
    compared = compare_runs({name: runs[name] for name in ("bandpower", "shuffled")})
    number, sign = compared.number_of("shuffled", "bandpower")
    assert not compared.apart[:, number].any()
    assert sign * compared.tests.difference[number] < 0.05 and compared.tests.low[number] < 0


def test_number_of_a_pair(runs):
    compared = compare_runs(runs)
    for (i, first), (j, second) in combinations(enumerate(compared.names), 2):
        number, sign = compared.number_of(first, second)
        assert compared.pairs[number].tolist() == [i, j] and sign == 1
        assert compared.number_of(second, first) == (number, -1)
    assert compared.number_of("good", "good") is None and compared.number_of("good", "none") is None


@pytest.mark.parametrize("change", ["label", "fold", "patient", "windows"])
def test_combinations_of_other_windows_are_skipped(runs, tmp_path, change):
    table = table_of(24, 30)
    if change == "windows":
        table = table.iloc[3:]
    elif change == "label":
        table.loc[table["label"] == "focal", "label"] = "generalized"
    elif change == "fold":
        table["fold"] = 5 - table["fold"]
    else:
        table["patient"] = table["patient"].replace("sub-03", "sub-99")
    compared = compare_runs(
        {"changed": write_run(tmp_path, table, 5, 0.7), "good": runs["good"], "other": runs["other"]}
    )
    assert compared.skipped == {"changed": OTHER_WINDOWS} and set(compared.names) == {"good", "other"}


def test_invalid_predictions_are_refused(runs, tmp_path):
    path = tmp_path / "predictions.tsv"
    text = runs["good"][0].read_text()
    for content, message in (
        (text, "no labeled window of rank7"),
        (text.replace("predicted", "guess", 1), "no column predicted"),
        (text.replace("\tgeneralized\t", "\trest\t"), "a class that is none of background"),
        (text.replace("\t1\t", "\tone\t"), "not a table of predictions"),
        ("", "no column member, window"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=message):
            read_tested(path, "rank7" if "rank7" in message else "ensemble", CLASSES)


def test_a_combination_alone(runs):
    compared = compare_runs({"good": runs["good"]})
    assert compared.like_best == ["good"] and compared.table().empty and compared.tie_groups == {"good": 1}


@pytest.mark.slow
def test_all_pairs_of_280_combinations_are_compared_within_a_minute(tmp_path):
    table = table_of(40, 60)
    files = [write_run(tmp_path / str(number), table, number, 0.7) for number in range(14)]
    for _, metrics in files:
        metrics["bootstrap"]["replicates"] = 1000
    runs = {f"m{number}": files[number % 14] for number in range(280)}
    start = time.monotonic()
    compared = compare_runs(runs)
    assert len(compared.table()) == 280 * 279 / 2 and time.monotonic() - start < 60
