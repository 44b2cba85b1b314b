"""Control with permuted labels: the scores of nested tuning must be at chance level."""

import numpy as np
import pytest
import scipy.stats

from eegwf.config.evaluation import Evaluation
from eegwf.evaluation.evaluate import evaluate
from eegwf.jobs import retrain
from eegwf.storage.files import read_json, read_table
from tests.helpers.study import CLASSES, retrain_settings, tune_config, write_study
from tests.helpers.tuning import run_study

FOLDS = (1, 2, 3)


def run(folder, permuted: bool, seed: int = 3):
    """Tune, retrain and test each fold; return tuned values, test score of the ensemble, test scores of rank 1."""
    config = tune_config(permute_labels=permuted, seed=seed)
    config["tuning"] |= {"n_trials": 10}
    tests = {1: [], 2: []}
    tuned = []
    for fold in FOLDS:
        out = folder / f"fold{fold}"
        out.mkdir(parents=True)
        run_study(folder.parent, out, config, fold=fold)
        tuned.append(read_json(out / "best.json")[0]["value"])
        retrain.run(
            settings=retrain_settings(config),
            name=f"vit_mel_3class_fold{fold}",
            fold=fold,
            code="x",
            windows=folder.parent / "windows.tsv",
            folds=folder.parent / "folds.tsv",
            arrays=[folder.parent / "mel.npy"],
            best=out / "best.json",
            state=out / "state",
            output=out,
        )
        for rank, paths in tests.items():
            paths.append(out / f"rank{rank}" / "test.tsv")
    windows = read_table(folder.parent / "windows.tsv", text=("recording", "patient", "label"))
    metrics = evaluate(tests, windows, CLASSES, Evaluation(n_bootstrap=200), 1).metrics
    return np.array(tuned), metrics["members"]["ensemble"]["balanced_accuracy"], metrics["members"]["rank1"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"), n_patients=12, per_label=5)


@pytest.mark.slow
def test_permuted_labels_give_chance_level_in_testing_and_optimism_in_tuning(study):
    """Five permutations, since the bootstrap of patients does not include the variation between permutations."""
    runs = [run(study / f"permuted{seed}", True, seed) for seed in range(5)]
    tested = np.array([ensemble["value"] for _, ensemble, _ in runs])
    interval = scipy.stats.t.interval(0.95, len(tested) - 1, tested.mean(), scipy.stats.sem(tested))
    assert interval[0] < 1 / 3 < interval[1]
    assert sum(ensemble["low"] < 1 / 3 < ensemble["high"] for _, ensemble, _ in runs) >= 4
    # The validation score of the best of ten trials is above chance level, and above the test score.
    tuned = np.array([tuned.mean() for tuned, _, _ in runs])
    assert tuned.min() > 0.37
    assert np.mean(tuned - [first["balanced_accuracy"]["value"] for _, _, first in runs]) > 0.05
    # The true labels of the same windows can be learned.
    _, ensemble, _ = run(study / "true", False)
    assert ensemble["low"] > 0.5
