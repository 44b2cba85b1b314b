"""A model beside the classical baseline: the report and the summary compare them."""

import json
import re
import zipfile

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


@pytest.fixture(scope="module")
def compared(snakemake, tmp_path_factory):
    """Folder in which a study of three combinations has run to its summary."""
    folder = tmp_path_factory.mktemp("compared")
    snakemake(folder, "--cores", "2", "--config", MATRIX)
    return folder


@pytest.mark.slow
def test_combinations_of_a_class_set_need_its_baseline(snakemake, tmp_path):
    planned = snakemake(tmp_path, "-n", "results/vit_mel_2class/report.html", "--config", MATRIX).stdout
    for spectrogram in ("mel", "raw"):
        assert f"Score bandpower on {spectrogram}, 2class" in planned
    assert "Choose the classical baseline" in planned and "Report bandpower" not in planned
    alone = snakemake(tmp_path, "-n", "results/vit_mel_2class/report.html").stdout
    assert "bandpower" not in alone and "Choose the classical baseline" not in alone
    assert "split_by_window" not in planned + alone


@pytest.mark.slow
def test_report_and_summary_compare_with_the_baseline(compared):
    results = compared / "results"
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


@pytest.mark.slow
def test_report_of_snakemake_shows_the_matrix(snakemake, compared, tmp_path):
    categories, found, _ = snakemake_report(snakemake, compared, tmp_path, "--config", MATRIX)
    names = ("vit_mel_2class", "bandpower_mel_2class", "bandpower_raw_2class")
    reports = [f"results/{name}/report.html" for name in names]
    assert sorted(categories["Reports"]["2class"]) == sorted(reports)
    for name, path in zip(names, reports, strict=True):
        model, spectrogram, _ = name.split("_")
        assert found[path]["labels"] == {"model": model, "spectrogram": spectrogram}
        assert f"<strong>{model}</strong> on <strong>{spectrogram}</strong>" in found[path]["caption"]
    tables = ("per_patient.tsv", "events.tsv", "ledger.tsv")
    assert set(categories["Tables"]["2class"]) == {f"results/{name}/{table}" for name in names for table in tables}
    summary = {f"results/{name}" for name in ("summary.html", "summary.tsv", "comparison.tsv")}
    assert {path for files in categories["Summary"].values() for path in files} == summary
    assert "the reports are in the category" in " ".join(found["results/summary.html"]["caption"].split())
    assert all(file["caption"] and file["labels"] for file in found.values())


@pytest.mark.slow
def test_report_of_snakemake_on_one_combination(snakemake, finished, tmp_path):
    target = "results/vit_mel_3class/report.html"
    categories, found, text = snakemake_report(snakemake, finished, tmp_path, target)
    assert categories["Reports"] == {"3class": [target]} and "Summary" not in categories
    assert "Reports</a>: scores" in text and "Summary" not in text
    assert set(categories["Data"]["Other"]) == {"results/data/folds.tsv", "results/data/leakage.json"}
    assert all(file["caption"] and file["labels"] for file in found.values())


def snakemake_report(snakemake, folder, output, *arguments):
    """Categories, files and description in the report of Snakemake; each file in it equals that of the study."""
    snakemake(folder, *arguments, "--report", str(output / "archive.zip"))
    with zipfile.ZipFile(output / "archive.zip") as archive:
        page = archive.read("archive/report.html").decode()
        starts = [f"var {name} = " for name in ("categories", "results", "workflow_desc")]
        # The libraries in the page, which precede the data, have variables of these names too.
        values = [json.JSONDecoder().raw_decode(page, page.rindex(start) + len(start))[0] for start in starts]
        for path, file in values[1].items():
            assert archive.read(f"archive/{file['data_uri']}") == (folder / path).read_bytes()
    assert "system-message" not in page  # docutils found no error
    return values
