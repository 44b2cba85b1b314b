"""Recompute every number of a report's first screen from the predictions and the tables of the data.

Nothing of `eegwf` is imported: scores are those of scikit-learn, events those of `timescoring`, and the intervals are
written as in their definition. Usable on the results of any study:

    python -m tests.helpers.first_screen results/vit_mel_3class
"""

import html
import json
import math
import re
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student
from sklearn import metrics as sk
from timescoring.annotations import Annotation
from timescoring.scoring import EventScoring

TEXT = {"patient": str, "recording": str, "label": str, "predicted": str, "member": str}
SCORES = ("balanced_accuracy", "macro_f1", "accuracy", "auroc", "auprc")


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", keep_default_na=False, na_values={}, dtype=TEXT)


def score(kind: str, table: pd.DataFrame, classes: list[str]) -> float:
    """Score of labeled windows by scikit-learn; NaN if a class is missing where the score averages over classes."""
    truth, predicted = table["label"], table["predicted"]
    if kind != "accuracy" and set(truth) != set(classes):
        return math.nan
    if kind == "accuracy":
        return float((truth == predicted).mean())
    if kind == "balanced_accuracy":
        return sk.balanced_accuracy_score(truth, predicted)
    if kind == "macro_f1":
        return sk.f1_score(truth, predicted, labels=classes, average="macro", zero_division=0)
    of = {"auroc": sk.roc_auc_score, "auprc": sk.average_precision_score}[kind]
    shown = classes[-1:] if len(classes) == 2 else classes
    return float(np.mean([of(truth == name, table[f"raw_{name}"].astype(float)) for name in shown]))


def jackknife(value: float, left_out: list[float], n_patients: list[int], confidence: float = 0.95):
    """Interval of Student's t on the logit scale with the standard error of the jackknife; None if there is none."""
    n = len(left_out)
    if min(n_patients) < 3 or any(map(math.isnan, left_out)):
        return None
    if value in (0, 1):
        limit = ((1 - confidence) / 2) ** (1 / min(n_patients))
        return (0.0, 1 - limit) if value == 0 else (limit, 1.0)
    squares = [(x - sum(left_out) / n) ** 2 for x in left_out]
    if max(squares) < 1e-24:
        return None
    error = math.sqrt((n - 1) / n * sum(squares)) / (value * (1 - value))
    effective = max(1.0, (3.16 - 2.77 / math.sqrt(n)) * sum(squares) ** 2 / sum(x**2 for x in squares))
    design = sum(1 / m for m in n_patients) ** 2 / sum(1 / (m**2 * (m - 1)) for m in n_patients)
    reach = student.ppf((1 + confidence) / 2, min(n - 1, effective, design)) * error
    center = math.log(value / (1 - value))
    return tuple(1 / (1 + math.exp(-x)) for x in (center - reach, center + reach))


def cards(run: Path) -> dict[str, tuple[float, tuple[float, float] | None]]:
    """Scores of the ensemble with their intervals."""
    about = json.loads((run / "metrics.json").read_text())
    table = read(run / "predictions.tsv")
    table = table[(table["member"] == about["primary"]) & (table["label"] != "")]
    patients = sorted(table["patient"].unique())
    with_class = [table.loc[table["label"] == name, "patient"].nunique() for name in about["classes"]]
    found = {}
    for kind in SCORES:
        value = score(kind, table, about["classes"])
        left_out = [score(kind, table[table["patient"] != patient], about["classes"]) for patient in patients]
        counts = [len(patients)] if kind == "accuracy" else with_class
        found[kind] = (value, jackknife(value, left_out, counts))
    return found


def majority(run: Path) -> float:
    """Accuracy of the most frequent class of the other folds."""
    about = json.loads((run / "metrics.json").read_text())
    table = read(run / "predictions.tsv")
    table = table[(table["member"] == about["primary"]) & (table["label"] != "")]
    right = 0
    for _, fold in table.groupby("fold"):
        others = table[table["fold"] != fold["fold"].iloc[0]]["label"].value_counts()
        most = max(about["classes"], key=lambda name, others=others: others.get(name, 0))
        right += int((fold["label"] == most).sum())
    return right / len(table)


