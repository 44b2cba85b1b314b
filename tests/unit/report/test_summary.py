"""Summary: numbers equal those of the files of each combination."""

import re
import shutil
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from sklearn.metrics import balanced_accuracy_score

from eegwf.config.load import load_study
from eegwf.config.paths import Combination, ResultPaths
from eegwf.evaluation.baseline_choice import choose_baseline
from eegwf.report.against_baseline import against_baseline
from eegwf.report.summary import summarize
from eegwf.report.summary_costs import training_cost
from eegwf.report.summary_data import n_weights
from eegwf.storage.files import read_json, read_table, write_json, write_table
from tests.helpers.report_study import ROOT, write_study
from tests.helpers.split_by_window import make_found

COMBINATIONS = [
    Combination("vit", "mel", "2class"),
    Combination("vit", "cwt", "2class"),
    Combination("vit", "mel", "3class"),
]


CHOICES = {"2class": choose_baseline({"bandpower_cwt_2class": [0.5, 0.7]})}


def describe(folder, mode="per_fold", permuted=False):
    """Write the configuration of a combination to `run.json`."""
    overrides = {"tuning": {"mode": mode, "allow_optimistic": mode == "once"}, "permute_labels": permuted}
    study = load_study(ROOT / "config/config.yaml", [], overrides).design()
    write_json(folder / "run.json", {"config": study.model_dump(mode="json")})


def write_summary(results, output, combinations=COMBINATIONS, choices=MappingProxyType({})):
    """Write the summary of combinations to a folder."""
    files = [output / name for name in ("summary.tsv", "comparison.tsv", "summary.html")]
    summarize(ResultPaths(results), combinations, *files, choices=choices)


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
    write_summary(folder, folder)
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
    assert n_weights(ResultPaths(results).run(COMBINATIONS[0])) == 3 * 4 + 1 + 1


def test_page_links_the_report_of_every_combination(results):
    page = (results / "summary.html").read_text()
    links = re.findall(r'href="(\w+/report\.html)"', page)
    assert sorted(links) == sorted(f"{combination.name}/report.html" for combination in COMBINATIONS)
    for combination in COMBINATIONS:
        members = read_json(results / combination.name / "metrics.json")["members"]
        value = members["ensemble"]["balanced_accuracy"]["value"]
        name = f"{combination.model} · {combination.spectrogram}"
        assert page.count(f"{name} {value:.3f} (") == 2  # in the alternative texts of two figures
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
    write_summary(results, tmp_path)
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


def as_bandpower(results, folder, worse):
    """A study of `vit` on two spectrograms, and `bandpower` on one of them, with the same predictions or worse ones."""
    names = ["vit_mel_2class", "vit_cwt_2class", "bandpower_cwt_2class"]
    for name in names:
        shutil.copytree(results / "vit_mel_2class", folder / name)
    path = folder / names[2] / "predictions.tsv"
    predictions = read_table(path, text=("patient", "recording", "label", "predicted", "member"))
    if worse:
        predictions["predicted"] = np.random.default_rng(0).permutation(predictions["predicted"])
        metrics = read_json(folder / names[2] / "metrics.json")
        scored = predictions[(predictions["member"] == metrics["primary"]) & (predictions["label"] != "")]
        value = balanced_accuracy_score(scored["label"], scored["predicted"])
        metrics["members"][metrics["primary"]]["balanced_accuracy"] = {"value": value, "low": 0.4, "high": 0.6}
        write_json(folder / names[2] / "metrics.json", metrics)
    write_table(path, predictions)
    for name, seconds in zip(names, (7200.0, 3600.0, 36.0), strict=True):
        stages = {"stage": ["tune", "retrain", "evaluate", "total"], "seconds": [seconds - 1, 1, 5, seconds + 5]}
        stages |= {"gpu_seconds": [seconds - 1, 0, 0, seconds - 1] if seconds > 5000 else [0, 0, 0, 0]}
        write_table(folder / name / "ledger.tsv", pd.DataFrame(stages))
    combinations = [Combination.parse(name) for name in names]
    write_summary(folder, folder, combinations, CHOICES)
    return combinations


def test_differences_are_in_tables_and_page(results, tmp_path):
    as_bandpower(results, tmp_path, worse=True)
    table = pd.read_csv(tmp_path / "summary.tsv", sep="\t")
    rows = table[table["primary"]].set_index(["model", "spectrogram"])
    others = table[~table["primary"]]
    assert others[["difference_best", "p_folds_classical", "training_seconds", "like_best"]].isna().all(axis=None)
    scores, baseline = rows["balanced_accuracy"], rows["balanced_accuracy"]["bandpower", "cwt"]
    for spectrogram in ("mel", "cwt"):
        row = rows.loc["vit", spectrogram]
        assert row["versus_classical"] == "bandpower_cwt_2class"
        assert row["difference_classical"] == pytest.approx(scores["vit", spectrogram] - baseline, abs=1e-8)
        assert 0 < row["low_classical"] < row["difference_classical"] < row["high_classical"]
        assert row["p_patients_classical"] < 0.05
    equal = rows.loc["vit", "cwt"]
    assert (equal["versus_best"], equal["difference_best"], equal["p_patients_best"]) == ("vit_mel_2class", 0, 1)
    itself = [name for name in table if name.endswith("_classical")]
    assert len(itself) == 6 and rows.loc[("bandpower", "cwt"), itself].isna().all()
    assert rows["like_best"].astype(bool).tolist() == [True, True, False]
    assert rows["tie_group"].tolist() == [1, 1, 2]
    assert rows["training_seconds"].tolist() == [7200, 3600, 36]
    assert rows["training_gpu_seconds"].tolist() == [7199, 0, 0]
    pairs = pd.read_csv(tmp_path / "comparison.tsv", sep="\t", keep_default_na=False)
    assert list(pairs["classes"]) == ["2class"] * 3 and pairs["told_apart"].iloc[0] == ""
    assert pairs["p_patients_holm"].max() == 1
    page = (tmp_path / "summary.html").read_text()
    assert "2 combinations of 3 that no test tells apart from the highest score, vit · mel" in page
    assert "All 3 pairs" in page and "bandpower_cwt_2class 36 s" in page
    assert "bandpower_cwt_2class is the only classical combination of the class set." in page
    assert "told apart from classical baseline" in page


