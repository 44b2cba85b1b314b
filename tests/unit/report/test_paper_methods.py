"""Paragraphs for a paper: every number is of the configuration, of the results or of the record of the run."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from eegwf.report.formats import duration
from eegwf.report.paper.methods import methods
from eegwf.report.paper.methods_training import n_trials
from eegwf.report.paper.results import results
from eegwf.storage.files import read_json, read_table
from tests.helpers.report_page import report_data
from tests.helpers.report_study import changed, write_study

ABOUT = {"versions": {"python": "3.98", "torch": "7.65", "numpy": "4.32"}, "commit": "abc123", "seed": 8765}
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study with folds, trials, events and a seed unlike each other."""
    folder = tmp_path_factory.mktemp("paper")
    study = write_study(folder, n_trials=7)
    return folder, study


@pytest.fixture(scope="module")
def files(finished):
    folder, _ = finished
    run = folder / "vit_mel_2class"
    data = {
        name: read_table(folder / f"data/{name}.tsv", text=("patient", "label")) for name in ("recordings", "folds")
    }
    return {**data, "metrics": read_json(run / "metrics.json"), "run": run}


def numbers(text: str) -> list[str]:
    return NUMBER.findall(text)


def test_every_number_of_the_methods_is_of_a_file(finished, files):
    folder, study = finished
    text = methods(report_data(study, folder), ABOUT)
    metrics, recordings = files["metrics"], files["recordings"]
    used = recordings[recordings["excluded"].fillna("") == ""]
    trials = pd.concat([read_table(files["run"] / f"fold{fold}/tune/trials.tsv") for fold in (1, 2, 3)])
    states = trials["state"].value_counts()
    classes = metrics["members"]["ensemble"]["per_class"]
    mel, signals, training = study.spectrograms.mel, study.signals, study.training
    expected = [
        # data
        len(used), duration(used["duration"].sum()).split()[0], metrics["n_patients"], metrics["events"]["n_annotated"],
        (recordings["excluded"].fillna("") != "").sum(),
        # signals and windows
        20, signals.l_freq, signals.sfreq, study.windows.length, study.windows.step, 100 * study.windows.min_overlap,
        metrics["n_windows"], *(classes[name]["n_windows"] for name in ("background", "seizure")),
        # input
        mel.n_freqs, mel.f_min, mel.f_max, mel.n_frames, mel.window,
        # folds and trials
        files["folds"]["fold"].nunique(), len(study.models["vit"].search), study.tuning.inner_folds, len(trials), 3,
        states["complete"], states["pruned"], states["fail"],
        # training, ensemble and calibration
        training.epochs, training.patience, 2, 2, len(metrics["calibration"]["models"]),
        # events: the target, and the rules of SzCORE
        study.evaluation.operating_point.value, 24, 30, 60, 90, 5,
        # statistics
        100 * study.evaluation.confidence, f"{metrics['permutation']['n_permutations']:,d}",
        # record of the run
        123, 3.98, 7.65, 8765,
    ]  # fmt: skip
    assert numbers(text) == [value if isinstance(value, str) else f"{value:g}" for value in expected]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"signals": {"notch": [50.0, 100.0]}}, "notch filtered at 50 and 100 Hz"),
        ({"signals": {"l_freq": 1.5, "h_freq": 41}}, "high-pass filtered at 1.5 Hz, low-pass filtered at 41 Hz"),
        ({"signals": {"sfreq": "as recorded"}}, "kept at the recorded rate"),
        ({"signals": {"montage": "banana18"}}, "the 18 bipolar derivations"),
        ({"windows": {"length": 7, "step": 3}}, "windows of 7 s with an onset every 3 s"),
        ({"windows": {"min_overlap": 0.25, "min_event_overlap": 0.8}}, "at least 25 % of it, or of which it "
         "contained at least 80 %"),
        ({"windows": {"guard": 61, "context": 2.5}}, "No window within 61 s of a seizure was labeled as background. "
         "The model also saw 2.5 s of signal"),
        ({"spectrograms": {"mel": {"n_freqs": 48, "f_max": 55}}}, "(48 frequencies from 0.5 to 55 Hz"),
        ({"tuning": {"sampler": "gp", "inner_folds": 2}}, "Optuna (Gaussian process) for the balanced accuracy of the "
         "patients of 2 inner validation folds"),
        ({"tuning": {"pruner": "hyperband"}}, "stopped early by Hyperband"),
        ({"training": {"epochs": 33, "patience": 9, "monitor": "macro_f1"}}, "at most 33 epochs; training stopped "
         "after 9 epochs"),
        ({"retrain": {"epochs": 44}}, "at most 44 epochs; 8 in tuning;"),
        ({"training": {"class_balance": "weights"}}, "the loss was weighted by class"),
        ({"report": {"dataset_name": "Made up"}}, "9 patients of the data set Made up with"),
        ({"models": {"vit": {"search": {"normalization": {"choices": ["window", "patients"]}}}}},
         "Normalization was tuned (window, patients)."),
        ({"permute_labels": True}, "the labels of training and validation windows were shuffled"),
    ],
)  # fmt: skip
def test_the_methods_follow_the_configuration(finished, changes, expected):
    folder, study = finished
    before = methods(report_data(study, folder), ABOUT)
    after = methods(report_data(changed(study, changes), folder), ABOUT)
    assert expected in after and expected not in before


