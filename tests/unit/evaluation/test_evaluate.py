"""Evaluation: the written scores can be recomputed from the written predictions with scikit-learn."""

import json
import resource

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics

from eegwf.config.evaluation import Evaluation
from eegwf.errors import InputError
from eegwf.evaluation.bootstrap import patient_draws, replicate_scores
from eegwf.evaluation.evaluate import evaluate, write_evaluation
from eegwf.evaluation.intervals import jackknife_interval
from eegwf.evaluation.scores import CLASS_SCORES
from eegwf.storage.files import write_table
from tests.helpers.rank_files import write_validation

SETS = {
    "2class": {"background": ["bckg"], "seizure": ["sz"]},
    "3class": {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]},
}
STAGES = {"raw": "raw", "calibrated": "p"}


def study(folder, class_set, n_patients=15, n_windows=40, n_ranks=3, seed=0):
    """Test predictions in three folds, every fifth window borderline, and the tables of the study."""
    rng = np.random.default_rng(seed)
    classes = list(class_set)
    patient = np.repeat(np.arange(n_patients), n_windows)
    windows = pd.DataFrame(
        {
            "window": np.arange(len(patient)),
            "patient": [f"sub-{i:02d}" for i in patient],
            "recording": [f"sub-{i:02d}_run-1" for i in patient],
            "onset": np.tile(np.arange(n_windows) * 20.0, n_patients),
            "duration": 20.0,
        }
    )
    truth = np.minimum(rng.integers(len(classes) + 2, size=len(patient)) % 4, len(classes) - 1)
    names = np.array(classes, dtype=object)
    table = windows.drop(columns="duration")
    table["fold"] = patient % 3 + 1
    table["label"] = np.where(np.arange(len(patient)) % 5 == 0, "", names[truth])
    parts = {}
    for rank in range(1, n_ranks + 1):
        skill = 0.8 * np.eye(len(classes))[truth] + rng.normal(size=(n_patients, len(classes)))[patient] / 2
        logits = skill + rng.normal(size=skill.shape)
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        p = np.round(p.astype(np.float32).astype(float), 9)
        predictions = table.assign(predicted=names[p.argmax(1)])
        predictions[[f"p_{name}" for name in classes]] = p
        for fold in (1, 2, 3):
            path = folder / f"fold{fold}" / f"rank{rank}" / "test.tsv"
            write_table(path, predictions[predictions["fold"] == fold])
            parts.setdefault(rank, []).append(path)
    write_validation(parts, classes)
    recordings = windows.groupby("recording", as_index=False).agg(patient=("patient", "first"))
    recordings["duration"] = 20.0 * n_windows
    windows["label"] = [class_set[classes[t]][0] for t in truth]
    events = windows.copy()
    return parts, windows, recordings, events


@pytest.fixture(params=["2class", "3class"])
def written(request, tmp_path):
    """Folder of a written evaluation, and names of its classes."""
    class_set = SETS[request.param]
    parts, windows, recordings, events = study(tmp_path, class_set)
    settings = Evaluation(n_bootstrap=200)
    result = evaluate(parts, windows, class_set, settings, 7, recordings, events)
    write_evaluation(tmp_path / "out", result)
    return tmp_path / "out", list(class_set)


def read(folder):
    """Written predictions of the labeled windows, and written metrics."""
    table = pd.read_csv(folder / "predictions.tsv", sep="\t")
    return table[table["label"].notna()], json.loads((folder / "metrics.json").read_text())


