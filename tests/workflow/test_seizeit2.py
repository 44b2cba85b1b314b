"""A data set with the channels of SeizeIT2 runs to its report with the aliases of its configuration file."""

import re

import pandas as pd
import pytest
import yaml

from eegwf.storage.files import read_json
from tests.helpers.running import ROOT, TINY
from tests.helpers.seizeit2 import OTHERS, write_seizeit2


@pytest.mark.slow
def test_seizeit2_runs_to_its_report(snakemake, tmp_path):
    write_seizeit2(tmp_path / "data/seizeit2")
    tiny = yaml.safe_load(TINY.read_text())
    grids = {name: grid | {"f_max": 60} for name, grid in tiny["spectrograms"].items()}
    small = {
        "spectrograms": grids,
        "signals": {"sfreq": 128, "notch": []},
        "windows": {"length": 4, "step": 4, "guard": 2},
        "models": {"vit": {"fixed": tiny["models"]["vit"]["fixed"]}},
        "training": {"epochs": 1, "class_balance": "weights"},
        "tuning": {"n_trials": 1, "n_startup_trials": 1, "inner_folds": 1},
        "retrain": {"n_best": 1},
        **{name: tiny[name] for name in ("folds", "evaluation", "explanation")},
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(small))
    configs = [ROOT / "config/datasets/seizeit2.yaml", tmp_path / "small.yaml"]
    snakemake(tmp_path, "--cores", "2", "results/seizeit2/vit_mel_2class/report.html", configs=configs)
    results = tmp_path / "results/seizeit2"
    assert read_json(results / "spectrograms/mel.json")["ch_names"] == ["BTE", "CROSS"]
    recordings = pd.read_csv(results / "data/recordings.tsv", sep="\t", keep_default_na=False)
    assert set(recordings["dropped"]) == {"; ".join(OTHERS)} and set(recordings["excluded"]) == {""}
    page = (results / "vit_mel_2class/report.html").read_text()
    assert re.search(r"\bCROSS\b", page) and "BTEleft SD" in page