def test_the_budget_is_that_of_the_trials_that_ran(finished):
    folder, study = finished
    more = changed(study, {"tuning": {"n_trials": 50}})
    run = report_data(more, folder)
    assert n_trials(run) == {"complete": 15, "pruned": 3, "fail": 3}
    assert "21 trials ran in 3 Optuna studies (15 complete, 3 pruned and 3 failed)" in methods(run, ABOUT)


def test_a_model_that_is_fitted_without_epochs(finished):
    folder, study = finished
    text = methods(replace(report_data(study, folder), model="bandpower", spectrogram="raw"), ABOUT)
    assert "time series of each window was classified by a logistic regression" in text
    assert "the loss was weighted by class" in text and "drawn equally often" not in text
    assert "epoch" not in text and "normalized" not in text


def test_inputs_of_other_spectrograms(tmp_path):
    study = write_study(tmp_path, spectrogram="concat")
    text = methods(report_data(study, tmp_path, "concat"), ABOUT)
    assert (
        "Morlet wavelet with a center frequency of 6 rad" in text and "log-power short-time Fourier transform" in text
    )
    morse = changed(study, {"spectrograms": {"cwt": {"wavelet": "morse", "cycles": 7, "gamma": 4}}})
    assert "gamma 4 and time-bandwidth product 49" in methods(report_data(morse, tmp_path, "concat"), ABOUT)


@pytest.mark.parametrize(
    ("mode", "where"), [("reserved", "On the reserved patients"), ("once", "In the first outer fold")]
)
def test_other_modes_of_tuning(tmp_path, mode, where):
    study = write_study(tmp_path, overrides={"tuning": {"mode": mode, "allow_optimistic": True}})
    text = methods(report_data(study, tmp_path), ABOUT)
    assert where in text and "6 trials ran in 1 Optuna study (4 complete, 1 pruned and 1 failed)" in text
    assert ("3 further patients were reserved" in text) == (mode == "reserved")
    assert ("nested cross-validation" in text) == (mode == "reserved")


def test_several_seeds_and_given_arrays(tmp_path):
    study = write_study(tmp_path, n_ranks=4, n_seeds=2, timed=False)
    text = methods(report_data(study, tmp_path), ABOUT)
    assert "The 2 best parameter sets of each fold, each with 2 random seeds, were retrained" in text
    assert "the 4 models of a fold" in text and "SzCORE" not in text
    patterns = {"data": "x{fold}.npy", "labels": "y{fold}.npy", "patients": "p{fold}.npy"}
    arrays = {"kind": "fold_arrays", "arrays": {"mel": patterns}, "label_names": {0: "bckg"}, "window_length": 19}
    text = methods(report_data(changed(study, {"dataset": arrays}), tmp_path), ABOUT)
    assert "windows of 19 s" in text and "filtered" not in text and "[the data set; to be completed" in text


def test_results_have_the_scores_and_intervals_of_the_metrics(finished, files):
    folder, study = finished
    text = results(report_data(study, folder))
    metrics = files["metrics"]
    scores = metrics["members"]["ensemble"]
    entries = [scores[name] for name in ("balanced_accuracy", "auroc", "macro_f1")]
    recalls = [scores["per_class"][name]["recall"] for name in ("background", "seizure")]
    head = [str(metrics["n_windows"]), str(metrics["n_patients"])]
    chance = f"{metrics['baselines']['chance']['balanced_accuracy']:.3f}"
    shown = [
        [f"{entry['value']:.3f}", "95", f"{entry['low']:.3f}", f"{entry['high']:.3f}"] for entry in entries + recalls
    ]
    macro = [text for entry in shown[:2] for text in entry]
    expected = [*head, *macro, "1", *shown[2], chance, *shown[3], *shown[4]]
    assert numbers(text)[: len(expected)] == expected


def test_scores_without_intervals_and_results_that_are_none(tmp_path):
    study = write_study(tmp_path, patients=["a", "b", "c"])
    run = report_data(changed(study, {"permute_labels": True}), tmp_path)
    text = results(run)
    assert text.startswith("[Not a result: permuted labels.]") and "(no confidence interval)" in text
