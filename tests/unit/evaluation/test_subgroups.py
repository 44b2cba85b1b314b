"""Subgroups: scores recomputed with scikit-learn, groups that partition the patients, none below five patients."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from eegwf.config.evaluation import Evaluation
from eegwf.config.stages.evaluation import EvaluateSettings
from eegwf.data.participants import UNKNOWN, Grouping
from eegwf.errors import InputError
from eegwf.evaluation.evaluate import evaluate
from eegwf.evaluation.intervals import jackknife_interval
from eegwf.evaluation.metrics import Member
from eegwf.evaluation.seizure_types import seizure_types
from eegwf.evaluation.subgroups import GROUP_SCORES, group_scores, subgroup_scores
from eegwf.jobs import evaluate as job
from tests.unit.evaluation.test_evaluate import SETS, study

CLASSES = list(SETS["3class"])


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Result of an evaluation with groups of 9 and 4 patients, and 2 without a value."""
    parts, windows, recordings, events = study(tmp_path_factory.mktemp("study"), SETS["3class"])
    sex = {f"sub-{n:02d}": "f" if n < 9 else "m" for n in range(13)}
    groupings = {"sex": Grouping(["f", "m", "x"], sex)}
    result = evaluate(parts, windows, SETS["3class"], Evaluation(), 7, recordings, events, groupings)
    return result, sex, windows, events


def test_scores_of_a_group_are_those_of_its_patients(scored):
    result, sex, *_ = scored
    groups = {group["group"]: group for group in result.metrics["subgroups"]["columns"]["sex"]}
    assert list(groups) == ["f", "m", "x", UNKNOWN]
    table = result.predictions
    table = table[(table["member"] == "ensemble") & (table["label"] != "")]
    rows = table[table["patient"].map(sex) == "f"]
    found = groups["f"]
    assert (found["n_patients"], found["n_windows"]) == (9, len(rows))

    def value(rows):
        return metrics.balanced_accuracy_score(rows["label"], rows["predicted"])

    entry = found["balanced_accuracy"]
    assert entry["value"] == pytest.approx(value(rows), abs=1e-9) and entry["reason"] is None
    left_out = np.array([value(rows[rows["patient"] != name]) for name in sorted(set(rows["patient"]))])
    low, high, _ = jackknife_interval(entry["value"], left_out, [9, 9, 9], 0.95)
    assert (entry["low"], entry["high"]) == (pytest.approx(low, abs=1e-7), pytest.approx(high, abs=1e-7))
    p = rows[[f"raw_{name}" for name in CLASSES]].to_numpy()
    auroc = metrics.roc_auc_score(rows["label"], p, multi_class="ovr", labels=CLASSES)
    assert found["auroc"]["value"] == pytest.approx(auroc, abs=1e-9)
    detection = metrics.roc_auc_score(rows["label"] != "background", 1 - p[:, 0])
    assert found["detection_auroc"]["value"] == pytest.approx(detection, abs=1e-9)
    recalls = metrics.recall_score(rows["label"], rows["predicted"], labels=CLASSES, average=None)
    for name, recall in zip(CLASSES, recalls, strict=True):
        of_class = found["per_class"][name]
        assert of_class["recall"]["value"] == pytest.approx(recall, abs=1e-9)
        assert of_class["n_windows"] == (rows["label"] == name).sum() and of_class["n_patients"] == 9


def test_groups_below_five_patients_have_no_scores(scored):
    groups = {group["group"]: group for group in scored[0].metrics["subgroups"]["columns"]["sex"]}
    for name, n in (("m", 4), ("x", 0), (UNKNOWN, 2)):
        group = groups[name]
        assert group["n_patients"] == n
        entries = [group[score] for score in GROUP_SCORES]
        entries += [of_class["recall"] for of_class in group["per_class"].values()]
        assert {entry["value"] for entry in entries} == {entry["low"] for entry in entries} == {None}
        assert {entry["reason"] for entry in entries} == {f"{n} patients"}


def member_of(labels, classes=3):
    """Windows of these (patient, class) pairs, all predicted correctly."""
    truth = np.array([label for _, label in labels])
    p = np.eye(classes)[truth] * 0.9 + 0.1 / classes
    patient = np.array([f"sub-{n}" for n, _ in labels], dtype=object)
    return Member(truth, truth, p, patient, np.ones(len(truth), int))


