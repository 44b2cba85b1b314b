"""Report of tuning: selection optimism, modes of tuning, hyperparameter importance and computing cost."""

import re

import numpy as np
import pandas as pd
import pytest

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.study import StudyDesign
from eegwf.dag.stages import STAGES
from eegwf.report.figures_tuning import parallel_figure
from eegwf.report.ledger import ledger
from eegwf.report.optuna_studies import complete_trials, importances, search_space, studies
from eegwf.report.summary_data import caution
from eegwf.report.timing import timing
from eegwf.report.validity import repeatability
from eegwf.storage.files import read_json, write_json, write_table
from tests.helpers.report_page import column, report_data, table_of, text_of, write_report
from tests.helpers.report_study import changed, write_study

pytestmark = pytest.mark.slow  # most tests render a report
COMBINATION = Combination("vit", "mel", "2class")


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """An Optuna study for all folds, with shuffled labels and several workers."""
    results = tmp_path_factory.mktemp("once")
    tuning = {"mode": "once", "allow_optimistic": True, "n_workers": 4}
    study = write_study(results, n_trials=22, overrides={"tuning": tuning, "permute_labels": True})
    return results, study, *write_report(study, results)


@pytest.fixture(scope="module")
def reserved(tmp_path_factory):
    """An Optuna study on reserved patients, limited in minutes."""
    results = tmp_path_factory.mktemp("reserved")
    tuning = {"mode": "reserved", "n_trials": None, "timeout_minutes": 30}
    study = write_study(results, n_trials=12, overrides={"tuning": tuning})
    return results, study, *write_report(study, results)


def test_interval_of_the_optimism_is_in_text_table_and_figure(tmp_path):
    study = write_study(tmp_path)
    page, tables = write_report(study, tmp_path)
    sentence = re.search(
        r"Selection optimism: (\S+) balanced accuracy \(95 % confidence interval (\S+) to (\S+)\)\.", text_of(page)
    )
    assert sentence, text_of(page)
    cell = column(table_of(tables, "Outer folds"), "optimism (best trial − same patients, test)")["mean"]
    assert cell == f"{sentence[1]} {sentence[2]} to {sentence[3]}"
    assert f"Mean selection optimism {sentence[1]} (interval {sentence[2]} to {sentence[3]})." in page
    assert "the correction of Nadeau and Bengio (2003)" in text_of(page) and "it is approximate" in text_of(page)
    assert "not reproducible" not in page and "Permutation control" not in page and "Optimistic bias" not in page


def test_optimistic_bias_is_declared_above_the_scores(once):
    results, _, page, tables = once
    first = next(row for row in read_json(results / "vit_mel_2class/metrics.json")["per_fold"] if row["fold"] == 1)
    value = f"{first['balanced_accuracy']:.3f} (ensemble, fold 1)"
    assert f"Only the test score of fold 1 is unbiased: balanced accuracy {value}" in text_of(page)
    assert "used the test patients of folds 2 and 3" in text_of(page)
    assert page.index("Optimistic bias: tuning used test patients") < page.index('<div class="cards">')
    rows = column(table_of(tables, "Outer folds"), "optimism (best trial − rank1, test)")
    assert rows["2"].endswith("used in tuning") and rows["3"].endswith("used in tuning") and "used" not in rows["1"]
    assert rows["mean"] == f"{rows['1']} fold 1 only"
    assert f"Selection optimism: {rows['1']} balanced accuracy in fold 1 (no interval: only one fold)" in page
    assert "fold 2 (used in tuning): best trial" in page
    assert "classifiers whose weights were trained without this patient" in page


def test_permutation_control_is_compared_with_chance_level(once):
    _, _, page, _ = once
    assert "These scores are not a result." in text_of(page)
    assert page.index("Permutation control: shuffled labels") < page.index('<div class="cards">')
    assert "Test scores must be at chance level (balanced accuracy 0.500)" in text_of(page)
    # The fabricated predictions are above chance level, as with leakage.
    assert (
        "is entirely above chance level (0.500) although the labels were shuffled: check the study for leakage." in page
    )


