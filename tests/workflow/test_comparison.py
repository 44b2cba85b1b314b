"""A model beside the classical baseline: the report and the summary compare them."""

import re

import pandas as pd
import pytest

from eegwf.config.load import validate_record
from eegwf.config.paths import Combination, ResultPaths
from eegwf.report.data import collect
from eegwf.report.selection import fold_scores
from eegwf.storage.files import read_json

COMBINATION = Combination("vit", "mel", "3class")
MATRIX = "matrix={models: [vit, bandpower], spectrograms: [mel], classes: [2class]}"


@pytest.mark.slow
def test_report_and_summary_compare_with_the_baseline(snakemake, tmp_path):
    results = tmp_path / "results"
    planned = snakemake(tmp_path, "-n", "results/vit_mel_2class/report.html", "--config", MATRIX).stdout
    assert "Score bandpower on mel, 2class" in planned and "Report bandpower" not in planned
    alone = snakemake(tmp_path, "-n", "results/vit_mel_2class/report.html").stdout
    assert "bandpower" not in alone
    assert "split_by_window" not in planned + alone
    snakemake(tmp_path, "--cores", "2", "--config", MATRIX)
    report = (results / "vit_mel_2class/report.html").read_text()
    assert "Balanced accuracy minus that of bandpower_mel_2class" in report
    assert "Classical baseline." not in (results / "bandpower_mel_2class/report.html").read_text()
    table = pd.read_csv(results / "summary.tsv", sep="\t")
    primary = table[table["primary"]].set_index("model")
    difference = primary["balanced_accuracy"]["vit"] - primary["balanced_accuracy"]["bandpower"]
    assert primary["difference_bandpower"]["vit"] == pytest.approx(difference, abs=1e-8)
    assert (primary["training_seconds"] > 0).all()
    pairs = pd.read_csv(results / "comparison.tsv", sep="\t")
    assert pairs["difference"].tolist() == [pytest.approx(abs(difference), abs=1e-8)]
    page = (results / "summary.html").read_text()
    assert re.search(r"Balanced accuracy against the time of tuning", page)
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
