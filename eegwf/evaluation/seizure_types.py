"""Scores by event type of the annotated seizures: recall of their windows, and sensitivity for the seizures."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from eegwf.config.evaluation import Evaluation
from eegwf.data.events import BACKGROUND, classify, has_background, matches
from eegwf.data.participants import MIN_GROUP
from eegwf.evaluation.events import latencies, primary_points
from eegwf.evaluation.intervals import patient_resamples
from eegwf.evaluation.scored_recordings import scored_recordings
from eegwf.evaluation.subgroups import Entry, few_patients_reason, no_score, scored

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def seizure_types(
    predictions: pd.DataFrame,
    windows: pd.DataFrame,
    tables: Tables | None,
    class_set: dict[str, list[str]],
    event_metrics: Mapping[str, Any] | None,
    settings: Evaluation,
    seed: int,
) -> list[dict[str, Any]]:
    """Score each event type of the seizures in a class set.

    Parameters
    ----------
    predictions
        Rows of the primary member, including borderline windows.
    windows
        `windows.tsv`: columns `window` and `label`, the event type.
    tables
        `windows.tsv`, `recordings.tsv` and the annotated events, as `scored_recordings` takes them; None without times.
    class_set
        Event types of each class, the background first.
    event_metrics
        Content of `events` in `metrics.json`, with the operating points; None if no events were scored.
    settings
        Section `evaluation` of the configuration.
    seed
        Seed of the bootstrap.

    Returns
    -------
    list of dict
        For each event type of the annotated seizures and windows `event_type`, `class`, `n_windows` and
        `n_patients_windows` of exactly this type, `recall` (fraction of these windows whose class is predicted),
        `n_seizures` and `n_patients` of the tested patients' recordings (None without times), and `sensitivity`
        (fraction of the annotated seizures that the primary detector detects). Scores are as in `subgroup_scores`.
    """
    types = predictions["window"].map(windows.set_index("window")["label"])
    labeled = predictions.assign(event_type=types)[predictions["label"] != ""]
    labeled = labeled.assign(hit=labeled["predicted"] == labeled["label"])[["patient", "event_type", "hit"]]
    found = _annotated(predictions, tables, class_set, event_metrics)
    names = set(labeled["event_type"]) | (set(found["event_type"]) if found is not None else set())
    result = []
    for name in sorted(name for name in names if _is_seizure(name, class_set)):
        in_windows = labeled[labeled["event_type"] == name]
        row: dict[str, Any] = {
            "event_type": name,
            "class": classify(name, class_set),
            "n_windows": len(in_windows),
            "n_patients_windows": in_windows["patient"].nunique(),
            "recall": _fraction(in_windows, "windows of this type", settings, seed),
            "n_seizures": None,
            "n_patients": None,
            "sensitivity": no_score("no events were scored"),
        }
        if found is not None:
            seizures = found[found["event_type"] == name]
            row |= {"n_seizures": len(seizures), "n_patients": seizures["patient"].nunique()}
            if event_metrics is not None:
                row["sensitivity"] = _fraction(seizures, "such seizures", settings, seed)
        result.append(row)
    return result


def _is_seizure(label: str, class_set: dict[str, list[str]]) -> bool:
    """Whether an event type is of a class of seizures: any class but the first, unless that contains seizures, too."""
    name = classify(label, class_set) if label and not matches(BACKGROUND, label) else None
    return name is not None and (name != next(iter(class_set)) or not has_background(class_set))


def _annotated(
    predictions: pd.DataFrame,
    tables: Tables | None,
    class_set: dict[str, list[str]],
    event_metrics: Mapping[str, Any] | None,
) -> pd.DataFrame | None:
    """Annotated seizures of the tested patients: `patient`, `event_type`, `hit`; None without times."""
    if tables is None:
        return None
    if event_metrics is None:
        _, recordings, events = tables
        tested = recordings[recordings["patient"].isin(predictions["patient"].unique())]
        patient_of = tested.set_index("recording")["patient"]
        found = events[events["recording"].isin(patient_of.index)]
        table = pd.DataFrame({"patient": found["recording"].map(patient_of), "event_type": found["label"]})
        return table.assign(hit=False)
    items = scored_recordings(predictions, *tables, class_set)
    rows = [(item.patient, event_type) for item in items for event_type in item.types]
    hits = [latency is not None for latency in latencies(items, primary_points(event_metrics))]
    return pd.DataFrame(rows, columns=["patient", "event_type"]).assign(hit=hits)


def _fraction(table: pd.DataFrame, thing: str, settings: Evaluation, seed: int) -> Entry:
    """Fraction of the rows that are hits, with an interval over their patients."""
    counts = table.groupby("patient")["hit"].agg(["sum", "size"]).to_numpy(dtype=float)
    n_patients = len(counts)
    if n_patients < MIN_GROUP:
        return no_score(few_patients_reason(n_patients, thing))
    resampled = {}
    for kind, weights in patient_resamples(n_patients, settings, seed).items():
        hits, total = (weights @ counts).T
        resampled[kind] = hits / total  # every draw has patients, each with rows
    value = float(counts[:, 0].sum() / counts[:, 1].sum())
    return scored(value, resampled, [n_patients], settings)