def test_shared_optuna_study_is_shown_once(once):
    _, _, page, tables = once
    assert page.count('aria-label="Tuning of ') == 1 and "Tuning of fold 1, for all folds" in page
    assert [row[0] for row in tables["Number of trials by state"]] == [
        "Optuna study",
        "Fold 1, for all folds",
    ]
    assert 'aria-label="Importance of each hyperparameter, one Optuna study' in page
    assert re.search(r'aria-label="20 complete trials of one Optuna study across 4 hyperparameters', page)
    assert "4 workers shared the trials of each Optuna study" in page


def test_reserved_patients_are_counted_apart_from_the_folds(reserved):
    _, _, page, tables = reserved
    assert "evaluated on 9 patients (9 recordings, 22.5 min;" in text_of(page)
    assert "3 further patients were reserved for tuning and are in no outer fold." in text_of(page)
    folds = table_of(tables, "Patients and windows by fold")
    assert [row[0] for row in folds] == ["fold", "1", "2", "3", "reserved"]
    assert folds[0] == ["fold", "patients", "bckg", "sz", "patient names"] and folds[-1][-1] == "kept-1, kept-2, kept-3"
    windows = tables["Windows by event type"]
    assert column(windows, "windows")["of reserved patients"] == "90"
    assert sum(int(row[1]) for row in windows[1:-1]) == int(windows[-1][1]) == 360
    assert (
        "tuning was limited in time (30 minutes per Optuna study)" in page
        and "tuning trials: 11 instead of 100" in page
    )
    assert re.search(r"Selection optimism: \S+ balanced accuracy \(95 % confidence interval", page)
    assert "used in tuning)" not in page and "used in tuning<" not in page


def test_caution_of_a_combination_follows_its_configuration(once, reserved):
    assert caution(ResultPaths(once[0]).run(COMBINATION)) == "optimistic, permuted labels"
    assert caution(ResultPaths(reserved[0]).run(COMBINATION)) == ""


def test_most_important_hyperparameter_comes_first(tmp_path):
    def value(params):
        return 0.8 - 0.1 * abs(np.log10(params["lr"] / 2e-3))

    study = write_study(tmp_path, n_trials=62, value=value)
    run = report_data(study, tmp_path)
    for optuna_study in studies(run):
        values = importances(optuna_study, search_space(run))
        assert set(values) == set(study.models["vit"].search) and sum(values.values()) == pytest.approx(1)
        assert max(values, key=values.get) == "lr" and values["lr"] > 0.5
    page, _ = write_report(study, tmp_path)
    assert re.search(
        r'aria-label="Importance of each hyperparameter, mean of 3 Optuna studies: lr 0\.\d\d \(0\.\d\d to', page
    )
    assert "Computed from 60 complete trials in each Optuna study." in page


def test_reasons_why_importances_are_missing(tmp_path):
    study = write_study(tmp_path, n_trials=6)
    page, _ = write_report(study, tmp_path)
    reason = "not computed: fewer than 20 complete trials are in the search space (fold 1, fold 2 and fold 3)"
    assert reason in text_of(page) and "Importance of each hyperparameter" not in page
    study = write_study(tmp_path, n_trials=22, value=lambda _: 0.5)
    page, _ = write_report(study, tmp_path)
    assert "all complete trials have the same value" in page
    run = report_data(study, tmp_path)
    assert importances(studies(run)[0], {}) == "no hyperparameter was searched"


def test_parallel_coordinates_of_all_kinds_of_parameters(tmp_path):
    search = {
        "pool": {"choices": ["avg", "max"]},
        "frozen": {"choices": [False, True]},
        "lr": {"low": 1e-5, "high": 1e-2, "log": True},
        "depth": {"low": 1, "high": 4},
        "only": {"choices": [7]},
        "dropout": {"low": 0.0, "high": 0.5},
    }
    content = write_study(tmp_path, n_trials=23).model_dump(mode="json")
    content["models"]["vit"]["search"] = search
    study = StudyDesign.model_validate(content)
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
                param_dropout=[0.9, *rng.uniform(0, 0.5, 22)],  # the first is outside the search space
            ),
        )
    run = report_data(study, tmp_path)
    trials = complete_trials(studies(run)[0], search_space(run))
    assert [number for number, *_ in trials] == list(range(1, 21))
    assert [type(value) for value in trials[0][1].values()] == [str, bool, float, int, int, float]
    figure = parallel_figure(studies(run), search_space(run), "balanced_accuracy")
    assert figure.alt.startswith(
        "60 complete trials of 3 Optuna studies across 6 hyperparameters to balanced accuracy, best value 0."
    )
    words = re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg)
    for word in ("avg", "max", "False", "True", "1e-05", "0.01", "lr (log)", "1", "4", "7", "balanced accuracy"):
        assert word in words, words
    assert importances(studies(run)[0], search_space(run))["only"] == 0
    page, _ = write_report(study, tmp_path)
    assert figure.alt[:40] in page


