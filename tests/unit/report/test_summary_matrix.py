"""Summary of a matrix of models and spectrograms: heat map, groups of ties, scores and costs."""

import re

import numpy as np
import pandas as pd
import pytest

from eegwf.config.paths import Combination, ResultPaths
from eegwf.evaluation.compared_runs import RunComparison
from eegwf.evaluation.comparison import all_pairs
from eegwf.report.drawn_intervals import segments
from eegwf.report.summary_comparison import ties_sentence
from eegwf.report.summary_costs import training_cost
from eegwf.storage.files import read_json, write_json
from tests.helpers.report_page import column, tables_of
from tests.helpers.summary_study import write_matrix, write_summary

SCORES = "Scores of the primary member on the pooled test folds, with confidence intervals"
MODELS, SPECTROGRAMS = ("vit", "lstm", "swin"), ("mel", "cwt")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Folder of a study of three models on two spectrograms, but for one combination, with a summary."""
    folder = tmp_path_factory.mktemp("matrix") / "results"
    combinations = write_matrix(folder, MODELS, SPECTROGRAMS)[:-1]
    write_summary(folder, combinations)
    return folder


@pytest.fixture(scope="module")
def page(results):
    return (results / "summary.html").read_text()


@pytest.fixture(scope="module")
def table(results):
    rows = pd.read_csv(results / "summary.tsv", sep="\t")
    return rows[rows["primary"]].astype({"tie_group": int}).set_index(["model", "spectrogram"])


def entry(results, model, spectrogram):
    metrics = read_json(results / f"{model}_{spectrogram}_2class/metrics.json")
    return metrics["members"][metrics["primary"]]["balanced_accuracy"]


def test_heat_map_and_its_table_have_the_scores_of_the_files(results, page, table):
    rows = tables_of(page)["Balanced accuracy by model and spectrogram: confidence interval; group of ties"]
    assert sorted(rows[0]) == sorted(["model", *SPECTROGRAMS])
    alt = re.search(r'aria-label="(Balanced accuracy by model and spectrogram, 2class: [^"]*)"', page)[1]
    for model in MODELS:
        for spectrogram in SPECTROGRAMS:
            cell = column(rows, spectrogram)[model]
            if (model, spectrogram) == ("swin", "cwt"):
                assert cell == "" and "swin · cwt" not in page
                continue
            found = entry(results, model, spectrogram)
            text = f"{found['low']:.3f} to {found['high']:.3f}"
            group = table["tie_group"][model, spectrogram]
            assert cell == f"{found['value']:.3f} {text}; {group}"
            tied = ", group 1" if group == 1 else ""
            assert f"{model} · {spectrogram} {found['value']:.3f} ({text}{tied})" in alt


def test_groups_of_ties_are_those_of_the_comparison(results, page, table):
    pairs = pd.read_csv(results / "comparison.tsv", sep="\t", keep_default_na=False)
    best = pairs["first"].iloc[0]
    apart = set(pairs.loc[(pairs["first"] == best) & (pairs["told_apart"] != ""), "second"])
    groups = {f"{model}_{spectrogram}_2class": group for (model, spectrogram), group in table["tie_group"].items()}
    assert apart == {name for name, group in groups.items() if group > 1} and 0 < len(apart) < len(groups) - 1
    assert f"group 1 of {max(groups.values())}" in page
    assert (table["like_best"].astype(bool) == (table["tie_group"] == 1)).all()
    found = {name: int(group) for name, group in column(tables_of(page)[SCORES], "group of ties").items()}
    assert {f"{name.replace(' · ', '_')}_2class": group for name, group in found.items()} == groups


def test_sentence_on_ties():
    def sentence(n, *apart_from_best):
        """Sentence for `n` combinations, some of which are told apart from the best one."""
        names, pairs = [f"m{number}" for number in range(n)], all_pairs(n)
        told = (pairs[:, 0] == 0) & np.isin(pairs[:, 1], apart_from_best)
        compared = RunComparison(names, {}, pairs, None, np.where(told, 0.0, 1.0) * np.ones((2, 1)), 0.95)
        return ties_sentence(compared, {name: name for name in names})

    assert sentence(1) == ""
    assert sentence(3, 1, 2).startswith("A test tells m0 apart from every other combination: it is alone in group 1")
    assert sentence(3, 2).startswith(
        "No test tells m1 apart from m0, which has the highest score: they are group 1 of 2"
    )
    assert "further group" in sentence(3, 2) and "further group" not in sentence(3)
    assert "m12 and 7 others apart from m0" in sentence(20)


def test_costs_are_those_of_the_ledger(results, page, table):
    shown = tables_of(page)[SCORES]
    gpu, cpu = column(shown, "GPU (hours)"), column(shown, "CPU (hours)")
    for (model, spectrogram), row in table.iterrows():
        ledger = pd.read_csv(results / f"{model}_{spectrogram}_2class/ledger.tsv", sep="\t")
        seconds, on_gpu = ledger["seconds"].sum(), ledger["gpu_seconds"].sum()
        assert (row["training_seconds"], row["training_gpu_seconds"]) == pytest.approx((seconds, on_gpu), rel=1e-8)
        name = f"{model} · {spectrogram}"
        assert float(gpu[name]) == pytest.approx(on_gpu / 3600, rel=5e-3)
        assert float(cpu[name]) == pytest.approx((seconds - on_gpu) / 3600, rel=5e-3, abs=1e-9)
    assert "Balanced accuracy against the time of tuning and retraining, 2class: swin_mel_2class 25 min" in page


def test_cost_is_unknown_if_that_of_a_stage_is(tmp_path):
    run = ResultPaths(tmp_path).run(Combination("vit", "mel", "2class"))
    run.folder.mkdir()
    run.ledger.write_text("stage\tseconds\tgpu_seconds\ntune\t8\t4\nretrain\t2\t\nevaluate\t50\t50\n")
    cost = training_cost(run)
    assert cost.seconds == 10 and np.isnan([cost.gpu_seconds, cost.cpu_seconds]).all() and not cost.on_gpu


def test_table_of_scores_is_sortable_and_links_the_reports(results, page):
    names = {path.parent.name for path in results.glob("*/metrics.json")} - {"swin_cwt_2class"}
    start = page.index('<table class="sortable" data-filter="')
    links = re.findall(r'<a href="([^"]*)">', page[start : page.index("</table>", start)])
    assert {link.removesuffix("/report.html") for link in links} == names and len(links) == len(names)
    assert "<script>" in page and "script-src 'sha256-" in page


def test_undefined_scores_are_drawn_and_named(results, tmp_path):
    path = results / "lstm_cwt_2class/metrics.json"
    text = path.read_text()
    metrics = read_json(path)
    undefined = {"value": None, "low": None, "high": None}
    metrics["members"][metrics["primary"]]["auroc"] |= undefined
    write_json(path, metrics)
    page = write_summary(results, [Combination("lstm", "cwt", "2class"), Combination("vit", "mel", "2class")], tmp_path)
    path.write_text(text)
    shown = tables_of(page)[SCORES]
    assert column(shown, "AUROC")["lstm · cwt"] == "undefined"


def test_many_combinations_fold_up_the_intervals(results, page, tmp_path):
    heading = "<summary>Confidence intervals of all combinations</summary>"
    assert heading not in page
    many = write_matrix(tmp_path / "results", [f"m{number}" for number in range(13)], SPECTROGRAMS)
    assert heading in write_summary(tmp_path / "results", many)


def test_segments_are_separated_by_gaps():
    x, y = segments([(0, 1), (2, 3)], np.array([[4, 4], [5, 6]]))
    np.testing.assert_array_equal(x, [0, 1, np.nan, 2, 3, np.nan])
    np.testing.assert_array_equal(y, [4, 4, np.nan, 5, 6, np.nan])