def test_metrics_can_be_recomputed_from_the_written_predictions(written):
    folder, classes = written
    table, written_metrics = read(folder)
    assert list(written_metrics["members"]) == ["rank1", "rank2", "rank3", "ensemble"]
    for name, values in written_metrics["members"].items():
        rows = table[table["member"] == name]
        truth, predicted = rows["label"], rows["predicted"]
        p = rows[[f"raw_{c}" for c in classes]].to_numpy()
        if len(classes) == 2:
            binary, ranked = (truth == classes[1]), p[:, 1]
            auroc = metrics.roc_auc_score(binary, ranked)
            auprc = metrics.average_precision_score(binary, ranked)
        else:
            auroc = metrics.roc_auc_score(truth, p, multi_class="ovr", average="macro", labels=classes)
            auprc = metrics.average_precision_score(pd.get_dummies(truth)[classes], p, average="macro")
        expected = {
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
            "macro_f1": metrics.f1_score(truth, predicted, average="macro", labels=classes),
            "accuracy": metrics.accuracy_score(truth, predicted),
            "cohen_kappa": metrics.cohen_kappa_score(truth, predicted),
            "mcc": metrics.matthews_corrcoef(truth, predicted),
            "auroc": auroc,
            "auprc": auprc,
        }
        false, true, _ = metrics.roc_curve(truth != classes[0], 1 - p[:, 0], drop_intermediate=False)
        expected["sensitivity_at_specificity"] = true[false <= 0.05 + 1e-9].max()
        assert {key: values[key]["value"] for key in expected} == pytest.approx(expected, abs=1e-9)
        assert set(values) == {*expected, "per_class", "mean_of_folds", "mean_of_patients"}
        matrix = metrics.confusion_matrix(truth, predicted, labels=classes)
        assert written_metrics["confusion"][name] == matrix.tolist()
        precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, predicted, labels=classes)
        for number, label in enumerate(classes):
            per_class = values["per_class"][label]
            assert per_class["n_windows"] == support[number]
            assert per_class["n_patients"] == rows.loc[truth == label, "patient"].nunique()
            specificity = metrics.recall_score(truth != label, predicted != label)
            assert per_class["specificity"]["value"] == pytest.approx(specificity, abs=1e-9)
            assert per_class["precision"]["value"] == pytest.approx(precision[number], abs=1e-9)
            assert per_class["recall"]["value"] == pytest.approx(recall[number], abs=1e-9)
            assert per_class["f1"]["value"] == pytest.approx(f1[number], abs=1e-9)
    assert written_metrics["n_windows"] == len(rows) and written_metrics["n_patients"] == rows["patient"].nunique()


def score_of(rows, weights=None):
    """Balanced accuracy and kappa of written predictions, with a weight for each patient."""
    weight = None if weights is None else rows["patient"].map(weights)
    arguments = (rows["label"], rows["predicted"])
    balanced = metrics.balanced_accuracy_score(*arguments, sample_weight=weight)
    return np.array([balanced, metrics.cohen_kappa_score(*arguments, sample_weight=weight)])


def test_intervals_can_be_recomputed_from_the_written_predictions(written):
    folder, classes = written
    table, written_metrics = read(folder)
    for name in ("rank2", "ensemble"):
        rows = table[table["member"] == name]
        patients = sorted(rows["patient"].unique())
        left_out = np.array([score_of(rows[rows["patient"] != patient]) for patient in patients])
        n_patients = [rows.loc[rows["label"] == label, "patient"].nunique() for label in classes]
        for number, (score, behind, bounds) in enumerate(
            (("balanced_accuracy", n_patients, (0, 1)), ("cohen_kappa", [len(patients)], (-1, 1)))
        ):
            entry = written_metrics["members"][name][score]
            low, high, _ = jackknife_interval(entry["value"], left_out[:, number], behind, 0.95, bounds)
            assert (entry["low"], entry["high"]) == (pytest.approx(low, abs=1e-7), pytest.approx(high, abs=1e-7))
            assert entry["low"] < entry["value"] < entry["high"] and entry["undefined"] == 0


def test_bootstrap_intervals_can_be_recomputed(tmp_path):
    class_set = SETS["3class"]
    parts, windows, *_ = study(tmp_path, class_set)
    rows, found = None, {}
    for method in ("percentile", "bca"):
        result = evaluate(parts, windows, class_set, Evaluation(n_bootstrap=200, interval=method), 7)
        rows = result.predictions[(result.predictions["member"] == "rank2") & (result.predictions["label"] != "")]
        found[method] = result.metrics["members"]["rank2"]["balanced_accuracy"]
        assert result.metrics["interval"]["method"] == method
    patients = sorted(rows["patient"].unique())
    draws = patient_draws(len(patients), 200, seed=7)
    values = [score_of(rows, dict(zip(patients, weights, strict=True)))[0] for weights in draws]
    low, high = np.quantile(values, [0.025, 0.975])
    assert (found["percentile"]["low"], found["percentile"]["high"]) == (pytest.approx(low), pytest.approx(high))
    assert found["bca"]["low"] == pytest.approx(low, abs=0.05)


