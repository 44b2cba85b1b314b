"""Scores at a threshold, computed from the tables of a study and by the reference implementation of SzCORE."""

from dataclasses import replace

import pandas as pd

from eegwf.evaluation.detector import OperatingPoint
from eegwf.evaluation.events import POINT, event_table
from eegwf.evaluation.scored_recordings import scored_recordings
from eegwf.report.data import ReportData


def scores_at(run: ReportData, threshold: float) -> dict[str, float]:
    """Scores of the primary member with one threshold for all folds.

    Returns
    -------
    dict
        True positive, false negative, true negative and false positive windows, `tp`, `fn`, `tn` and `fp`; and, if
        events were scored, `sensitivity` for events and `false_alarms_per_hour`.
    """
    table = run.predictions[run.predictions["member"] == run.primary]
    counts = {"tp": 0, "fn": 0, "tn": 0, "fp": 0}
    for row in table[table["label"] != ""].to_dict("records"):
        above = 1 - row[f"p_{run.classes[0]}"] > threshold
        names = ("fp", "tn") if row["label"] == run.classes[0] else ("tp", "fn")
        counts[names[0] if above else names[1]] += 1
    return counts | (_events_at(run, table, threshold) if run.metrics["events"] else {})


def _events_at(run: ReportData, table: pd.DataFrame, threshold: float) -> dict[str, float]:
    class_set = run.study.classes[run.class_set]
    recordings = scored_recordings(table, run.windows, run.recordings, run.annotations, class_set)
    chosen = {entry["fold"]: OperatingPoint.read(entry) for entry in run.metrics["events"]["operating_points"]}
    points = {fold: replace(point, threshold=threshold) for fold, point in chosen.items()}
    found = event_table(recordings, points)
    row = found[(found["detector"] == POINT) & (found["patient"] == "all")].iloc[-1]
    return {"sensitivity": row["tp"] / row["n_events"], "false_alarms_per_hour": row["fp"] / row["seconds"] * 3600}