def benchmarks(results, names):
    """Write Snakemake's measurements of jobs, 7 seconds each."""
    row = pd.DataFrame({"s": [7.0], "h:m:s": ["0:00:07"], "max_rss": [100.0], "cpu_time": [1.5]})
    for name in names:
        write_table(results / "benchmarks" / f"{name}.tsv", row)


JOBS = [
    "windows",
    "folds",
    "spectrogram/mel",
    *(f"tune/vit_mel_2class_fold{fold}_worker{worker}" for fold in (1, 2, 10) for worker in (1, 2)),
    "select_best/vit_mel_2class_fold1",
    "retrain/vit_mel_2class_fold1",
    "evaluate/vit_mel_2class",
    "explain/vit_mel_2class_fold1",
]


def test_timing_lists_tuning_jobs_by_fold_and_worker(tmp_path):
    benchmarks(tmp_path, [*reversed(JOBS), "tune/vit_mel_3class_fold1_worker1", "tune/vit_mel_2class_reserved_worker1"])
    jobs = list(timing(ResultPaths(tmp_path), COMBINATION, ["mel"], tuple(STAGES))["job"])
    assert jobs == [*JOBS[:3], "tune/vit_mel_2class_reserved_worker1", *JOBS[3:]]


def test_ledger_sums_stages_and_counts_a_shared_optuna_study_once(once, tmp_path):
    study = write_study(tmp_path)
    two = tmp_path / "vit_mel_2class/fold2/tune/timing.tsv"
    cost = pd.read_csv(two, sep="\t")
    # A trial that ran on two devices.
    write_table(two, pd.concat([cost, cost.tail(1).assign(device="NVIDIA H100", seconds=4.0)], ignore_index=True))
    benchmarks(tmp_path, JOBS)
    page, tables = write_report(study, tmp_path)
    costs = pd.read_csv(tmp_path / "vit_mel_2class/ledger.tsv", sep="\t").set_index("stage")
    energy = ["cpu_joules", "gpu_joules", "gpu_processes"]
    assert list(costs.columns) == ["jobs", "seconds", "gpu_seconds", *energy, "epochs", "windows"]
    # The timing tables are those of an earlier version. Stages on the CPU are known to use no energy of a GPU.
    assert costs.loc[["tune", "retrain", "total"], energy].isna().all(axis=None)
    assert costs.loc["windows", "gpu_joules"] == 0 and np.isnan(costs.loc["windows", "cpu_joules"])
    costs = costs.drop(columns=energy)
    assert list(costs.index) == ["windows", "folds", "spectrogram", "tune", "retrain", "evaluate", "explain", "total"]
    # Three studies of 6 trials with 10 s, 3 epochs and 300 windows each; 2 ranks of 20 s in each of 3 folds.
    assert list(costs.loc["tune"]) == [18, 184, 4, 57, 5700]
    assert list(costs.loc["retrain"]) == [6, 120, 120, 18, 1800]
    assert costs.loc["windows", "gpu_seconds"] == 0 and costs.loc["explain", "gpu_seconds"] == 7
    assert list(costs.loc["total"]) == [18 + 6 + 5, 184 + 120 + 5 * 7, 131, 75, 7500]
    assert column(tables["Computing cost by stage"], "time")["total"] == "5.65 min"
    assert column(tables["Computing cost by stage"], "GPU time")["total"] == "2.18 min"
    assert "CPU energy" not in tables["Computing cost by stage"][0] and "Energy was not measured." in text_of(page)
    mean_cost = "Mean cost of an outer fold (3 folds): 1.69 min (tuning 1.02 min, retraining 40 s)."
    assert mean_cost in text_of(page)
    shared = pd.read_csv(once[0] / "vit_mel_2class/ledger.tsv", sep="\t").set_index("stage")
    shared = shared.drop(columns=energy)
    assert list(shared.loc["tune"]) == [22, 220, 0, 66, 6600] and shared.loc["retrain", "jobs"] == 6
    assert "the cost of the shared Optuna study is divided by 3" in text_of(once[2])


