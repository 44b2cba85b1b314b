"""Pooling and validation of test predictions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from eegwf.errors import InputError
from eegwf.evaluation.predictions import pool_predictions, read_predictions, validation_predictions
from eegwf.storage.files import write_table
from tests.helpers.rank_files import write_calibration

CLASSES = ["background", "focal", "generalized"]
NAMES = [f"p_{name}" for name in CLASSES]
RAW = [f"raw_{name}" for name in CLASSES]
SHIFT = [0.9, -0.3, -1.2]


def fold_table(fold: int, seed: int = 0, n_windows: int = 6) -> pd.DataFrame:
    """A valid `test.tsv` of the patients `s<fold>0` and `s<fold>1`."""
    rng = np.random.default_rng([seed, fold])
    p = rng.dirichlet(np.ones(3), n_windows).astype(np.float32).astype(float)
    number = np.arange(n_windows)
    table = pd.DataFrame(
        {
            "window": number * 10 + fold,
            "patient": [f"s{fold}{i % 2}" for i in number],
            "recording": [f"s{fold}{i % 2}_r" for i in number],
            "onset": number * 5.0,
            "fold": fold,
            "label": [*[CLASSES[i % 3] for i in number[1:]], ""],
            "predicted": np.array(CLASSES)[p.argmax(1)],
        }
    )
    table[NAMES] = p
    return table


@pytest.fixture
def parts(tmp_path):
    """Files of three ranks and three folds."""
    files = {}
    for rank in (2, 1, 3):
        for fold in (3, 1, 2):
            path = tmp_path / f"fold{fold}" / f"rank{rank}" / "test.tsv"
            write_table(path, fold_table(fold, seed=rank))
            write_calibration(path.parent, CLASSES, SHIFT, temperature=1 + 0.1 * rank)
            files.setdefault(rank, []).append(path)
    return files


def change(path, row, column, value):
    """Replace a cell of a table."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    table.loc[row, column] = value
    table.to_csv(path, sep="\t", index=False)


def test_columns_and_order_of_pooled_predictions(parts):
    pooled = pool_predictions(parts, CLASSES)
    assert list(pooled.columns) == [
        *("member", "window", "patient", "recording", "onset", "fold", "label", "predicted"),
        *(*NAMES, *RAW),
    ]
    assert pooled["member"].unique().tolist() == ["rank1", "rank2", "rank3", "ensemble"]
    for _, predictions in pooled.groupby("member"):
        assert predictions["window"].tolist() == sorted(10 * i + fold for i in range(6) for fold in (1, 2, 3))
    assert (pooled["label"] == "").sum() == 4 * 3


def test_members_are_sorted_by_rank_number(parts):
    ranks = {1: parts[1], 10: parts[3], 2: parts[2]}
    assert pool_predictions(ranks, CLASSES)["member"].unique().tolist() == [
        "rank1",
        "rank2",
        "rank10",
        "ensemble",
    ]


def test_ensemble_is_the_mean_of_the_written_probabilities(parts, tmp_path):
    write_table(tmp_path / "predictions.tsv", pool_predictions(parts, CLASSES))
    written = pd.read_csv(tmp_path / "predictions.tsv", sep="\t")
    ensemble = written[written["member"] == "ensemble"]
    for names in (NAMES, RAW):
        ranks = [written[written["member"] == f"rank{r}"][names].to_numpy() for r in (1, 2, 3)]
        mean = (ranks[0] + ranks[1] + ranks[2]) / 3
        np.testing.assert_allclose(ensemble[names].to_numpy(), mean, rtol=5.1e-9, atol=0)
    assert ensemble["predicted"].tolist() == [CLASSES[i] for i in ensemble[RAW].to_numpy().argmax(1)]


