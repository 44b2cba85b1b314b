"""The summary: its numbers are those of each combination's files."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from eegwf.report.summary import n_weights, summarise
from eegwf.storage.files import read_json, write_json
from tests.helpers.report_study import write_study

COMBINATIONS = [("vit", "mel", "2class"), ("vit", "cwt", "2class"), ("vit", "mel", "3class")]


def describe(folder, mode="per_fold", permuted=False):
    write_json(folder / "run.json", {"config": {"tuning": {"mode": mode}, "permute_labels": permuted}})


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "results"
    for number, (model, spectrogram, classes) in enumerate(COMBINATIONS):
        write_study(folder, classes, spectrogram)
        weights = {"a": torch.zeros(3, 4), "b": torch.zeros(number + 1), "c": torch.tensor(1)}
        describe(folder / f"{model}_{spectrogram}_{classes}")
        rank = folder / f"{model}_{spectrogram}_{classes}" / "fold1" / "retrain" / "rank1"
        rank.mkdir(parents=True, exist_ok=True)
        save_file(weights, rank / "model.safetensors")
    summarise(folder, COMBINATIONS, folder / "summary.tsv", folder / "summary.html")
    return folder


def test_a_row_for_each_combination_and_member(results):
    table = pd.read_csv(results / "summary.tsv", sep="\t")
    assert len(table) == 2 * len(COMBINATIONS)
    for row in table.to_dict("records"):
        metrics = read_json(results / f"{row['model']}_{row['spectrogram']}_{row['classes']}" / "metrics.json")
        for kind in ("balanced_accuracy", "macro_f1", "auroc", "auprc"):
            entry = metrics["members"][row["member"]][kind]
            found = [row[kind], row[f"{kind}_low"], row[f"{kind}_high"]]
            np.testing.assert_allclose(found, [entry["value"], entry["low"], entry["high"]], rtol=1e-8)
        assert row["primary"] == (row["member"] == metrics["primary"])
        assert row["floor"] == pytest.approx(max(of["balanced_accuracy"] for of in metrics["floors"].values()))
        assert row["n_windows"] == metrics["n_windows"]
    assert list(table["n_weights"].unique()) == [14, 15, 16]


def test_weights_are_counted_without_being_read(results):
    assert n_weights(results / "vit_mel_2class") == 3 * 4 + 1 + 1


def test_the_page_names_every_combination_and_its_report(results):
    page = (results / "summary.html").read_text()
    links = re.findall(r'href="(\w+/report\.html)"', page)
    assert sorted(links) == sorted(f"{'_'.join(one)}/report.html" for one in COMBINATIONS)
    for one in COMBINATIONS:
        value = read_json(results / "_".join(one) / "metrics.json")["members"]["ensemble"]["balanced_accuracy"]["value"]
        assert f"{'_'.join(one)} {value:.3f} (" in page  # in the figure's alternative text
    assert "://" not in re.sub(r'xmlns(:xlink)?="http://www.w3.org/[^"]*"', "", page)


def test_better_scores_stand_first(results):
    page = (results / "summary.html").read_text()
    found = {"_".join(one): read_json(results / "_".join(one) / "metrics.json") for one in COMBINATIONS[:2]}
    order = sorted(found, key=lambda name: -found[name]["members"]["ensemble"]["balanced_accuracy"]["value"])
    assert re.findall(r'href="(\w+_2class)/', page) == order


def test_what_is_no_result_is_marked_in_table_page_and_figure(results, tmp_path):
    shown = {
        "vit_mel_2class": ("once", False),
        "vit_cwt_2class": ("per_fold", True),
        "vit_mel_3class": ("per_fold", False),
    }
    for name, (mode, permuted) in shown.items():
        describe(results / name, mode, permuted)
    summarise(results, COMBINATIONS, tmp_path / "summary.tsv", tmp_path / "summary.html")
    for name in shown:
        describe(results / name)
    table = pd.read_csv(tmp_path / "summary.tsv", sep="\t", keep_default_na=False)
    found = {"_".join(row[:3]): row[3] for row in table[["model", "spectrogram", "classes", "caution"]].to_numpy()}
    assert list(found.values()) == ["optimistic", "permuted labels", ""]
    page = (tmp_path / "summary.html").read_text()
    assert "optimistic (vit_mel_2class): parameters of all folds" in page
    assert "permuted labels (vit_cwt_2class): a control" in page
    assert "caution: optimistic" in page and '<td class="text">permuted labels</td>' in page


def test_honest_runs_have_no_caution(results):
    assert pd.read_csv(results / "summary.tsv", sep="\t")["caution"].isna().all()
    assert "optimistic" not in (results / "summary.html").read_text()
