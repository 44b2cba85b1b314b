"""Report: numbers equal those of the files, also for unusual names and missing values."""

import html
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.stages.report import ReportSettings
from eegwf.dag.stages import STAGES
from eegwf.errors import InputError
from eegwf.provenance.git import commit
from eegwf.report.drawing import edges, spaced_in_log, thin
from eegwf.report.formats import duration, energy, number, score
from eegwf.report.selection import fold_scores
from eegwf.report.statement import smaller_than_study, why_no_events
from eegwf.report.tables import member_table
from eegwf.report.tables_run import parameter_tables, recording_table
from eegwf.report.timing import timing
from eegwf.storage.files import read_json, read_table, write_table
from tests.helpers.report_page import column, policy_of, report_data, table_of, text_of, write_report
from tests.helpers.report_study import ROOT, changed, write_study

MARKUP = [
    "<script>alert(1)</script>",
    "a & b",
    'q" onload="x',
    "$\\frac{1}{0$",
    "--><b>x",
    "{{ 7 * 7 }}",
    "#010203",
]

# Randomization; EEG and maps of four examples; mean input; means, bands and scalp of four methods, and means and bands
# of Grad-CAM, whose maps do not vary over the channels.
N_MAP_FIGURES = 1 + 4 * 2 + 1 + 4 * 3 + 2
N_TIMELINES = 9


