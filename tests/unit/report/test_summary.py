"""Summary: numbers equal those of the files of each combination."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from eegwf.config.load import load_study
from eegwf.config.paths import Combination, ResultPaths
from eegwf.report.summary import n_weights, summarize
from eegwf.storage.files import read_json, write_json
from tests.helpers.report_study import ROOT, write_study

COMBINATIONS = [
    Combination("vit", "mel", "2class"),
    Combination("vit", "cwt", "2class"),
    Combination("vit", "mel", "3class"),
]


def describe(folder, mode="per_fold", permuted=False):
    """Write the configuration of a combination to `run.json`."""
    overrides = {"tuning": {"mode": mode, "allow_optimistic": mode == "once"}, "permute_labels": permuted}
    study = load_study(ROOT / "config/config.yaml", [], overrides).design()
    write_json(folder / "run.json", {"config": study.model_dump(mode="json")})


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Folder of three finished combinations with a summary."""
    folder = tmp_path_factory.mktemp("study") / "results"
    for number, combination in enumerate(COMBINATIONS):
        write_study(folder, combination.classes, combination.spectrogram)
        weights = {"a": torch.zeros(3, 4), "b": torch.zeros(number + 1), "c": torch.tensor(1)}
        describe(folder / combination.name)
        rank = folder / combination.name / "fold1" / "retrain" / "rank1"
        rank.mkdir(parents=True, exist_ok=True)
        save_file(weights, rank / "model.safetensors")
    summarize(ResultPaths(folder), COMBINATIONS, folder / "summary.tsv", folder / "summary.html")
    return folder


def test_table_has_a_row_for_each_combination_and_member(results):
    table = pd.read_csv(results / "summary.tsv", sep="\t")
    assert len(table) == 2 * len(COMBINATIONS)
    for row in table.to_dict("records"):
        metrics = read_json(results / f"{row['model']}_{row['spectrogram']}_{row['classes']}" / "metrics.json")
        for kind in ("balanced_accuracy", "macro_f1", "auroc", "auprc"):
            entry = metrics["members"][row["member"]][kind]
            values = [row[kind], row[f"{kind}_low"], row[f"{kind}_high"]]
            np.testing.assert_allclose(values, [entry["value"], entry["low"], entry["high"]], rtol=1e-8)
        assert row["primary"] == (row["member"] == metrics["primary"])
        assert row["baseline"] == pytest.approx(
            max(scores["balanced_accuracy"] for scores in metrics["baselines"].values())
        )
        assert row["n_windows"] == metrics["n_windows"]
    assert list(table["n_weights"].unique()) == [14, 15, 16]


def test_number_of_weights(results):
    assert n_weights(results / "vit_mel_2class/fold1/retrain/rank1/model.safetensors") == 3 * 4 + 1 + 1


def test_page_links_the_report_of_every_combination(results):
    page = (results / "summary.html").read_text()
    links = re.findall(r'href="(\w+/report\.html)"', page)
    assert sorted(links) == sorted(f"{combination.name}/report.html" for combination in COMBINATIONS)
    for combination in COMBINATIONS:
        members = read_json(results / combination.name / "metrics.json")["members"]
        value = members["ensemble"]["balanced_accuracy"]["value"]
        assert f"{combination.name} {value:.3f} (" in page  # in the figure's alternative text
    assert "://" not in re.sub(r'xmlns(:xlink)?="http://www.w3.org/[^"]*"', "", page)


def test_combinations_are_sorted_by_score(results):
    page = (results / "summary.html").read_text()
    metrics = {
        combination.name: read_json(results / combination.name / "metrics.json") for combination in COMBINATIONS[:2]
    }
    order = sorted(metrics, key=lambda name: -metrics[name]["members"]["ensemble"]["balanced_accuracy"]["value"])
    assert re.findall(r'href="(\w+_2class)/', page) == order


def test_cautions_are_in_table_page_and_figure(results, tmp_path):
    modes = {
        "vit_mel_2class": ("once", False),
        "vit_cwt_2class": ("per_fold", True),
        "vit_mel_3class": ("per_fold", False),
    }
    for name, (mode, permuted) in modes.items():
        describe(results / name, mode, permuted)
    summarize(ResultPaths(results), COMBINATIONS, tmp_path / "summary.tsv", tmp_path / "summary.html")
    for name in modes:
        describe(results / name)
    table = pd.read_csv(tmp_path / "summary.tsv", sep="\t", keep_default_na=False)
    cautions = {"_".join(row[:3]): row[3] for row in table[["model", "spectrogram", "classes", "caution"]].to_numpy()}
    assert list(cautions.values()) == ["optimistic", "permuted labels", ""]
    page = (tmp_path / "summary.html").read_text()
    assert "optimistic (vit_mel_2class): the hyperparameters of all folds" in page
    assert "permuted labels (vit_cwt_2class): permutation control" in page
    assert "caution: optimistic" in page and '<td class="text">permuted labels</td>' in page


def test_nested_tuning_has_no_caution(results):
    assert pd.read_csv(results / "summary.tsv", sep="\t")["caution"].isna().all()
    assert "optimistic" not in (results / "summary.html").read_text()