def test_calibrated_probabilities_follow_from_the_raw_ones_and_the_file(parts):
    pooled = pool_predictions(parts, CLASSES)
    for rank in parts:
        rows = pooled[pooled["member"] == f"rank{rank}"]
        expected = softmax(np.log(rows[RAW].to_numpy()) / (1 + 0.1 * rank) + SHIFT, axis=1)
        np.testing.assert_allclose(rows[NAMES], expected, rtol=1e-8)
        files = pd.concat([pd.read_csv(path, sep="\t") for path in parts[rank]]).sort_values("window")
        np.testing.assert_array_equal(rows[RAW].to_numpy(), files[NAMES].to_numpy())
        assert rows["predicted"].tolist() == files["predicted"].tolist()
    assert (pooled["predicted"] != np.array(CLASSES)[pooled[NAMES].to_numpy().argmax(1)]).any()


def test_predictions_without_their_calibration_are_refused(parts):
    path = parts[2][1].with_name("calibration.json")
    path.unlink()
    with pytest.raises(InputError, match=r"calibration.json: no such file; .* retrain"):
        pool_predictions(parts, CLASSES)
    write_calibration(path.parent, CLASSES[::-1])
    with pytest.raises(InputError, match="classes generalized, focal, background, expected background, focal"):
        pool_predictions(parts, CLASSES)


def test_written_probabilities_equal_those_in_memory(parts, tmp_path):
    pooled = pool_predictions(parts, CLASSES)
    write_table(tmp_path / "predictions.tsv", pooled)
    written = pd.read_csv(tmp_path / "predictions.tsv", sep="\t")
    np.testing.assert_array_equal(written[NAMES + RAW].to_numpy(), pooled[NAMES + RAW].to_numpy())


def test_first_class_is_predicted_on_a_tie(tmp_path):
    paths = {}
    for rank, p in ((1, (0.2, 0.6, 0.2)), (2, (0.6, 0.2, 0.2))):
        table = fold_table(1, n_windows=1)
        table[NAMES] = [p]
        table["predicted"] = CLASSES[int(np.argmax(p))]
        paths[rank] = [tmp_path / f"rank{rank}/test.tsv"]
        write_table(paths[rank][0], table)
        write_calibration(tmp_path / f"rank{rank}", CLASSES)
    assert pool_predictions(paths, CLASSES)["predicted"].tolist() == ["focal", "background", "background"]


@settings(max_examples=25)
@given(st.lists(st.integers(1, 10**6), min_size=3, max_size=3), st.integers(1, 7))
def test_ensemble_of_equal_ranks_equals_the_rank(tmp_path_factory, counts, n_ranks):
    p = np.array(counts) / sum(counts)
    table = fold_table(1, n_windows=1)
    table[NAMES] = [p]
    written = [float(f"{value:.9g}") for value in p]
    table["predicted"] = CLASSES[int(np.argmax(written))]
    path = tmp_path_factory.mktemp("equal") / "test.tsv"
    write_table(path, table)
    write_calibration(path.parent, CLASSES, SHIFT)
    pooled = pool_predictions({rank: [path] for rank in range(1, n_ranks + 1)}, CLASSES)
    assert pooled[RAW].iloc[-1].tolist() == written
    assert pooled[NAMES].iloc[-1].tolist() == pooled[NAMES].iloc[0].tolist()
    assert len(set(pooled["predicted"])) == 1


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("p_focal", "nan", "p_focal"),
        ("p_focal", "inf", "p_focal"),
        ("p_focal", "-0.1", "p_focal"),
        ("p_focal", "much", "p_focal"),
        ("p_focal", "", "p_focal"),
        ("predicted", "sz", "predicted is 'sz'"),
        ("label", "sz", "label is 'sz', expected background, focal, generalized or empty"),
        ("window", "1.5", "window is '1.5'"),
        ("fold", "", "fold is 'nan'"),
        ("fold", "3", "fold is '3'"),
        ("onset", "late", "onset is 'late'"),
        ("patient", "", "patient is ''"),
    ],
)
def test_error_names_the_wrong_cell(parts, column, value, message):
    path = parts[2][1]
    change(path, 2, column, value)
    with pytest.raises(InputError) as caught:
        pool_predictions(parts, CLASSES)
    assert f"{path}: line 4 " in str(caught.value) and message in str(caught.value)