def test_scores_that_depend_on_a_class_of_few_patients_are_not_computed():
    labels = [(n, 0) for n in range(8)] + [(n, 1) for n in range(6)] + [(n, 2) for n in range(4)]
    found = group_scores(member_of(labels), CLASSES, Evaluation(), 1)
    reason = "4 patients with windows of generalized"
    assert found["balanced_accuracy"]["reason"] == found["auroc"]["reason"] == reason
    assert found["per_class"]["generalized"]["recall"]["reason"] == reason
    assert found["per_class"]["focal"]["recall"]["value"] == found["detection_auroc"]["value"] == 1
    # A class that the group lacks is left out of the balanced accuracy, as in all scores; the AUROC needs all.
    found = group_scores(member_of(labels[:14]), CLASSES, Evaluation(), 1)
    assert found["balanced_accuracy"]["value"] == 1
    assert found["auroc"]["reason"] == "0 patients with windows of generalized"
    found = group_scores(member_of(labels[:8]), CLASSES, Evaluation(), 1)
    assert found["detection_auroc"]["reason"] == "0 patients with windows of any class but background"


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), min_size=1, max_size=60), st.integers(0, 3))
def test_the_groups_of_a_column_partition_patients_and_windows(labels, n_groups):
    member = member_of(labels)
    group_of = {f"sub-{n}": f"g{n % n_groups}" for n in range(8)} if n_groups else {}
    groupings = {"a": Grouping(sorted(set(group_of.values())), group_of), "b": Grouping([], {})}
    found = subgroup_scores(member, groupings, CLASSES, Evaluation(), 1)
    assert list(found) == ["a", "b"]
    for groups in found.values():
        names = [group["group"] for group in groups]
        assert len(names) == len(set(names))
        assert sum(group["n_patients"] for group in groups) == len(set(member.patient))
        assert sum(group["n_windows"] for group in groups) == len(labels)
    assert [group["group"] for group in found["b"]] == [UNKNOWN]


def test_bootstrap_intervals_of_groups(scored):
    labels = [(n, c) for n in range(6) for c in range(3) for _ in range(3)]
    member = member_of(labels)
    rng = np.random.default_rng(0)
    predicted = np.where(rng.random(len(labels)) < 0.3, 0, member.truth)
    member = Member(member.truth, predicted, member.p, member.patient, member.fold)
    found = group_scores(member, CLASSES, Evaluation(interval="percentile", n_bootstrap=100), 1)
    entry = found["balanced_accuracy"]
    assert entry["low"] < entry["value"] < entry["high"]


def test_seizure_types_can_be_recomputed(scored):
    result, _, windows, events = scored
    types = {row["event_type"]: row for row in result.metrics["subgroups"]["seizure_types"]}
    assert list(types) == ["sz_foc", "sz_gen"] and types["sz_foc"]["class"] == "focal"
    table = result.predictions
    table = table[(table["member"] == "ensemble") & (table["label"] != "")]
    event_type = table["window"].map(windows.set_index("window")["label"])
    for name, row in types.items():
        rows = table[event_type == name]
        assert row["n_windows"] == len(rows) and row["n_patients_windows"] == rows["patient"].nunique()
        assert row["recall"]["value"] == pytest.approx((rows["predicted"] == rows["label"]).mean())
        counts = rows.assign(hit=rows["predicted"] == rows["label"]).groupby("patient")["hit"].agg(["sum", "size"])
        left_out = ((counts["sum"].sum() - counts["sum"]) / (counts["size"].sum() - counts["size"])).to_numpy()
        low, high, _ = jackknife_interval(row["recall"]["value"], left_out, [len(counts)], 0.95)
        assert (row["recall"]["low"], row["recall"]["high"]) == (pytest.approx(low), pytest.approx(high))
        assert row["n_seizures"] == (events["label"] == name).sum() and row["n_patients"] == 15
    n_seizures = sum(row["n_seizures"] for row in types.values())
    n_detected = sum(row["n_seizures"] * row["sensitivity"]["value"] for row in types.values())
    latency = result.metrics["events"]["latency"]
    assert n_seizures == result.metrics["events"]["n_annotated"] and n_detected == pytest.approx(latency["n_detected"])


