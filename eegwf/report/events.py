"""Seizure events on the page: sentences and tables."""

from typing import Any

import pandas as pd

from eegwf.evaluation.events import ALWAYS, LARGEST, NEVER, POINT, SHIFTED
from eegwf.report.data import ReportData
from eegwf.report.formats import count, defined, duration, interval, listing, number, score, share
from eegwf.report.tables import Cell, Table, level

NAMES = {
    POINT: "operating point",
    LARGEST: "class of largest probability",
    ALWAYS: "baseline: always on",
    SHIFTED: "baseline: shifted predictions",
    NEVER: "baseline: never on",
}
RATES = ("false_alarms_per_day",)
TITLES = {
    "sensitivity": "sensitivity",
    "precision": "precision",
    "f1": "F1",
    "false_alarms_per_day": "false alarms in 24 h",
    "sample_sensitivity": "sensitivity, seconds",
    "sample_precision": "precision, seconds",
    "sample_f1": "F1, seconds",
}


def target(run: ReportData) -> str:
    """The target for which operating points were chosen, as text."""
    settings = run.metrics["events"]["target"]
    value = number(settings["value"])
    return {
        "false_alarms_per_day": f"at most {value} false alarms in 24 h",
        "sensitivity": f"a sensitivity of at least {value}",
        "f1": "the largest F1 of events",
    }[settings["target"]]


def headline(run: ReportData) -> str:
    """The result for events in one sentence; empty if events were not scored or say little about these recordings."""
    events = run.metrics.get("events")
    if not events or events["unsuitable"] or run.permuted:
        return ""
    return result(run)


def result(run: ReportData) -> str:
    """Describe the detections of the primary detector."""
    events = run.metrics["events"]
    scores, row = events["detectors"][events["primary"]], pooled(run.events, events["primary"])
    chosen = f"At the operating point chosen on the validation patients for {target(run)}"
    argmax = "Where a class other than the background has the largest probability"
    rate = scores["false_alarms_per_day"]
    where = chosen if events["primary"] == POINT else argmax
    return (
        f"{where}, {int(row['tp'])} of {int(row['n_events'])} seizure events were detected (sensitivity "
        f"{score(scores['sensitivity']['value'])}{_interval(scores['sensitivity'], run)}), with "
        f"{number(rate['value'])} false alarms in 24 h ({int(row['fp'])} in {duration(row['seconds'])} of recordings"
        f"{_interval(rate, run)}); F1 {score(scores['f1']['value'])}, a detector that is always on "
        f"{score(events['detectors'][ALWAYS]['f1']['value'])}, predictions shifted in time "
        f"{score(events['detectors'][SHIFTED]['f1']['value'])}."
    )


def _interval(entry: dict[str, Any], run: ReportData) -> str:
    if not defined(entry["low"]):
        return ""
    return f"; {level(run)} confidence interval {number(entry['low'])} to {number(entry['high'])}"


def joined(run: ReportData) -> str:
    """Number of annotated seizures and of events, as text."""
    events = run.metrics["events"]
    parts = [count(events["n_annotated"], "annotated seizure")]
    parts.append(f"{events['n_merged']} after those less than 90 s apart are merged")
    parts.append(f"{events['n_events']} after those longer than 5 minutes are split")
    if events["n_untested"]:
        parts.append(
            f"{events['n_untested']} more of patients who were not tested, or have no window of this class set"
        )
    return "; ".join(parts)


def cautions(run: ReportData) -> list[str]:
    """Reasons to distrust the scores of events; empty if there are none."""
    events = run.metrics.get("events")
    if not events or run.permuted:
        return []
    sentences = [
        f"Events: {reason}; scores of events say little about such recordings." for reason in events["unsuitable"]
    ]
    found = {name: events["detectors"][name]["f1"]["value"] for name in (events["primary"], ALWAYS, SHIFTED)}
    own = found.pop(events["primary"])
    better = [f"{NAMES[name].removeprefix('baseline: ')} ({score(value)})" for name, value in found.items()
              if defined(own) and defined(value) and value >= own]  # fmt: skip
    if better:
        sentences.append(
            f"Events: the F1 of {score(own)} is not above that of detectors that do not use the signal: "
            f"{listing(better)}."
        )
    return sentences


