"""The control with shuffled labels: nothing is to be learned, so what nested tuning reports must be chance."""

import numpy as np
import pytest
import scipy.stats

from eegwf.config.study import Evaluation
from eegwf.evaluation.evaluate import evaluate
from eegwf.jobs.retrain import retrain_fold
from eegwf.storage.files import read_json, read_table
from tests.helpers.study import CLASSES, tune_config, write_study
from tests.helpers.tuning import tune

FOLDS = (1, 2, 3)


def run(folder, permuted: bool, seed: int = 3):
    """Tune, retrain and test every fold; tuned values, first ranks' test scores, pooled score of the ensemble."""
    config = tune_config(permute_labels=permuted, seed=seed)
    config["tuning"] |= {"trials": 10}
    tests = {1: [], 2: []}
    tuned = []
    for fold in FOLDS:
        out = folder / f"fold{fold}"
        out.mkdir(parents=True)
        tune(folder.parent, out, config, fold=fold)
        tuned.append(read_json(out / "best.json")[0]["value"])
        slim = {key: value for key, value in config.items() if key not in ("tuning", "space")}
        files = {name: str(folder.parent / f"{name}.tsv") for name in ("windows", "folds")}
        retrain_fold(
            name=f"vit_mel_3class_fold{fold}",
            fold=fold,
            config=slim,
            code="x",
            arrays=[str(folder.parent / "mel.npy")],
            best=str(out / "best.json"),
            state=str(out / "state"),
            output=str(out),
            **files,
        )
        for rank, paths in tests.items():
            paths.append(out / f"rank{rank}" / "test.tsv")
    windows = read_table(folder.parent / "windows.tsv", text=("recording", "patient", "label"))
    metrics = evaluate(tests, windows, CLASSES, Evaluation(bootstrap=200), 1).metrics
    return np.array(tuned), metrics["members"]["ensemble"]["balanced_accuracy"], metrics["members"]["rank1"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"), n_patients=12, per_label=5)


def test_shuffled_labels_give_chance_on_the_test_folds_and_optimism_in_tuning(study):
    """Over five shuffles: the patients' bootstrap of one does not know how else it could have fallen."""
    shuffles = [run(study / f"permuted{seed}", True, seed) for seed in range(5)]
    tested = np.array([ensemble["value"] for _, ensemble, _ in shuffles])
    interval = scipy.stats.t.interval(0.95, len(tested) - 1, tested.mean(), scipy.stats.sem(tested))
    assert interval[0] < 1 / 3 < interval[1]
    assert sum(ensemble["low"] < 1 / 3 < ensemble["high"] for _, ensemble, _ in shuffles) >= 4
    # The best of ten trials on what can't be learned looks better than chance, and than it is.
    tuned = np.array([tuned.mean() for tuned, _, _ in shuffles])
    assert tuned.min() > 0.37
    assert np.mean(tuned - [first["balanced_accuracy"]["value"] for _, _, first in shuffles]) > 0.05
    # True labels of the same windows can be learned: it is the shuffling that takes it away.
    _, honest, _ = run(study / "true", False)
    assert honest["low"] > 0.5