def test_page_states_that_several_trials_at_once_make_tuning_irreproducible(tmp_path):
    study = changed(write_study(tmp_path), {"tuning": {"trials_per_gpu": 4}})
    assert repeatability(report_data(study, tmp_path)) == "", "on the CPU it has no effect"
    for path in tmp_path.rglob("tune/timing.tsv"):
        path.write_text(path.read_text().replace("cpu", "NVIDIA H100"))
    assert "several trials ran at once on a GPU" in repeatability(report_data(study, tmp_path))


def test_ledger_sums_energy_and_marks_a_shared_gpu_and_unknown_values(tmp_path):
    study = write_study(tmp_path)
    for path in tmp_path.rglob("tune/timing.tsv"):
        energy = {"cpu_joules": 100.0, "gpu_joules": 0.0, "gpu_processes": None}
        write_table(path, pd.read_csv(path, sep="\t").assign(**energy))
    retrained = sorted(tmp_path.rglob("retrain/timing.tsv"))
    for path, processes in zip(retrained, (1, 2, 1), strict=True):
        energy = {"cpu_joules": [50.0, None], "gpu_joules": 7200.0, "gpu_processes": processes}
        write_table(path, pd.read_csv(path, sep="\t").assign(**energy))
    benchmarks(tmp_path, JOBS)
    page, tables = write_report(study, tmp_path)
    costs = pd.read_csv(tmp_path / "vit_mel_2class/ledger.tsv", sep="\t").set_index("stage")
    assert costs.loc["tune", ["cpu_joules", "gpu_joules"]].tolist() == [1800, 0]
    assert costs.loc["retrain", ["gpu_joules", "gpu_processes"]].tolist() == [6 * 7200, 2]
    assert np.isnan(costs.loc["retrain", "cpu_joules"]) and np.isnan(costs.loc["tune", "gpu_processes"])
    assert costs.loc["total", ["cpu_joules", "gpu_joules", "gpu_processes"]].tolist() == [1800, 6 * 7200, 2]
    table = tables["Computing cost by stage"]
    cpu, gpu = column(table, "CPU energy"), column(table, "GPU energy")
    assert (cpu["tune"], cpu["retrain"], cpu["total"]) == ("0.5 Wh", "not measured", "at least 0.5 Wh")
    assert (gpu["tune"], gpu["retrain"]) == ("0", "12 Wh, shared GPU") and gpu["explain"] == "not measured"
    assert gpu["total"] == "at least 12 Wh, shared GPU" and cpu["windows"] == "not measured"
    assert "CPU energy is that of all processor packages of the machine" in text_of(page)


def test_report_of_results_without_timing_tables(tmp_path):
    study = write_study(tmp_path)
    for path in tmp_path.rglob("timing.tsv"):
        path.unlink()
    content = study.model_dump(mode="json")
    for key in ("mode", "n_workers", "timeout_minutes", "n_epochs"):
        content["tuning"].pop(key)
    content.pop("permute_labels")
    study = StudyDesign.model_validate(content)
    page, tables = write_report(study, tmp_path)
    assert "Computing cost by stage" not in tables and "Mean cost of an outer fold" not in page
    benchmarks(tmp_path, JOBS)
    _, tables = write_report(study, tmp_path)
    assert column(tables["Computing cost by stage"], "GPU time")["tune"] == "unknown"
    run = report_data(changed(study, {"device": "cpu"}), tmp_path)
    costs = ledger(run, timing(ResultPaths(tmp_path), COMBINATION, ["mel"], tuple(STAGES)), tuple(STAGES)).set_index(
        "stage"
    )
    assert costs.loc["tune", ["jobs", "seconds", "gpu_seconds"]].tolist() == [7, 49, 0]
    assert costs.loc["retrain", "seconds"] == 7 and costs["epochs"].isna().sum() == len(costs) - 1


def test_report_of_folds_without_trials(tmp_path):
    study = write_study(tmp_path)
    for path in tmp_path.rglob("tune/*"):
        path.unlink()
    page, _ = write_report(study, tmp_path)
    assert "Selection optimism is undefined" in page
    write_json(tmp_path / "vit_mel_2class/fold1/tune/best.json", [])
    assert write_report(study, tmp_path)[0]
