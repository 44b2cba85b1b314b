"""A model beside the classical baseline: the report and the summary compare them."""

import re

import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from eegwf.config.load import validate_record
from eegwf.config.paths import Combination, ResultPaths
from eegwf.report.data import collect
from eegwf.report.selection import fold_scores
from eegwf.storage.files import read_json

COMBINATION = Combination("vit", "mel", "3class")
MATRIX = "matrix={models: [vit, bandpower], spectrograms: [mel, raw], classes: [2class]}"


def validation_score(run):
    """Balanced accuracy of the mean of both ranks on the validation windows, mean of the folds."""
    found = []
    for fold in (1, 2, 3):
        files = [run.fold(fold).rank(rank).validation for rank in (1, 2)]
        tables = [pd.read_csv(file, sep="\t", keep_default_na=False).query("label != ''") for file in files]
        p = sum(table[["p_background", "p_seizure"]].to_numpy() for table in tables)
        found.append(balanced_accuracy_score(tables[0]["label"] == "seizure", p.argmax(axis=1) == 1))
    return sum(found) / len(found)


@pytest.mark.slow
def test_report_and_summary_compare_with_the_baseline(snakemake, tmp_path):
    results = tmp_path / "results"
    planned = snakemake(tmp_path, "-n", "results/vit_mel_2class/report.html", "--config", MATRIX).stdout
    for spectrogram in ("mel", "raw"):
        assert f"Score bandpower on {spectrogram}, 2class" in planned
    assert "Choose the classical baseline" in planned and "Report bandpower" not in planned
    alone = snakemake(tmp_path, "-n", "results/vit_mel_2class/report.html").stdout
    assert "bandpower" not in alone and "Choose the classical baseline" not in alone
    assert "split_by_window" not in planned + alone
    snakemake(tmp_path, "--cores", "2", "--config", MATRIX)
    names = ["bandpower_mel_2class", "bandpower_raw_2class"]
    choice = read_json(results / "baseline_2class.json")
    scores = [validation_score(ResultPaths(results).run(Combination.parse(name))) for name in names]
    assert [one["combination"] for one in choice["candidates"]] == names
    assert [one["balanced_accuracy"] for one in choice["candidates"]] == pytest.approx(scores, abs=1e-9)
    chosen = choice["baseline"]
    assert chosen == names[int(scores[1] > scores[0])]
    for name in ("vit_mel_2class", *names):
        report = (results / name / "report.html").read_text()
        assert f"{chosen} has the highest balanced accuracy on the validation windows" in report
        assert (f"Balanced accuracy minus that of {chosen}" in report) == (name != chosen)
    table = pd.read_csv(results / "summary.tsv", sep="\t")
    primary = table[table["primary"]].set_index(["model", "spectrogram"])
    versus = primary["versus_classical"].dropna()
    assert set(versus) == {chosen} and len(versus) == 2
    difference = primary["balanced_accuracy"]["vit", "mel"] - primary["balanced_accuracy"][tuple(chosen.split("_")[:2])]
    assert primary["difference_classical"]["vit", "mel"] == pytest.approx(difference, abs=1e-8)
    assert (primary["training_seconds"] > 0).all()
    pairs = pd.read_csv(results / "comparison.tsv", sep="\t").set_index(["first", "second"])["difference"]
    compared = {frozenset(pair): value for pair, value in pairs.items()}
    assert len(pairs) == 3
    assert compared[frozenset(("vit_mel_2class", chosen))] == pytest.approx(abs(difference), abs=1e-8)
    page = (results / "summary.html").read_text()
    assert re.search(r"Balanced accuracy against the time of tuning", page)
    assert f"{chosen} has the highest balanced accuracy on the validation windows" in page
    split = read_json(results / "split_by_window_2class.json")
    windows = pd.read_csv(results / "data/windows.tsv", sep="\t")
    assert split["n_windows"] == windows["label"].notna().sum() and split["arrays"] == ["mel"]
    assert split["by_patient"]["shared"]["patient"] == 0 and split["by_window"]["shared"]["patient"] == 1
    assert "What a split by window would have claimed" in page
    for kind in ("by_patient", "by_window"):
        assert f"{split[kind]['balanced_accuracy']['value']:.3f}" in page


@pytest.mark.slow
def test_validation_folds_of_the_report_are_those_of_the_training(finished):
    """The report derives them from the predictions, to compare validation and test on the same patients."""
    paths = ResultPaths(finished / "results")
    run = paths.run(COMBINATION)
    study = validate_record(read_json(run.run_record)["config"], run.run_record)
    for fold in fold_scores(collect(study, paths, COMBINATION)):
        model = read_json(run.fold(fold.fold).rank(1).model)
        assert [one.folds for one in fold.differences] == [tuple(model["validation_folds"])]
        assert fold.optimism == pytest.approx(fold.tuned - fold.same_patients)