def detector_table(run: ReportData) -> Table:
    """Scores of all detectors, pooled, and means over the patients."""
    events = run.metrics["events"]
    rows: list[list[Cell]] = []
    for name, title in NAMES.items():
        if name in events["detectors"]:
            rows.append([title, *(_cell(kind, events["detectors"][name][kind]) for kind in TITLES)])
    means = events["detectors"][events["primary"]]["patient_mean"]
    rows.append([f"{NAMES[events['primary']]}, mean over patients", *(_cell(kind, means[kind]) for kind in TITLES)])
    n_patients = means["sensitivity"]["n_patients"]
    return Table(
        f"Scores of detectors: {run.primary}, with {level(run)} confidence intervals",
        ["detector", *TITLES.values()],
        rows,
        "Pooled over all recordings of the tested patients. F1 is 0 if there are seizures and no detection, and "
        "undefined only with neither. The scores of seconds compare each second of the recordings. Shifted "
        "predictions: those of each recording from a random window on, continued from its beginning. Means are over "
        f"the patients for whom a score is defined; the sensitivity is for {count(n_patients, 'patient')}.",
        strong={0},
    )


def _cell(kind: str, entry: dict[str, Any]) -> Cell:
    if kind in RATES:
        bounds = f"{number(entry['low'])} to {number(entry['high'])}" if defined(entry["low"]) else ""
        return number(entry["value"]) if defined(entry["value"]) else "undefined", bounds
    bounds = interval(entry) if defined(entry["low"]) else ""
    return score(entry["value"]), bounds


def point_table(run: ReportData) -> Table | None:
    """Operating point of each fold and its scores on the validation patients; None if none was chosen."""
    rows: list[list[Cell]] = []
    for point in run.metrics["events"]["operating_points"]:
        found = point["validation"]
        cells = ["", "", ""]
        if found:
            hours = duration(found["days"] * 86_400)
            cells = [f"{found['tp']} of {found['n_events']}", f"{found['fp']} in {hours}", score(found["f1"])]
        threshold = "never alarms" if point["threshold"] is None else score(point["threshold"])
        settings = [threshold, number(point["smoothing"]), number(point["min_duration"])]
        rows.append([str(point["fold"]), *settings, *cells, point["reason"]])
    if not rows:
        return None
    return Table(
        f"Operating points, chosen on the validation patients of each fold for {target(run)}",
        [
            "test fold", "threshold", "smoothing (s)", "minimum duration (s)", "detected events, validation",
            "false alarms, validation", "F1, validation", "note",
        ],
        rows,
        "Each was applied once to the patients of its test fold. The scores on the validation patients are biased "
        "upward, because the point was chosen on them.",
        text={7},
    )  # fmt: skip


def patient_table(run: ReportData) -> Table:
    """Scores of the primary detector for every patient."""
    events = run.events[run.events["detector"] == run.metrics["events"]["primary"]]
    # The pooled row is the last one; a patient may have the same name, "all".
    events = pd.concat([events.tail(1), events.iloc[:-1]])
    rows: list[list[Cell]] = [
        [
            "all patients" if number_of == 0 else row["patient"],
            *(f"{int(row[name]):,d}" for name in ("n_events", "tp", "fp")),
            *(share(row[name]) for name in ("sensitivity", "precision")),
            score(row["f1"]),
            number(row["false_alarms_per_day"]),
        ]
        for number_of, row in enumerate(events.to_dict("records"))
    ]
    return Table(
        f"Event scores by patient: {run.primary}, {NAMES[run.metrics['events']['primary']]}",
        ["patient", "events", "detected", "false alarms", "sensitivity", "precision", "F1", "false alarms in 24 h"],
        rows,
        "Sensitivity is undefined for patients without seizures, precision for patients without detections.",
        strong={0},
        sortable=True,
        filter_label="Show patients with",
    )


def latency(run: ReportData) -> str:
    """Delay of the detections as a sentence; empty without detections."""
    found = run.metrics["events"]["latency"]
    if not found["quartiles"]:
        return ""
    low, median, high = (number(value).replace("-", "\N{MINUS SIGN}") for value in found["quartiles"])
    n_annotated = count(run.metrics["events"]["n_annotated"], "annotated seizure")
    return (
        f"Of {n_annotated}, {found['n_detected']} were detected, a median of {median} s after the onset (quartiles "
        f"{low} s and {high} s; negative: before it). The times are edges of windows; smoothing also uses windows "
        "after a point in time."
    )


def pooled(table: pd.DataFrame, detector: str) -> dict[str, Any]:
    """Select the pooled counts and scores of a detector.

    Parameters
    ----------
    table
        `events.tsv`.
    detector
        Name of the detector.

    Returns
    -------
    dict
        Its row `all`.
    """
    return {str(name): value for name, value in table[table["detector"] == detector].iloc[-1].items()}