def events(run: Path, class_set: dict[str, list[str]]) -> dict[str, dict[str, float]]:
    """Pooled event scores of the detector at the operating points of its folds, and of one that is always on."""
    about, data = json.loads((run / "metrics.json").read_text()), run.parent / "data"
    points = {item["fold"]: item for item in about["events"]["operating_points"]}
    table = read(run / "predictions.tsv")
    table = table[table["member"] == about["primary"]].copy()
    windows = read(data / "windows.tsv").set_index("window")
    table["end"] = table["onset"].astype(float) + table["window"].map(windows["duration"]).astype(float)
    annotated = read(data / "events.tsv")
    background, *others = class_set
    types = [entry for name in others for entry in class_set[name]]
    is_seizure = [
        any(label == entry or label.startswith(f"{entry}_") for entry in types) for label in annotated["label"]
    ]
    annotated = annotated[is_seizure]
    recordings = read(data / "recordings.tsv")
    recordings = recordings[recordings["excluded"] == ""] if recordings["excluded"].dtype == object else recordings
    found = {name: np.zeros(4) for name in ("operating_point", "always")}
    for recording in recordings.to_dict("records"):
        own = table[table["recording"] == recording["recording"]].sort_values("onset")
        if not len(table[table["patient"] == recording["patient"]]):
            continue
        length, seconds = float(recording["span"]), float(recording["duration"])
        seizures = [
            (float(row["onset"]), float(row["onset"]) + float(row["duration"]))
            for row in annotated[annotated["recording"] == recording["recording"]].to_dict("records")
        ]
        detected = detect(own, points, background) if len(own) else []
        for name, intervals in (("operating_point", detected), ("always", [(0.0, length)])):
            # Ten ticks in a second, as in timescoring.
            reference, guess = (Annotation(list(spans), 10, round(length * 10)) for spans in (seizures, intervals))
            scored = EventScoring(reference, guess)
            found[name] += [scored.refTrue, scored.tp, scored.fp, seconds]
    return {
        name: {
            "n_events": n, "tp": tp, "fp": fp, "sensitivity": tp / n if n else math.nan,
            "f1": 2 * tp / (n + tp + fp) if n + tp + fp else math.nan, "rate": fp * 86400 / seconds,
        }
        for name, (n, tp, fp, seconds) in found.items()
    }  # fmt: skip


def detect(own: pd.DataFrame, points: dict[int, dict], background: str) -> list[tuple[float, float]]:
    """Detections of a recording; between two edges of windows, the mean over the windows that cover the time counts."""
    point = points[int(own["fold"].iloc[0])]
    if point["threshold"] is None:
        return []
    onset, end = own["onset"].to_numpy(float), own["end"].to_numpy(float)
    p, center = 1 - own[f"p_{background}"].to_numpy(float), (onset + end) / 2
    if point["smoothing"]:
        p = np.array([p[np.abs(center - middle) <= point["smoothing"] / 2 + 1e-9].mean() for middle in center])
    spans: list[list[float]] = []
    edges = sorted({*onset, *end})
    for start, stop in pairwise(edges):
        covering = p[(onset < stop - 1e-9) & (end > start + 1e-9)]
        if len(covering) and covering.mean() > point["threshold"]:
            if spans and start - spans[-1][1] < 1e-9:
                spans[-1][1] = stop
            else:
                spans.append([start, stop])
    return [(start, stop) for start, stop in spans if stop - start >= point["min_duration"] - 1e-9]


def shown(run: Path) -> str:
    """Text of the first screen and of the section on events."""
    page = (run / "report.html").read_text(encoding="utf-8")
    parts = re.findall(r'<section id="(?:headline|events)".*?</section>', page, re.DOTALL)
    text = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", " ".join(parts), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(text))


def expected(run: Path, class_set: dict[str, list[str]]) -> list[str]:
    """Texts that the first screen and the section on events must contain."""
    texts = []
    for value, bounds in cards(run).values():
        texts.append(f"{value:.3f}")
        texts.append(f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else "no interval")
    texts.append(f"majority {majority(run):.3f}")
    found = events(run, class_set)
    point, always = found["operating_point"], found["always"]
    texts.append(f"{point['tp']:.0f} of {point['n_events']:.0f} seizure events were detected")
    texts.append(f"sensitivity {point['sensitivity']:.3f}")
    rate = f"{point['rate']:.3g}" if point["rate"] < 1000 else f"{point['rate']:.0f}"
    texts.append(f"{rate} false alarms in 24 h ({point['fp']:.0f} in ")
    texts.append(f"F1 {point['f1']:.3f}, a detector that is always on {always['f1']:.3f}")
    return texts


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sets = {
        "2class": {"background": ["bckg"], "seizure": ["sz"]},
        "3class": {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]},
    }
    page = shown(folder)
    for text in expected(folder, sets[folder.name.rpartition("_")[2]]):
        print("found  " if text in page else "MISSING", text)