class Tags(HTMLParser):
    """Names of the elements of a page and of their attributes, as a browser parses them."""

    def __init__(self):
        super().__init__()
        self.names, self.attributes = set(), set()

    def handle_starttag(self, tag, attributes):
        self.names.add(tag)
        self.attributes.update(name for name, _ in attributes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder, configuration, page and tables of a study of two classes."""
    results = tmp_path_factory.mktemp("study")
    study = write_study(results)
    return results, study, *write_report(study, results)


@pytest.fixture(scope="module")
def incomplete(tmp_path_factory):
    """A study with names that contain markup, a class without windows and recordings without times."""
    results = tmp_path_factory.mktemp("incomplete")
    study = write_study(results, classes="3class", absent="sz_gen", timed=False, patients=MARKUP)
    return results, study, *write_report(study, results, classes="3class")


def test_scores_on_the_page_equal_metrics_json(finished):
    results, _, page, tables = finished
    metrics = read_json(results / "vit_mel_2class/metrics.json")
    members = table_of(tables, "Scores by member")
    for name, scores in metrics["members"].items():
        for key, title in (
            *(("balanced_accuracy", "balanced accuracy"), ("auprc", "AUPRC"), ("macro_f1", "macro F1"), ("mcc", "MCC")),
            ("sensitivity_at_specificity", "sensitivity at specificity 0.95"),
        ):
            entry = scores[key]
            expected = f"{entry['value']:.3f} {entry['low']:.3f} to {entry['high']:.3f}"
            assert column(members, title)[name] == expected
    per_class = table_of(tables, "Scores by class")
    for label, scores in metrics["members"]["ensemble"]["per_class"].items():
        assert column(per_class, "windows")[label] == str(scores["n_windows"])
        assert column(per_class, "patients")[label] == str(scores["n_patients"])
        for key in ("precision", "specificity"):
            assert column(per_class, key)[label].startswith(f"{scores[key]['value']:.3f} ")
    values = re.findall(r'<p class="value[^>]*>(.*?)</p>', page)
    keys = ("balanced_accuracy", "macro_f1", "accuracy", "auroc", "auprc")
    assert values == [f"{metrics['members']['ensemble'][key]['value']:.3f}" for key in keys]
    positive = metrics["members"]["ensemble"]["per_class"]["seizure"]["n_windows"] / metrics["n_windows"]
    baselines = re.findall(r'<p class="baseline[^>]*>(.*?)</p>', page)
    assert baselines[-1] == f"chance {positive:.3f}"
    assert f"majority {metrics['baselines']['majority']['accuracy']:.3f}" in baselines[2]
    for sentence in metrics["sanity_warnings"]:
        assert sentence in html.unescape(page)


def test_calibration_on_the_page_equals_metrics_json(finished, incomplete):
    results, _, page, tables = finished
    found = read_json(results / "vit_mel_2class/metrics.json")["calibration"]
    rows = table_of(tables, "Probabilities before and after calibration")
    for name in ("raw", "calibrated"):
        entry = found[name]["log_loss"]
        expected = f"{entry['value']:.3f} {entry['low']:.3f} to {entry['high']:.3f}"
        assert column(rows, "log loss")[name] == expected
        assert column(rows, "ECE, equal mass")[name] == f"{found[name]['ece']['equal_mass']:.3f}"
    change = found["change"]["log_loss"]
    assert column(rows, "log loss")["change"] == (
        f"{change['value']:+.3f} {change['low']:+.3f} to {change['high']:+.3f}".replace("-", "−")
    )
    coverage = column(table_of(tables, "Coverage of the sets by patient"), "coverage")
    conformal = found["conformal"]
    assert coverage == {entry["patient"]: f"{100 * entry['coverage']:.1f} %" for entry in conformal["per_patient"]}
    # Three validation patients in each fold are too few for a coverage of 90 %.
    assert [fold["n_patients"] for fold in conformal["folds"]] == [3, 3, 3] and conformal["all_classes"] == 1
    assert "In 3 of 3 folds the sets contain all classes: a nominal coverage of 90.0 % needs 9" in text_of(page)
    assert "Reliability diagram, seizure" in page and "Reliability diagram, background" not in page
    assert "Reliability diagram, generalized" in incomplete[2]
    assert column(table_of(incomplete[3], "Abstention"), "generalized kept")["5.0 %"] == "undefined"


def test_pooled_scores_are_shown_beside_means_of_folds_and_patients(finished):
    results, _, page, tables = finished
    metrics = read_json(results / "vit_mel_2class/metrics.json")
    table = table_of(tables, "Pooled scores, means")
    for name, scores in metrics["members"].items():
        for key, title in (("auroc", "AUROC"), ("auprc", "AUPRC")):
            of_folds = scores["mean_of_folds"][key]
            assert column(table, f"{title}, pooled")[name] == f"{scores[key]['value']:.3f}"
            assert (
                column(table, f"{title}, mean of folds")[name] == f"{of_folds['value']:.3f} {of_folds['n_folds']} folds"
            )
        entry = scores["mean_of_patients"]["detection_auroc"]
        expected = f"{entry['value']:.3f} {entry['low']:.3f} to {entry['high']:.3f}"
        assert column(table, "detection AUROC, mean of patients")[name] == expected
    assert "pooling ranks the probabilities of different models together" in page
    assert "for the 8 patients with both" in text_of(page)


def test_p_value_and_method_of_the_intervals_are_stated(finished, tmp_path):
    results, _, page, tables = finished
    p_value = read_json(results / "vit_mel_2class/metrics.json")["permutation"]["p_value"]
    assert p_value == 1 / 1001
    assert "p < 0.001 (balanced accuracy, 1,000 permutations)" in text_of(page)
    assert "standard error of the patient jackknife (9 patients)" in text_of(page)
    provenance = column(table_of(tables, "Provenance"), "value")
    assert provenance["confidence intervals"].endswith("the patient jackknife")
    other = write_study(
        tmp_path, overrides={"evaluation": {"interval": "bca", "n_bootstrap": 100, "n_permutations": 0}}
    )
    page, tables = write_report(other, tmp_path)
    assert "Permutation test" not in page
    assert "by bias-corrected and accelerated percentiles of 100 bootstrap replicates" in text_of(page)
    assert column(table_of(tables, "Provenance"), "value")["confidence intervals"].endswith(", seed 1")


@pytest.mark.parametrize(("n", "cautioned"), [(2, True), (3, True), (4, True), (5, False)])
def test_classes_with_few_patients_are_cautioned(tmp_path, n, cautioned):
    study = write_study(tmp_path, patients=[f"p{number}" for number in range(n + 1)])  # the first has no seizure
    page = text_of(write_report(study, tmp_path)[0])
    assert (f"Only {n} patient" in page) == cautioned
    assert ("no interval: only" in page) == (n < 3)
    # With two patients who have seizures there are three who have background.
    assert ("hardly be estimated" in page) == (n in (2, 3, 4))


def test_selection_optimism_is_the_tuned_value_minus_the_test_score(finished):
    results, study, _, tables = finished
    folder = results / "vit_mel_2class"
    table = pd.read_csv(folder / "predictions.tsv", sep="\t").dropna(subset="label")
    table = table[table["member"] == "rank1"]
    differences = []
    rows = column(table_of(tables, "Outer folds"), "optimism (best trial − same patients, test)")
    for fold in (1, 2, 3):
        predictions = table[table["fold"] == fold % 3 + 1]  # the validation fold
        tuned = pd.read_csv(folder / f"fold{fold}/tune/trials.tsv", sep="\t")["value"].max()
        differences.append(tuned - balanced_accuracy_score(predictions["label"], predictions["predicted"]))
        assert float(rows[str(fold)].replace("−", "-")) == pytest.approx(differences[-1], abs=5e-4)
    pooled = rows["mean"].replace("−", "-").split()[0]  # without the interval
    assert float(pooled) == pytest.approx(np.mean(differences), abs=5e-4)
    without_tuned = fold_scores(report_data(changed(study, {"training": {"monitor": "loss"}}), results))
    assert all(fold.tuned is None and fold.optimism is None and fold.first is not None for fold in without_tuned)


def test_page_is_self_contained_and_figures_have_alternative_texts(finished):
    _, _, page, _ = finished
    assert len(page) < 5e6
    assert not re.search(r"""(?:src|href|action|data)\s*=\s*["'](?!#|data:)""", page)
    assert not re.search(r"url\((?!#|data:)|@import|<script[^>]* src|<iframe|<object", page)
    # A timeline has an inner figure, the part that can be enlarged.
    figures = re.findall(r'<svg (?!class="plane")[^>]*>', page)
    assert page.count('<svg class="plane"') == N_TIMELINES
    assert (
        len(figures)
        == page.count("<svg") - N_TIMELINES
        == 1 + 2 + 3 + 3 + 1 + 2 + 3 + 1 + 3 + N_MAP_FIGURES + N_TIMELINES
    )
    for figure in figures:
        assert 'role="img"' in figure and re.search(r'aria-label="[^"]*\d[^"]*"', figure)
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert not re.search(r"#0102[01][0-9a-f]", page), "a placeholder color was not replaced"


@pytest.mark.slow
def test_report_is_reproducible_except_for_the_date(finished, tmp_path):
    results, study, page, _ = finished
    again, _ = write_report(study, results, output=tmp_path / "report.html")
    stamp = r"\d{4}-\d\d-\d\dT[\d:]+\+00:00"
    assert re.sub(stamp, "", again) == re.sub(stamp, "", page)


def test_synthetic_recordings_and_demonstration_settings_are_declared(finished):
    results, study, page, _ = finished
    assert "do not estimate the performance of the model on recordings of patients" in text_of(page)
    assert "Demonstration settings The scores are not a result" in text_of(page)
    assert "window: 15 s instead of 20 s (1.33 times shorter)" in page
    assert "mel grid: 6 × 5 instead of 100 × 100" in page
    full = {"tuning": {"n_trials": 100}, "training": {"epochs": 100}, "windows": {"length": 20.0}}
    run = report_data(changed(study, full), results)
    assert [sentence.split(":")[0] for sentence in smaller_than_study(run)] == ["mel grid"]


def test_tables_of_the_data_and_of_the_trials(finished):
    _, _, page, tables = finished
    recordings = tables["Recordings: 9 used, 1 excluded"]
    assert recordings[1][0] == "bad rec" and recordings[1][-1] == "b.edf: <b>cut</b> short"
    assert column(tables["Windows by event type"], "windows")["borderline"] == "27"
    trials = tables["Number of trials by state"]
    assert trials[-1] == ["all", "18", "12", "3", "3", "0", ""]
    assert column(trials, "reason of failure")["1"] == "out of <memory>"
    assert tables["Results of the leakage checks"][1] == ["patient in two folds", "9 patients", "0", ""]
    assert "seizure events were detected (sensitivity" in page


def test_seizures_in_no_window_are_shown(tmp_path):
    study = write_study(tmp_path)
    path = tmp_path / "data/recordings.tsv"
    recordings = read_table(path, text=("recording", "patient", "path", "excluded"))
    used = recordings["excluded"] == ""
    counts = {"n_windows": 30, "n_seizures": 3, "n_unlabeled": 2, "n_open": 0}
    write_table(path, recordings.assign(**{name: pd.Series(value, used[used].index) for name, value in counts.items()}))
    table = recording_table(report_data(study, tmp_path))
    assert table.caption == "Recordings: 9 used, 1 excluded; 18 of 27 annotated seizures in no window"
    column = table.columns.index("seizures in no window")
    assert [row[column] for row in table.rows] == ["", *["2 of 3"] * 9]


def test_markup_in_names_is_escaped(incomplete):
    _, _, page, tables = incomplete
    tags = Tags()
    tags.feed(page)
    n_scripts = len(policy_of(page)["script-src"])
    assert (
        "b" not in tags.names
        and page.count("<script>") == n_scripts
        and not [name for name in tags.attributes if name.startswith("on")]
    )
    rows = table_of(tables, "Scores by patient")
    assert {row[0] for row in rows[1:]} == set(MARKUP)
    figures = "".join(re.findall(r"<svg .*?</svg>", page, flags=re.DOTALL))
    assert "a &amp; b" in figures and "&lt;script&gt;" in figures
    assert "currentColor (" not in figures
    ET.fromstring(f'<div xmlns:xlink="x">{figures}</div>')


def test_reasons_of_undefined_scores_and_missing_events(incomplete):
    results, study, page, tables = incomplete
    assert read_json(results / "vit_mel_3class/metrics.json")["members"]["ensemble"]["auroc"]["value"] is None
    assert re.findall(r'<p class="value[^>]*>(.*?)</p>', page)[3] == "undefined"
    assert "no labeled window of generalized" in page
    per_class = table_of(tables, "Scores by class")
    assert column(per_class, "recall (sensitivity)")["generalized"] == "undefined"
    folds = table_of(tables, "Outer folds")
    assert column(folds, "generalized")["2"] == "0 (missing)"
    assert "Seizure events were not scored" in page
    files = {"data": "x{fold}.npy", "labels": "y{fold}.npy", "patients": "p{fold}.npy"}
    arrays = {"kind": "fold_arrays", "arrays": {"mel": files}, "label_names": {0: "bckg"}, "window_length": 20.0}
    with_arrays = changed(study, {"dataset": arrays})
    assert "the data are arrays" in why_no_events(report_data(with_arrays, results, classes="3class"))


@pytest.mark.slow
def test_report_of_one_rank_ten_folds_and_three_spectrograms(tmp_path):
    patients = [f"p{number}" for number in range(20)]
    study = write_study(tmp_path, spectrogram="concat", n_folds=10, n_ranks=1, patients=patients)
    page, _ = write_report(study, tmp_path, spectrogram="concat")
    for name in ("mel", "cwt", "stft"):
        assert f"<h3>Mean maps, spectrogram {name}</h3>" in page and f'aria-label="Saliency, {name} by channel' in page
    assert page.count('aria-label="Training of fold') == 10


def test_ranks_are_named_by_parameter_set_and_seed(tmp_path):
    study = write_study(tmp_path, n_ranks=4, n_seeds=2)
    run = report_data(study, tmp_path)
    names = [f"{rank} (parameter set {(rank + 1) // 2}, seed {2 - rank % 2})" for rank in (1, 2, 3, 4)]
    assert names[2] == "3 (parameter set 2, seed 1)"
    members, (best, retrained) = member_table(run), parameter_tables(run)
    assert [row[0] for row in members.rows[:5]] == [*(f"rank{name}" for name in names), "ensemble"]
    assert (
        "rank1 to rank4 are the 2 best parameter sets of each fold, retrained with 2 random seeds each." in members.note
    )
    assert [row[1] for row in retrained.rows] == names * 3 and len(best.rows) == 3
    without = report_data(changed(study, {"retrain": {"n_seeds": 1}}), tmp_path)
    assert [row[0] for row in member_table(without).rows[:4]] == ["rank1", "rank2", "rank3", "rank4"]
    assert "rank1 to rank4 are the best parameter sets of each fold, retrained." in member_table(without).note


def test_metrics_of_another_class_set_are_refused(finished):
    results, study, _, _ = finished
    other = changed(study, {"classes": {"2class": {"rest": ["bckg"], "seizure": ["sz"]}}})
    with pytest.raises(InputError, match="rerun the evaluation"):
        report_data(other, results)


def test_timing_reads_the_benchmarks_of_the_combination_only(tmp_path):
    combination = Combination("vit", "mel", "2class")
    row = pd.DataFrame({"s": [2.5], "h:m:s": ["0:00:02"], "max_rss": [100.0], "cpu_time": [1.5]})
    expected = [
        "windows",
        "spectrogram/mel",
        "tune/vit_mel_2class_fold2",
        "tune/vit_mel_2class_fold10",
        "evaluate/vit_mel_2class",
    ]
    others = ["spectrogram/cwt", "tune/vit_mel_3class_fold1", "evaluate/vit_mel_2class-b", "summary"]
    others += ["search/vit_mel_2class_fold1_worker1", "simulate"]  # stages of earlier versions
    for name in (*others, *expected):
        write_table(tmp_path / "benchmarks" / f"{name}.tsv", row)
    # Snakemake writes NA for a job shorter than its sampling interval.
    write_table(tmp_path / "benchmarks/folds.tsv", row.assign(max_rss="NA", cpu_time="NA"))
    table = timing(ResultPaths(tmp_path), combination, ["mel"], tuple(STAGES))
    assert list(table.columns) == ["job", "seconds", "max_rss_mb", "cpu_seconds"]
    assert list(table["job"]) == [expected[0], "folds", *expected[1:]]
    assert np.isnan(table["max_rss_mb"][1]) and table["seconds"].sum() == 15.0
    assert timing(ResultPaths(tmp_path / "none"), combination, ["mel"], tuple(STAGES)).empty


def test_run_json_records_configuration_versions_and_commit(finished, tmp_path):
    results, study, _, _ = finished
    record = read_json(results / "vit_mel_2class/run.json")
    keys = ["config", "model", "spectrogram", "classes", "versions", "commit", "image", "seed", "host", "finished"]
    assert list(record) == keys
    assert record["config"] == study.model_dump(mode="json") and record["seed"] == study.seed
    assert record["versions"]["numpy"] == np.__version__ and record["image"] is None


def test_commit_of_a_changed_checkout_is_marked_dirty(tmp_path):
    assert commit(tmp_path) is None
    git = ["git", "-c", "user.name=n", "-c", "user.email=e", "-C", str(tmp_path)]
    (tmp_path / "a").write_text("1")
    for arguments in (["init", "-q"], ["add", "a"], ["commit", "-qm", "m"]):
        subprocess.run([*git, *arguments], check=True)
    clean = commit(tmp_path)
    (tmp_path / "a").write_text("2")
    assert re.fullmatch(r"[0-9a-f]{40}", clean) and commit(tmp_path) == f"{clean}-dirty"


@pytest.mark.slow
def test_report_script_does_not_import_torch(finished, tmp_path):
    results, study, _, _ = finished
    settings = ReportSettings(study=study).model_dump_json()
    script = ROOT / "workflow/scripts/report.py"
    program = (
        "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__'); "
        "assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", program, str(script), "--settings", settings, "--results", str(results)]
    command += ["--model", "vit", "--spectrogram", "mel", "--classes", "2class", "--stages", *STAGES]
    command += ["--output", str(tmp_path / "r.html")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.html").exists() and (tmp_path / "run.json").exists() and (tmp_path / "timing.tsv").exists()


def test_edges_are_halfway_between_centers():
    np.testing.assert_allclose(edges([1, 2, 4]), [0.5, 1.5, 3, 5])
    np.testing.assert_allclose(edges([1, 2, 4], log=True), [2**-0.5, 2**0.5, 2**1.5, 2**2.5])
    assert spaced_in_log(np.geomspace(1, 64, 12)) and not spaced_in_log(np.linspace(1, 64, 12))
    assert not spaced_in_log([0.0, 1.0, 2.0])


def test_thinned_curves_keep_ends_and_shape():
    x = np.linspace(0, 1, 5000)
    points = np.column_stack([x, x**8])
    kept = thin(points)
    assert len(kept) <= 400 and kept[0] == 0 and kept[-1] == 4999
    assert np.abs(np.interp(x, *points[kept].T) - x**8).max() < 1e-3


def test_formats_of_numbers():
    assert [number(value) for value in (0.000688431, 4, 4.0, 1234.5, True, "adam", float("nan"))] == [
        "0.000688", "4", "4", "1234", "True", "adam", "undefined",
    ]  # fmt: skip
    assert [duration(value) for value in (6.566, 228, 6720)] == ["6.57 s", "3.8 min", "1.87 h"]
    energies = (25.04, 900, 3.6e6, 5e9, None)
    assert [energy(value) for value in energies] == ["25 J", "0.25 Wh", "1 kWh", "1,389 kWh", "undefined"]
    assert score(None) == "undefined" and score(0.69834) == "0.698"


def test_events_are_shown_with_baselines_and_the_reasons_to_distrust_them(finished):
    _, _, page, tables = finished
    detectors = column(table_of(tables, "Scores of detectors"), "F1")
    assert list(detectors) == [
        "operating point", "class of largest probability", "baseline: always on", "baseline: shifted predictions",
        "baseline: never on", "operating point, mean over patients",
    ]  # fmt: skip
    assert detectors["baseline: never on"].startswith("0.000")
    points = column(table_of(tables, "Operating points"), "threshold")
    assert list(points) == ["1", "2", "3"] and all(0 < float(value) < 1 for value in points.values())
    # The recordings of the study last minutes, so no result for events is in the main results.
    assert "scores of events say little about such recordings" in page
    main = page.split('id="headline"')[1].split("</section>")[0]
    assert "seizure events were detected" not in main
