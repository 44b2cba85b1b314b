"""Choice of the classical baseline from the files of a study."""

import numpy as np
import pandas as pd
import pytest

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.stages.evaluation import BaselineSettings
from eegwf.errors import InputError
from eegwf.jobs import baseline
from eegwf.storage.files import read_json, write_table

CLASSES = {"background": ["bckg"], "seizure": ["sz"]}
FOLDS, RANKS, N = [1, 2], [1, 2], 20
MEL, CWT, RAW = (Combination("bandpower", spectrogram, "2class") for spectrogram in ("mel", "cwt", "raw"))


def predictions(n_correct, fold):
    """Predictions of windows of both classes, the first of each of which are correct."""
    truth = np.arange(N) % 2
    seizure = np.where(np.arange(N) < 2 * n_correct, truth, 1 - truth) * 0.6 + 0.2
    names = np.array(list(CLASSES), dtype=object)
    table = pd.DataFrame({"window": np.arange(N), "patient": "a", "recording": "r", "onset": np.arange(N) * 5.0})
    table = table.assign(fold=fold, label=names[truth], predicted=names[(seizure > 0.5).astype(int)])
    return table.assign(p_background=1 - seizure, p_seizure=seizure)


def write_candidate(results, combination, validation, test, ranks=RANKS):
    """Write files of a combination; of each rank and fold, the given number of windows of each class is correct."""
    for fold in FOLDS:
        for rank in ranks:
            files = ResultPaths(results).run(combination).fold(fold).rank(rank)
            write_table(files.validation, predictions(validation, 3 - fold))
            write_table(files.test, predictions(test, fold))


def choose(results, candidates, **changes):
    settings = {"classes": CLASSES, "candidates": candidates, "folds": FOLDS, "ranks": RANKS} | changes
    output = results / "baseline_2class.json"
    baseline.run(BaselineSettings(**settings), results, output)
    return read_json(output)


def test_the_best_on_test_windows_is_not_chosen_if_it_is_worse_on_validation_windows(tmp_path):
    write_candidate(tmp_path, MEL, validation=6, test=10)
    write_candidate(tmp_path, CWT, validation=8, test=1)
    write_candidate(tmp_path, RAW, validation=7, test=9)
    choice = choose(tmp_path, [MEL, CWT, RAW])
    assert choice["baseline"] == CWT.name
    assert {one["combination"]: one["balanced_accuracy"] for one in choice["candidates"]} == {
        MEL.name: pytest.approx(0.6), CWT.name: pytest.approx(0.8), RAW.name: pytest.approx(0.7)
    }  # fmt: skip
    assert [one["per_fold"] for one in choice["candidates"]] == [pytest.approx([x, x]) for x in (0.6, 0.8, 0.7)]


def test_test_predictions_are_not_read(tmp_path):
    for number, combination in enumerate((MEL, CWT, RAW)):
        write_candidate(tmp_path, combination, validation=5 + number, test=9 - number)
    expected = choose(tmp_path, [MEL, CWT, RAW])
    for path in tmp_path.glob("*/fold*/retrain/rank*/test.tsv"):
        table = predictions(9, 1).assign(p_background=np.nan, p_seizure=np.nan)
        write_table(path, table)
    assert choose(tmp_path, [MEL, CWT, RAW]) == expected
    for path in tmp_path.glob("*/fold*/retrain/rank*/test.tsv"):
        path.unlink()
    assert choose(tmp_path, [MEL, CWT, RAW]) == expected


def test_the_primary_member_and_the_candidates_decide(tmp_path):
    write_candidate(tmp_path, MEL, validation=6, test=5)
    write_candidate(tmp_path, CWT, validation=8, test=5)
    write_candidate(tmp_path, MEL, validation=9, test=5, ranks=[2])
    assert choose(tmp_path, [MEL, CWT], ranks=[1])["baseline"] == CWT.name
    assert choose(tmp_path, [MEL, CWT], ranks=[2])["baseline"] == MEL.name
    assert choose(tmp_path, [CWT])["baseline"] == CWT.name


def test_without_candidates_the_message_says_what_to_add(tmp_path):
    with pytest.raises(InputError, match=r"no classical combination in the matrix.*; add bandpower to matrix\.models"):
        choose(tmp_path, [])