def test_the_baseline_of_each_class_set_is_the_chosen_one(results, tmp_path):
    combinations = as_bandpower(results, tmp_path, worse=True)
    # Chosen by validation scores, whatever the test scores are.
    choice = choose_baseline({"bandpower_cwt_2class": [0.5, 0.7], "vit_cwt_2class": [0.6, 0.7]})
    write_summary(tmp_path, tmp_path, combinations, {"2class": choice})
    table = pd.read_csv(tmp_path / "summary.tsv", sep="\t")
    primary = table[table["primary"]].set_index(["model", "spectrogram"])
    assert primary["versus_classical"].dropna().to_dict() == {
        ("vit", "mel"): "vit_cwt_2class",
        ("bandpower", "cwt"): "vit_cwt_2class",
    }
    assert primary["difference_classical"]["vit", "mel"] == 0 > primary["difference_classical"]["bandpower", "cwt"]
    page = (tmp_path / "summary.html").read_text()
    assert "vit_cwt_2class has the highest balanced accuracy on the validation windows" in page
    assert "bandpower_cwt_2class 0.600 and vit_cwt_2class 0.650." in page


def test_without_a_classical_combination_nothing_is_compared_with_one(results, tmp_path):
    combinations = as_bandpower(results, tmp_path, worse=True)
    write_summary(tmp_path, tmp_path, combinations)
    table = pd.read_csv(tmp_path / "summary.tsv", sep="\t")
    assert table[["versus_classical", "difference_classical", "p_folds_classical"]].isna().all(axis=None)
    assert "classical baseline" not in (tmp_path / "summary.html").read_text().lower()


def test_other_windows_are_named_and_not_compared(results, tmp_path):
    combinations = as_bandpower(results, tmp_path, worse=False)
    path = tmp_path / "vit_cwt_2class/predictions.tsv"
    path.write_text(path.read_text().replace("sub-02", "sub-77"))
    write_summary(tmp_path, tmp_path, combinations, CHOICES)
    assert "vit_cwt_2class is not compared: other windows, labels or folds" in (tmp_path / "summary.html").read_text()
    row = pd.read_csv(tmp_path / "summary.tsv", sep="\t").query("spectrogram == 'cwt' and model == 'vit' and primary")
    assert row[["difference_best", "difference_classical", "like_best"]].isna().all(axis=None)


def test_report_is_compared_with_bandpower(results, tmp_path):
    as_bandpower(results, tmp_path, worse=True)
    run, baseline = (ResultPaths(tmp_path).run(Combination(name, "cwt", "2class")) for name in ("vit", "bandpower"))
    text = against_baseline(run, baseline)
    assert text.startswith("Balanced accuracy minus that of bandpower_cwt_2class on the same windows: +0.")
    assert "the model is better than bandpower_cwt_2class" in text
    assert "the model is worse than vit_cwt_2class" in against_baseline(baseline, run)
    other = ResultPaths(tmp_path).run(Combination("vit", "mel", "2class"))
    same = against_baseline(run, other)
    assert "+0.000 (95 % confidence interval +0.000 to +0.000; p, patients: 1.000)" in same
    assert "mean of the folds +0.000 (p, folds: 1.000)" in same
    assert "No test tells the two apart" in same
    other.predictions.write_text(other.predictions.read_text().replace("sub-02", "sub-77"))
    assert against_baseline(run, other).startswith("vit_cwt_2class and vit_mel_2class can't be compared")


def test_combinations_without_ledger_have_no_cost(results):
    cost = training_cost(ResultPaths(results).run(COMBINATIONS[0]))
    assert np.isnan([cost.seconds, cost.gpu_seconds, cost.cpu_seconds]).all()
    assert "Balanced accuracy and computing time" not in (results / "summary.html").read_text()


def test_page_has_the_splits_by_window_of_their_class_set(results, tmp_path):
    heading = "What a split by window would have claimed"
    assert heading not in (results / "summary.html").read_text()
    file = ResultPaths(results).split_by_window("3class")
    write_json(file, make_found())
    write_summary(results, tmp_path)
    file.unlink()
    page = (tmp_path / "summary.html").read_text()
    assert page.count(heading) == 1 and page.index(heading) > page.index("Class set 3class")
    assert "is 0.930 instead of 0.710 (+0.220)" in page and "split by window, not a result" in page
    assert (tmp_path / "summary.tsv").read_bytes() == (results / "summary.tsv").read_bytes()
