"""What the report says of tuning: its optimism, who tuned, which parameters decided, and what it all cost."""

import html
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_report import column, report

from eegwf.config.tuning import Model
from eegwf.report.data import collect
from eegwf.report.figures_tuning import parallel_figure
from eegwf.report.ledger import ledger
from eegwf.report.optuna_studies import drawn, importances, space, studies
from eegwf.report.provenance import timing
from eegwf.report.selection import FoldScores, mean_optimism
from eegwf.report.summary import caution
from eegwf.storage.files import read_json, write_json, write_table
from tests.helpers.report_study import write_study

COMBINATION = ("vit", "mel", "2class")


def differences(values, seen=()):
    """Folds whose optimism has these values."""
    return [
        FoldScores(fold, 0.5 + value, None, 0.5, None, seen=fold in seen) for fold, value in enumerate(values, start=1)
    ]


def text_of(page):
    """The page's words, its spaces made one."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def table_of(tables, start):
    """The table whose caption starts so."""
    return next(rows for name, rows in tables.items() if name.startswith(start))


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """One study for all folds, with shuffled labels and several workers."""
    results = tmp_path_factory.mktemp("once")
    tuning = {"mode": "once", "allow_optimistic": True, "workers": 4}
    config = write_study(results, n_trials=22, overrides={"tuning": tuning, "permute_labels": True})
    return results, config, *report(results, config)


@pytest.fixture(scope="module")
def reserved(tmp_path_factory):
    """A study on reserved patients, with a budget in minutes."""
    results = tmp_path_factory.mktemp("reserved")
    tuning = {"mode": "reserved", "trials": None, "minutes": 30}
    config = write_study(results, n_trials=12, overrides={"tuning": tuning})
    return results, config, *report(results, config)


def test_interval_of_the_optimism_is_corrected_for_training_sets_that_overlap():
    # Mean 0.04, variance 0.001, of 4 folds: 0.001 (1/4 + 1/3), and t of 3 degrees at 95 % is 3.1824.
    found = mean_optimism(differences([0.0, 0.02, 0.06, 0.08]), 0.95)
    variance = (0.04**2 + 0.02**2 + 0.02**2 + 0.04**2) / 3
    reach = 3.182446 * np.sqrt(variance * (1 / 4 + 1 / 3))
    assert (found.value, found.low, found.high) == pytest.approx((0.04, 0.04 - reach, 0.04 + reach), abs=1e-6)
    wider = mean_optimism(differences([0.0, 0.02, 0.06, 0.08]), 0.99)
    assert wider.high - 0.04 == pytest.approx(reach * stats.t.ppf(0.995, 3) / stats.t.ppf(0.975, 3), rel=1e-6)
    assert mean_optimism(differences([0.1]), 0.95).low is None
    alone = mean_optimism(differences([0.1, 0.5, 0.9], seen=(2, 3)), 0.95)
    assert (alone.value, alone.low) == (pytest.approx(0.1), None)


def test_page_gives_the_interval_in_a_sentence_the_table_and_the_figure(tmp_path):
    config = write_study(tmp_path)
    page, tables = report(tmp_path, config)
    sentence = re.search(
        r"Selection optimism: (\S+) balanced accuracy \(95 % interval (\S+) to (\S+)\)\.", text_of(page)
    )
    assert sentence, text_of(page)
    told = column(table_of(tables, "Outer folds"), "optimism (tuned − test rank1)")["mean"]
    assert told == f"{sentence[1]} {sentence[2]} to {sentence[3]}"
    assert f"Mean optimism {sentence[1]} (interval {sentence[2]} to {sentence[3]})." in page
    assert "Nadeau and Bengio's (2003)" in text_of(page) and "it is approximate" in text_of(page)
    assert "not repeatable" not in page.lower() and "A control" not in page and "too good" not in page


def test_one_study_for_all_folds_is_called_optimistic_before_any_score(once):
    results, _, page, tables = once
    first = next(row for row in read_json(results / "vit_mel_2class/metrics.json")["per_fold"] if row["fold"] == 1)
    told = f"Only fold 1's test score is honest: balanced accuracy {first['balanced_accuracy']:.3f} (ensemble, fold 1)"
    assert told in text_of(page) and "seen the test patients of folds 2 and 3" in text_of(page)
    assert page.index("These scores are too good") < page.index('<div class="cards">')
    rows = column(table_of(tables, "Outer folds"), "optimism (tuned − test rank1)")
    assert rows["2"].endswith("seen by tuning") and rows["3"].endswith("seen by tuning") and "seen" not in rows["1"]
    assert rows["mean"] == f"{rows['1']} fold 1 alone"
    assert f"Selection optimism: {rows['1']} balanced accuracy in fold 1 (no interval: one fold has no spread)" in page
    assert "fold 2 (seen by tuning): tuned" in page and "whose weights never saw that patient" in page


def test_shuffled_labels_are_called_a_control_and_judged_as_one(once):
    _, _, page, _ = once
    assert "A control, not a result: shuffled labels" in page
    assert page.index("A control, not a result") < page.index('<div class="cards">')
    assert "Test scores must be at chance (balanced accuracy 0.500)" in text_of(page)
    # The fabricated predictions are good, as those of a leak would be.
    assert "The whole interval lies above chance (0.500), although labels were shuffled: look for a leak." in page


def test_one_study_is_drawn_and_listed_once(once):
    _, _, page, tables = once
    assert page.count('aria-label="Tuning of ') == 1 and "Tuning of fold 1&#39;s study, for all folds" in page
    assert [row[0] for row in tables["Trials of the study"]] == ["study", "Fold 1's study, for all folds"]
    assert 'aria-label="Importance of each parameter, one study' in page
    assert re.search(r'aria-label="20 complete trials of one study across 7 parameters', page)
    assert "4 workers shared the trials of each study" in page


def test_reserved_patients_are_counted_and_are_no_fold(reserved):
    _, _, page, tables = reserved
    assert "in 9 patients (9 recordings, 22.5 min;" in text_of(page)
    assert "3 more patients were reserved for tuning and are in no fold." in text_of(page)
    folds = table_of(tables, "Folds, by patient")
    assert [row[0] for row in folds] == ["fold", "1", "2", "3", "reserved"]
    assert folds[0] == ["fold", "patients", "bckg", "sz", "who"] and folds[-1][-1] == "kept-1, kept-2, kept-3"
    windows = tables["Windows by event type"]
    assert column(windows, "windows")["of reserved patients"] == "90"
    assert sum(int(row[1]) for row in windows[1:-1]) == int(windows[-1][1]) == 360
    assert "a budget in minutes (30 of each study)" in page and "tuning trials: 11 instead of 100" in page
    assert re.search(r"Selection optimism: \S+ balanced accuracy \(95 % interval", page)
    assert "seen by tuning" not in page


def test_summary_marks_what_is_no_result(once, reserved):
    assert caution(once[0] / "vit_mel_2class") == "optimistic, permuted labels"
    assert caution(reserved[0] / "vit_mel_2class") == ""


def test_the_parameter_that_decides_comes_first(tmp_path):
    def value(params):
        return 0.8 - 0.1 * abs(np.log10(params["lr"] / 2e-3))

    config = write_study(tmp_path, n_trials=62, value=value)
    run = collect(config, tmp_path, *COMBINATION)
    for study in studies(run):
        found = importances(study, space(run))
        assert set(found) == set(config["models"]["vit"]["search"]) and sum(found.values()) == pytest.approx(1)
        assert max(found, key=found.get) == "lr" and found["lr"] > 0.5
    page, _ = report(tmp_path, config)
    assert re.search(r'aria-label="Importance of each parameter, mean of 3 studies: lr 0\.\d\d \(0\.\d\d to', page)
    assert "From 60 complete trials in each study." in page


def test_why_there_are_no_importances(tmp_path):
    config = write_study(tmp_path, n_trials=6)
    page, _ = report(tmp_path, config)
    reason = "where fewer than 20 complete trials lie in the search space (fold 1, fold 2 and fold 3)"
    assert reason in text_of(page) and "Importance of each parameter" not in page
    config = write_study(tmp_path, n_trials=22, value=lambda _: 0.5)
    page, _ = report(tmp_path, config)
    assert "all complete trials have the same value" in page
    run = collect(config, tmp_path, *COMBINATION)
    assert importances(studies(run)[0], {}) == "0 parameter searched, so there is nothing to compare"


def test_lines_cross_choices_logarithms_whole_numbers_and_steps(tmp_path):
    search = {
        "pool": {"choices": ["avg", "max"]},
        "frozen": {"choices": [False, True]},
        "lr": {"low": 1e-5, "high": 1e-2, "log": True},
        "depth": {"low": 1, "high": 4},
        "only": {"choices": [7]},
        "dropout": {"low": 0.0, "high": 0.5},
    }
    config = write_study(tmp_path, n_trials=23)
    config["models"]["vit"]["search"] = Model(search=search).model_dump(mode="json")["search"]
    rng = np.random.default_rng(1)
    for fold in (1, 2, 3):
        path = tmp_path / f"vit_mel_2class/fold{fold}/tune/trials.tsv"
        trials = pd.read_csv(path, sep="\t")
        trials = trials[[name for name in trials if not name.startswith("param_")]]
        write_table(
            path,
            trials.assign(
                param_pool=rng.choice(["avg", "max"], 23),
                param_frozen=rng.choice([False, True], 23),
                param_lr=10 ** rng.uniform(-5, -2, 23),
                param_depth=rng.integers(1, 5, 23),
                param_only=7,
                param_dropout=[0.9, *rng.uniform(0, 0.5, 22)],  # the first lies outside what is searched now
            ),
        )
    run = collect(config, tmp_path, *COMBINATION)
    found = drawn(studies(run)[0], space(run))
    assert [number for number, *_ in found] == list(range(1, 21))
    assert [type(value) for value in found[0][1].values()] == [str, bool, float, int, int, float]
    figure = parallel_figure(studies(run), space(run), "balanced_accuracy")
    assert figure.alt.startswith("60 complete trials of 3 studies across 6 parameters to balanced accuracy, best 0.")
    words = re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg)
    for word in ("avg", "max", "False", "True", "1e-05", "0.01", "lr (log)", "1", "4", "7", "balanced accuracy"):
        assert word in words, words
    assert importances(studies(run)[0], space(run))["only"] == 0
    page, _ = report(tmp_path, config)
    assert figure.alt[:40] in page


def benchmarks(results, names):
    """Snakemake's measurements of jobs, 7 seconds each."""
    row = pd.DataFrame({"s": [7.0], "h:m:s": ["0:00:07"], "max_rss": [100.0], "cpu_time": [1.5]})
    for name in names:
        write_table(results / "benchmarks" / f"{name}.tsv", row)