def by_hand(n_patients=6):
    """A patient has a focal seizure with awareness that is predicted and a generalized one that is not."""
    rows, events = [], []
    for n in range(n_patients):
        labels = ["bckg", "sz_foc_ia", *["bckg"] * 9, "sz_gen", "sz"]
        for number, label in enumerate(labels):
            rows.append([len(rows), f"p{n}", f"r{n}", number * 60.0, 60.0, label])
        events += [[f"r{n}", 60.0, 60.0, "sz_foc_ia"], [f"r{n}", 660.0, 60.0, "sz_gen"], [f"r{n}", 720.0, 30.0, "impd"]]
    windows = pd.DataFrame(rows, columns=["window", "patient", "recording", "onset", "duration", "label"])
    recordings = pd.DataFrame({"recording": [f"r{n}" for n in range(n_patients)]})
    recordings = recordings.assign(patient=[f"p{n}" for n in range(n_patients)], duration=780.0)
    predictions = windows.drop(columns="duration").assign(fold=1)
    predictions = predictions[predictions["label"] != "sz"]  # the class set excludes it
    classes = {"bckg": "background", "sz_foc_ia": "focal", "sz_gen": "generalized"}
    predictions["label"] = predictions["label"].map(classes)
    predictions["predicted"] = np.where(predictions["label"] == "focal", "focal", "background")
    predictions["p_background"] = np.where(predictions["label"] == "focal", 0.1, 0.9)
    tables = (windows, recordings, pd.DataFrame(events, columns=["recording", "onset", "duration", "label"]))
    return predictions, tables


POINTS = {
    "primary": "operating_point",
    "operating_points": [{"fold": 1, "threshold": 0.5, "smoothing": 0.0, "min_duration": 0.0}],
}


def test_seizures_of_a_type_are_detected_or_not():
    predictions, tables = by_hand()
    found = seizure_types(predictions, tables[0], tables, SETS["3class"], POINTS, Evaluation(), 1)
    values = {row["event_type"]: (row["recall"]["value"], row["sensitivity"]["value"]) for row in found}
    assert values == {"sz_foc_ia": (1.0, 1.0), "sz_gen": (0.0, 0.0)}
    assert [(row["n_windows"], row["n_seizures"], row["n_patients"]) for row in found] == [(6, 6, 6)] * 2
    low = stats.beta.ppf(0.025, 6, 1)  # Clopper and Pearson for 6 of 6 patients
    assert found[0]["sensitivity"]["low"] == pytest.approx(low)
    never = POINTS | {"operating_points": [POINTS["operating_points"][0] | {"threshold": 1.0}]}
    found = seizure_types(predictions, tables[0], tables, SETS["3class"], never, Evaluation(), 1)
    assert [row["sensitivity"]["value"] for row in found] == [0.0, 0.0]


def test_types_of_few_patients_and_without_events_have_reasons():
    predictions, tables = by_hand(4)
    row = seizure_types(predictions, tables[0], tables, SETS["3class"], POINTS, Evaluation(), 1)[0]
    assert row["recall"]["reason"] == "4 patients with windows of this type" and row["recall"]["value"] is None
    assert row["sensitivity"]["reason"] == "4 patients with such seizures"
    row = seizure_types(predictions, tables[0], None, SETS["3class"], None, Evaluation(), 1)[0]
    assert row["n_seizures"] is None and row["sensitivity"]["reason"] == "no events were scored"
    # Without a background class, seizures of the first class are counted, too.
    classes = {"focal": ["sz_foc"], "generalized": ["sz_gen"]}
    predictions = predictions[predictions["label"] != "background"]
    found = seizure_types(predictions, tables[0], tables, classes, None, Evaluation(), 1)
    assert [(row["event_type"], row["n_seizures"]) for row in found] == [("sz_foc_ia", 4), ("sz_gen", 4)]


def test_the_job_reads_the_configured_columns_only(tmp_path):
    parts, windows, recordings, events = study(tmp_path, SETS["2class"])
    recordings = recordings.assign(path="a.edf", excluded="")
    for name, table in (("windows", windows), ("recordings", recordings), ("events", events)):
        table.to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False)
    rows = [f"sub-{n:02d}\t{20 + n}.123\tf\n" for n in range(14)]
    (tmp_path / "participants.tsv").write_text("participant_id\tage\tsex\n" + "".join(rows))

    def run(subgroups, patients=None):
        configured = EvaluateSettings(
            seed=1, classes=SETS["2class"], evaluation=Evaluation(n_permutations=0), subgroups=subgroups,
            patients=patients or {},
        )  # fmt: skip
        paths = SimpleNamespace(**{name: tmp_path / f"{name}.tsv" for name in ("windows", "recordings", "events")})
        tests = [path for paths in parts.values() for path in paths]
        job.run(
            configured, tests, paths.windows, paths.recordings, paths.events, tmp_path / "out",
            tmp_path / "participants.tsv" if subgroups else None,
        )  # fmt: skip
        return (tmp_path / "out" / "metrics.json").read_text()

    written = run({"age": [25, 30]})
    assert '"< 25"' in written and '">= 30"' in written and ".123" not in written and '"sex"' not in written
    assert '"columns": {}' in run({})
    with pytest.raises(InputError, match="no column site") as caught:
        run({"site": None})
    assert "\n" not in str(caught.value)