def test_probabilities_that_do_not_sum_to_one_are_refused(parts):
    path = parts[1][0]
    table = fold_table(3, seed=1)
    table.loc[1, "p_focal"] += 2e-6
    write_table(path, table)
    with pytest.raises(InputError, match=r"line 3 .*sum to 1 within 1e-6"):
        pool_predictions(parts, CLASSES)


def test_predicted_class_without_the_largest_probability_is_refused(parts):
    path = parts[1][0]
    table = fold_table(3, seed=1)
    table.loc[0, "predicted"] = CLASSES[(CLASSES.index(table["predicted"][0]) + 1) % 3]
    write_table(path, table)
    with pytest.raises(InputError, match=r"line 2 .*first class of largest probability"):
        pool_predictions(parts, CLASSES)


def test_columns_of_another_class_set_are_refused(parts):
    with pytest.raises(InputError, match=r"columns .* expected .*p_seizure"):
        pool_predictions(parts, ["background", "seizure"])


def test_ranks_with_different_windows_are_refused(parts):
    path = parts[3][1]
    complete = fold_table(1, seed=3)
    write_table(path, complete.drop(index=4))
    with pytest.raises(InputError) as caught:
        pool_predictions(parts, CLASSES)
    assert str(caught.value).startswith(f"{path}: no row of window 41")
    extra = pd.concat([complete, complete.tail(1).assign(window=999)])
    write_table(path, extra)
    with pytest.raises(InputError) as caught:
        pool_predictions(parts, CLASSES)
    assert str(caught.value).startswith(f"{path}: window 999 has no row in rank 1")


def test_ranks_with_different_labels_are_refused(parts):
    path = parts[3][1]
    change(path, 5, "label", "focal")
    with pytest.raises(InputError) as caught:
        pool_predictions(parts, CLASSES)
    assert str(caught.value).startswith(f"{path}: window 51 has label 'focal', rank 1 has ''")


def test_a_window_in_two_folds_is_refused(parts):
    for rank in parts:
        for path in parts[rank]:
            if "fold2" in str(path):
                change(path, 0, "window", "1")
    with pytest.raises(InputError, match=r"window 1 has more than one row \(in .*(fold1.*fold2|fold2.*fold1)"):
        pool_predictions(parts, CLASSES)


def test_a_patient_in_two_folds_is_refused(parts):
    for rank in parts:
        for path in parts[rank]:
            if "fold2" in str(path):
                change(path, 0, "patient", "s10")
    with pytest.raises(InputError, match=r"patient 's10' is tested in fold 1 and in fold 2.*leak"):
        pool_predictions(parts, CLASSES)


def test_single_folds_may_be_empty_but_not_all_folds(parts):
    for rank in parts:
        write_table(parts[rank][0], fold_table(3, seed=rank).head(0))
    assert set(pool_predictions(parts, CLASSES)["fold"]) == {1, 2}
    for rank in parts:
        for path in parts[rank]:
            write_table(path, fold_table(3, seed=rank).head(0))
    with pytest.raises(InputError, match="no predictions"):
        pool_predictions(parts, CLASSES)
    with pytest.raises(InputError, match="no test predictions given"):
        pool_predictions({}, CLASSES)


def test_leading_zeros_of_patient_names_are_kept(tmp_path):
    table = fold_table(1).assign(patient="007")
    write_table(tmp_path / "test.tsv", table)
    assert set(read_predictions(tmp_path / "test.tsv", CLASSES)["patient"]) == {"007"}


def test_validation_predictions_of_every_outer_fold(parts):
    """The windows of two validation folds in one file, as with one inner fold of several outer ones."""
    for paths in parts.values():
        tables = [pd.read_csv(path, sep="\t", keep_default_na=False, dtype=str) for path in paths]
        for number, path in enumerate(paths):
            others = pd.concat([table for other, table in enumerate(tables) if other != number])
            write_table(path.with_name("validation.tsv"), others)
    found = validation_predictions(parts, CLASSES)
    pooled = pool_predictions(parts, CLASSES)
    assert list(found) == sorted(pooled["fold"].unique())
    for fold, table in found.items():
        expected = pooled[pooled["fold"] != fold].reset_index(drop=True)
        pd.testing.assert_frame_equal(table, expected)