JOBS = [
    "windows",
    "folds",
    "spectrogram/mel",
    *(f"search/vit_mel_2class_fold{fold}_worker{worker}" for fold in (1, 2, 10) for worker in (1, 2)),
    "tune/vit_mel_2class_fold1",
    "retrain/vit_mel_2class_fold1",
    "evaluate/vit_mel_2class",
    "explain/vit_mel_2class_fold1",
]


def test_search_jobs_stand_in_timing_in_their_order(tmp_path):
    benchmarks(
        tmp_path, [*reversed(JOBS), "search/vit_mel_3class_fold1_worker1", "search/vit_mel_2class_reserved_worker1"]
    )
    found = list(timing(tmp_path, *COMBINATION)["job"])
    assert found == [*JOBS[:3], "search/vit_mel_2class_reserved_worker1", *JOBS[3:]]


def test_ledger_adds_up_and_counts_a_shared_study_once(once, tmp_path):
    config = write_study(tmp_path)
    two = tmp_path / "vit_mel_2class/fold2/tune/timing.tsv"
    cost = pd.read_csv(two, sep="\t")
    # A trial that two devices worked on.
    write_table(two, pd.concat([cost, cost.tail(1).assign(device="NVIDIA H100", seconds=4.0)], ignore_index=True))
    benchmarks(tmp_path, JOBS)
    page, tables = report(tmp_path, config)
    found = pd.read_csv(tmp_path / "vit_mel_2class/ledger.tsv", sep="\t").set_index("stage")
    assert list(found.columns) == ["jobs", "seconds", "gpu_seconds", "epochs", "windows"]
    assert list(found.index) == ["windows", "folds", "spectrogram", "tune", "retrain", "evaluate", "explain", "total"]
    # Three studies of 6 trials with 10 s, 3 epochs and 300 windows each; 2 ranks of 20 s in each of 3 folds.
    assert list(found.loc["tune"]) == [18, 184, 4, 57, 5700]
    assert list(found.loc["retrain"]) == [6, 120, 120, 18, 1800]
    assert found.loc["windows", "gpu_seconds"] == 0 and found.loc["explain", "gpu_seconds"] == 7
    assert list(found.loc["total"]) == [18 + 6 + 5, 184 + 120 + 5 * 7, 131, 75, 7500]
    assert column(tables["Compute ledger"], "time")["total"] == "5.65 min"
    assert column(tables["Compute ledger"], "of it on a GPU")["total"] == "2.18 min"
    told = "One outer result, that of one of 3 folds, cost 1.69 min (tuning 1.02 min, retraining 40 s)."
    assert told in text_of(page)
    shared = pd.read_csv(once[0] / "vit_mel_2class/ledger.tsv", sep="\t").set_index("stage")
    assert list(shared.loc["tune"]) == [22, 220, 0, 66, 6600] and shared.loc["retrain", "jobs"] == 6
    assert "the one study is divided among the 3 folds" in text_of(once[2])


