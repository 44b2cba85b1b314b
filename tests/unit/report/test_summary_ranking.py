"""Ranking of the attribution methods in the summary, from the evidence of the folds."""

import numpy as np
import pandas as pd

from eegwf.config.paths import RunPaths
from eegwf.report.evidence import ranking_table
from eegwf.report.judgment import judge
from eegwf.report.map_files import read_evidence, scored_folds
from eegwf.storage.files import write_json, write_table

TITLES = {"saliency": "saliency", "occlusion": "occlusion", "random": "random map", "energy": "energy of the input"}


def write_fold(run: RunPaths, fold: int, deletion: dict[str, float]) -> None:
    paths = run.fold(fold).attribution
    rng = np.random.default_rng(fold)
    rows = []
    for patient in range(4):
        name = f"sub-{fold}{patient}"
        for method in TITLES:
            value = deletion[method] + rng.normal(0, 0.01)
            rows += [(method, "deletion", "seizure", name, 3, value), (method, "cascade_1", "seizure", name, 3, 0.1)]
            rows.append((method, "deletion", "background", name, 3, 1 - value))
    columns = ["method", "measure", "target", "patient", "n_windows", "value"]
    write_table(paths.evidence, pd.DataFrame(rows, columns=columns))
    write_json(paths.description, {"classes": ["background", "seizure"], "titles": TITLES})


def test_methods_are_ranked_by_the_evidence_of_all_folds(tmp_path):
    run = RunPaths(tmp_path)
    write_table(run.predictions, pd.DataFrame({"fold": [1, 1, 2]}))
    for fold in (1, 2):
        write_fold(run, fold, {"saliency": 0.7, "occlusion": 0.3, "random": 0.6, "energy": 0.5})
    about, evidence = read_evidence(scored_folds(run))
    assert evidence["patient"].nunique() == 8 and about["titles"] == TITLES
    judged = judge(evidence, about["classes"][0], 0.95)
    assert [(one.method, one.word) for one in judged.verdicts] == [
        ("occlusion", "supported"),
        ("saliency", "unsupported"),
    ]
    table = ranking_table({"vit, mel": judged}, TITLES)
    assert table.columns == ["combination", "1", "2"]
    assert table.rows == [["vit, mel", ("occlusion", "supported"), ("saliency", "unsupported")]]


def test_a_run_without_maps_has_no_evidence(tmp_path):
    run = RunPaths(tmp_path)
    write_table(run.predictions, pd.DataFrame({"fold": [1]}))
    assert read_evidence(scored_folds(run)) is None