def test_means_of_folds_and_patients_can_be_recomputed(written):
    folder, classes = written
    table, written_metrics = read(folder)
    rows = table[table["member"] == "ensemble"]
    member = written_metrics["members"]["ensemble"]
    found = {"auroc": [], "auprc": []}
    for _, fold in rows.groupby("fold"):
        p = fold[[f"raw_{name}" for name in classes]].to_numpy()
        scored = [1] if len(classes) == 2 else range(len(classes))
        positive = [fold["label"] == classes[c] for c in scored]
        found["auroc"].append(
            np.mean([metrics.roc_auc_score(t, p[:, c]) for t, c in zip(positive, scored, strict=True)])
        )
        found["auprc"].append(
            np.mean([metrics.average_precision_score(t, p[:, c]) for t, c in zip(positive, scored, strict=True)])
        )
    for name, values in found.items():
        assert member["mean_of_folds"][name] == {"value": pytest.approx(np.mean(values), abs=1e-9), "n_folds": 3}
    by_patient = {"balanced_accuracy": [], "accuracy": [], "detection_auroc": []}
    for _, patient in rows.groupby("patient"):
        by_patient["balanced_accuracy"].append(metrics.balanced_accuracy_score(patient["label"], patient["predicted"]))
        by_patient["accuracy"].append((patient["label"] == patient["predicted"]).mean())
        by_patient["detection_auroc"].append(
            metrics.roc_auc_score(patient["label"] != classes[0], -patient[f"raw_{classes[0]}"])
        )
    for name, values in by_patient.items():
        entry = member["mean_of_patients"][name]
        assert entry["value"] == pytest.approx(np.mean(values), abs=1e-9) and entry["n_patients"] == len(values)
        # Close to Student's t on the plain scale, since the mean is far from 0 and 1.
        low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
        assert (entry["low"], entry["high"]) == (pytest.approx(low, abs=0.02), pytest.approx(high, abs=0.02))


@pytest.mark.parametrize("n_patients", [2, 3, 5])
def test_classes_with_fewer_than_three_patients_have_no_interval(tmp_path, n_patients):
    class_set = SETS["3class"]
    parts, windows, *_ = study(tmp_path, class_set)
    kept = [f"sub-{number:02d}" for number in range(n_patients)]
    for path in [path for paths in parts.values() for path in paths]:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        table.loc[~table["patient"].isin(kept), "label"] = table["label"].replace("generalized", "focal")
        table.to_csv(path, sep="\t", index=False)
    for method in ("jackknife", "percentile", "bca"):
        member = evaluate(parts, windows, class_set, Evaluation(interval=method), 1).metrics["members"]["ensemble"]
        assert member["per_class"]["generalized"]["n_patients"] == n_patients
        for name in ("balanced_accuracy", "macro_f1", "auroc", "auprc"):
            assert (member[name]["low"] is None) == (n_patients < 3), (method, name)
        for name in CLASS_SCORES:
            entry = member["per_class"]["generalized"][name]
            assert entry["value"] is not None and (entry["low"] is None) == (n_patients < 3), (method, name)
        assert member["accuracy"]["low"] is not None and member["per_class"]["focal"]["recall"]["low"] is not None


def test_scores_of_folds_and_patients_are_those_of_their_windows(written):
    folder, classes = written
    table, written_metrics = read(folder)
    ensemble = table[table["member"] == "ensemble"]
    for entry in written_metrics["per_fold"]:
        fold = ensemble[ensemble["fold"] == entry["fold"]]
        assert entry["n_windows"] == len(fold) and entry["n_patients"] == fold["patient"].nunique()
        expected = metrics.balanced_accuracy_score(fold["label"], fold["predicted"])
        assert entry["balanced_accuracy"] == pytest.approx(expected, abs=1e-9)
    patients = pd.read_csv(folder / "per_patient.tsv", sep="\t")
    counts = [f"n_{name}" for name in classes]
    assert list(patients.columns) == [
        *("patient", "fold", "n_windows"),
        *counts,
        *("balanced_accuracy", "accuracy", "auroc"),
    ]
    assert (patients[counts].sum(axis=1) == patients["n_windows"]).all()
    assert patients["n_windows"].sum() == len(ensemble)
    for _, row in patients.iterrows():
        rows = ensemble[ensemble["patient"] == row["patient"]]
        assert row["accuracy"] == pytest.approx(metrics.accuracy_score(rows["label"], rows["predicted"]), abs=1e-8)
    events = pd.read_csv(folder / "events.tsv", sep="\t")
    assert events["detector"].unique().tolist() == ["operating_point", "largest_probability", "always"]
    for _, part in events.groupby("detector"):
        assert part["patient"].tolist() == [*patients["patient"], "all"]
        assert part["tp"].iloc[:-1].sum() == part["tp"].iloc[-1]