def test_older_results_without_timing_tables_have_a_page_and_a_ledger(tmp_path):
    config = write_study(tmp_path)
    for path in tmp_path.rglob("timing.tsv"):
        path.unlink()
    for key in ("mode", "workers", "minutes", "epochs"):
        config["tuning"].pop(key)
    config.pop("permute_labels")
    page, tables = report(tmp_path, config)
    assert "Compute ledger" not in tables and "One outer result" not in page
    benchmarks(tmp_path, JOBS)
    _, tables = report(tmp_path, config)
    assert column(tables["Compute ledger"], "of it on a GPU")["tune"] == "not known"
    run = collect(config | {"device": "cpu"}, tmp_path, *COMBINATION)
    found = ledger(run, timing(tmp_path, *COMBINATION)).set_index("stage")
    assert found.loc["tune", ["jobs", "seconds", "gpu_seconds"]].tolist() == [7, 49, 0]
    assert found.loc["retrain", "seconds"] == 7 and found["epochs"].isna().sum() == len(found) - 1


def test_a_fold_without_trials_leaves_the_page_whole(tmp_path):
    config = write_study(tmp_path)
    for path in tmp_path.rglob("tune/*"):
        path.unlink()
    page, _ = report(tmp_path, config)
    assert "Selection optimism is undefined" in page
    write_json(tmp_path / "vit_mel_2class/fold1/tune/best.json", [])
    assert report(tmp_path, config)[0]