def test_calibration_can_be_recomputed_from_the_written_predictions(written):
    folder, classes = written
    table, written_metrics = read(folder)
    rows = table[table["member"] == "ensemble"]
    found = written_metrics["calibration"]
    p = {name: rows[[f"{prefix}_{c}" for c in classes]].to_numpy() for name, prefix in STAGES.items()}
    onehot = pd.get_dummies(rows["label"])[classes].to_numpy(float)
    for name, q in p.items():
        log_loss = metrics.log_loss(rows["label"], q / q.sum(axis=1, keepdims=True), labels=sorted(classes))
        assert classes == sorted(classes) and found[name]["log_loss"]["value"] == pytest.approx(log_loss, abs=1e-8)
        brier = ((q - onehot) ** 2).sum(axis=1)
        terms = found[name]["brier_terms"]
        total = terms["reliability"] - terms["resolution"] + terms["uncertainty"] + terms["within_bins"]
        assert found[name]["brier"]["value"] == pytest.approx(brier.mean()) == pytest.approx(total)
        for label in classes:
            bins = found[name]["reliability"][label]
            assert sum(entry["n_windows"] for entry in bins) == len(rows)
            assert all(entry["low"] <= entry["high"] for entry in bins)
        assert found[name]["risk_coverage"]["risk"][-1] == pytest.approx(
            (q.argmax(axis=1) != onehot.argmax(axis=1)).mean()
        )
    change = found["change"]["log_loss"]
    difference = found["calibrated"]["log_loss"]["value"] - found["raw"]["log_loss"]["value"]
    assert change["value"] == pytest.approx(difference) and change["low"] < change["value"] < change["high"]
    true = onehot.argmax(axis=1)[:, None]
    losses = {name: -np.log(np.take_along_axis(q, true, axis=1)[:, 0]) for name, q in p.items()}
    sums = pd.DataFrame({"d": losses["calibrated"] - losses["raw"], "patient": rows["patient"]}).groupby("patient")["d"]
    draws = patient_draws(sums.ngroups, 200, seed=7)
    replicates = (draws @ sums.sum().to_numpy()) / (draws @ sums.size().to_numpy())
    assert (change["low"], change["high"]) == pytest.approx(tuple(np.quantile(replicates, [0.025, 0.975])), abs=1e-8)
    assert [(model["fold"], model["rank"]) for model in found["models"]] == [
        (f, r) for f in (1, 2, 3) for r in (1, 2, 3)
    ]
    patients = {entry["patient"]: entry["n_windows"] for entry in found["conformal"]["per_patient"]}
    assert patients == rows["patient"].value_counts().to_dict()
    assert [fold["n_patients"] for fold in found["conformal"]["folds"]] == [5, 5, 5]


def test_sets_of_a_larger_alpha_separate_classes(tmp_path):
    parts, windows, *_ = study(tmp_path, SETS["2class"], n_patients=30)
    settings = Evaluation(n_bootstrap=100, conformal_alpha=0.2)
    found = evaluate(parts, windows, SETS["2class"], settings, 1).metrics["calibration"]["conformal"]
    assert all(fold["threshold"] is not None and fold["n_patients"] == 10 for fold in found["folds"])
    assert 0.7 < found["coverage"] < 1 and 1 <= found["mean_size"] < 2
    assert found["patients"]["min"] <= found["patients"]["median"]


def test_evaluation_does_not_depend_on_the_order_of_its_input(tmp_path):
    class_set = SETS["3class"]
    parts, windows, recordings, events = study(tmp_path, class_set)
    for name in ("one", "two"):
        shuffled = {rank: paths[::-1] if name == "two" else paths for rank, paths in parts.items()}
        result = evaluate(shuffled, windows, class_set, Evaluation(n_bootstrap=100), 1, recordings, events.iloc[::-1])
        write_evaluation(tmp_path / name, result)
    for file in ("predictions.tsv", "metrics.json", "per_patient.tsv", "events.tsv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_all_members_use_the_same_draws_of_patients(tmp_path):
    class_set = SETS["2class"]
    parts, windows, *_ = study(tmp_path, class_set)
    equal = {1: parts[1], 2: parts[1]}
    members = evaluate(equal, windows, class_set, Evaluation(n_bootstrap=100), 1).metrics["members"]
    assert members["rank1"] == members["rank2"] == members["ensemble"]


def test_event_table_without_recordings_has_only_a_header(tmp_path):
    parts, windows, *_ = study(tmp_path, SETS["2class"])
    result = evaluate(parts, windows, SETS["2class"], Evaluation(n_bootstrap=100, primary="rank2"), 1)
    write_evaluation(tmp_path / "out", result)
    assert (tmp_path / "out" / "events.tsv").read_text().startswith("detector\tpatient\tn_events\t")
    assert result.events.empty and result.metrics["primary"] == "rank2"


def test_scores_of_a_single_patient_have_no_interval(tmp_path):
    parts, windows, *_ = study(tmp_path, SETS["2class"], n_patients=1)
    settings = Evaluation(n_bootstrap=100)
    first_fold = {rank: [path for path in paths if "fold1" in str(path)] for rank, paths in parts.items()}
    entry = evaluate(first_fold, windows, SETS["2class"], settings, 1).metrics["members"]["ensemble"]["accuracy"]
    assert entry["value"] is not None and entry["low"] is None and entry["high"] is None


def test_scores_of_a_class_without_windows_are_null_and_warned_about(tmp_path):
    class_set = SETS["3class"]
    parts, windows, *_ = study(tmp_path, class_set)
    for paths in parts.values():
        for path in paths:
            table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
            table["label"] = table["label"].replace("generalized", "focal")
            table.to_csv(path, sep="\t", index=False)
    result = evaluate(parts, windows, class_set, Evaluation(n_bootstrap=100), 1)
    write_evaluation(tmp_path / "out", result)
    written_metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    ensemble = written_metrics["members"]["ensemble"]
    assert ensemble["auroc"] == {"value": None, "low": None, "high": None, "undefined": 15}
    assert ensemble["balanced_accuracy"]["low"] is not None  # over the two classes that occur
    assert ensemble["per_class"]["generalized"]["recall"]["value"] is None
    assert ensemble["balanced_accuracy"]["value"] > 0
    assert "test fold 2 has no window of generalized" in written_metrics["sanity_warnings"]


def test_inconsistent_inputs_are_refused(tmp_path):
    class_set, settings = SETS["2class"], Evaluation(n_bootstrap=100)
    parts, windows, *_ = study(tmp_path, class_set)
    with pytest.raises(InputError, match=r"rank9 has no predictions, found rank1, rank2, rank3, ensemble"):
        evaluate(parts, windows, class_set, Evaluation(primary="rank9"), 1)
    with pytest.raises(InputError, match=r"window 0 has onset '0.0', windows.tsv has '1.0'"):
        evaluate(parts, windows.assign(onset=windows["onset"] + 1), class_set, settings, 1)
    with pytest.raises(InputError, match=r"window 599 has patient 'sub-14', windows.tsv has 'nan'"):
        evaluate(parts, windows.iloc[:-1], class_set, settings, 1)
    for paths in parts.values():
        for path in paths:
            table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
            table.assign(label="").to_csv(path, sep="\t", index=False)
    with pytest.raises(InputError, match="no window of any fold has a label"):
        evaluate(parts, windows, class_set, settings, 1)


@pytest.mark.slow
def test_memory_of_the_bootstrap_is_bounded(tmp_path):
    # Six members, 1000 replicates, 1500 labeled windows.
    class_set = SETS["3class"]
    parts, windows, *_ = study(tmp_path, class_set, n_patients=28, n_windows=67, n_ranks=5)
    values = evaluate(parts, windows, class_set, Evaluation(n_bootstrap=1000), 1).metrics
    assert values["n_windows"] == 1500 and len(values["members"]) == 6
    # 100,000 windows and 200 replicates at once take 160 MB per array; blocks of 10 replicates take 8 MB.
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 100_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    replicate_scores(p.argmax(1), p.argmax(1), p, rng.integers(50, size=100_000), patient_draws(50, 200, 0))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # KiB
