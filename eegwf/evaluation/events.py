"""Scores of seizure events: the predictions as a detector, beside detectors that do not use the signal.

See `event_counts` for the definition of a detection and of a false alarm.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.evaluation import Evaluation
from eegwf.evaluation.bootstrap import interval, patient_draws, ratio
from eegwf.evaluation.detector import TICKS, Interval, OperatingPoint, ticks, timeline
from eegwf.evaluation.event_counts import AFTER, BEFORE, MIN_GAP, Counts, score_recording
from eegwf.evaluation.intervals import MIN_PATIENTS, jackknife_interval, patient_resamples, score_interval
from eegwf.evaluation.scored_recordings import ScoredRecording
from eegwf.evaluation.scores import number

POINT, LARGEST, ALWAYS, NEVER, SHIFTED = "operating_point", "largest_probability", "always", "never", "shifted"
# Ratios of the pooled counts, by name: events, then seconds.
RATIOS = (
    "sensitivity", "precision", "f1", "false_alarms_per_day", "sample_sensitivity", "sample_precision", "sample_f1",
)  # fmt: skip
RATE, SECONDS_PER_DAY = "false_alarms_per_day", 86_400
COLUMNS = ("detector", "patient", *Counts._fields, "seconds", *RATIOS)
N_SHIFTS = 20
# Median length of the recordings below which events say little, and fraction of the seizures that are joined with
# another one above which they do.
MIN_SECONDS, MAX_JOINED = 300.0, 0.2


def ratios(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Compute the scores from sums of counts.

    Parameters
    ----------
    counts
        `Counts` and the recorded seconds, `(..., 7)`.

    Returns
    -------
    dict
        Arrays `(...)` for each name in `RATIOS`. Sensitivity is `tp / n_events`, precision `tp / (tp + fp)`, F1
        `2 tp / (n_events + tp + fp)`: 0 if there are seizures and no detection, undefined (NaN) only with neither. The
        scores of samples are of seconds.
    """
    n_events, tp, fp, seizure_s, tp_s, fp_s, seconds = np.moveaxis(np.asarray(counts, dtype=float), -1, 0)
    found = (
        (tp, n_events), (tp, tp + fp), (2 * tp, n_events + tp + fp), (fp * SECONDS_PER_DAY, seconds),
        (tp_s, seizure_s), (tp_s, tp_s + fp_s), (2 * tp_s, seizure_s + tp_s + fp_s),
    )  # fmt: skip
    return {name: ratio(*terms) for name, terms in zip(RATIOS, found, strict=True)}


def detections(item: ScoredRecording, detector: str, points: Mapping[int, OperatingPoint]) -> list[Interval]:
    """Find the detections of a recording.

    Parameters
    ----------
    item
        The recording.
    detector
        `operating_point`: the probability of a seizure exceeds the threshold of its fold; `largest_probability`: a
        seizure class is predicted; `always` or `never`.
    points
        Operating point of each outer fold.

    Returns
    -------
    list
        Onset and end of each detection in seconds, in order; time without a window is background.
    """
    if detector in (ALWAYS, NEVER):
        return [(0.0, item.n_ticks / TICKS)] * (detector == ALWAYS)
    point = points[item.fold] if detector == POINT else OperatingPoint()
    p = item.p if detector == POINT else item.positive.astype(float)
    spans = timeline(item.onset, item.end, p, point.smoothing).detect(point.threshold, point.min_duration)
    return [(start / TICKS, stop / TICKS) for start, stop in spans.tolist()]


def event_table(recordings: Sequence[ScoredRecording], points: Mapping[int, OperatingPoint]) -> pd.DataFrame:
    """Score the events of every patient.

    All recordings of a patient count with their full length. Time without a prediction (windows that the class set
    excludes, the remainder after the last window) counts as predicted background: a seizure there is missed, and no
    false alarm can occur there.

    Parameters
    ----------
    recordings
        The recordings.
    points
        Operating point of each outer fold; empty if none was chosen.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, for each detector a row per patient and a row `all` with the pooled counts; NaN where a ratio
        is 0/0.
    """
    detectors = [POINT] * bool(points) + [LARGEST, ALWAYS]
    tables = []
    for detector in detectors:
        rows = [
            (item.patient, *score_recording(item.seizures, detections(item, detector, points), item.n_ticks / TICKS),
             item.seconds)
            for item in recordings
        ]  # fmt: skip
        names = ["patient", *Counts._fields, "seconds"]
        table = pd.DataFrame(rows, columns=names).groupby("patient", as_index=False).sum()
        pooled = table.drop(columns="patient").sum().to_frame().T.assign(patient="all")
        table = pd.concat([table, pooled], ignore_index=True)[names].astype(dict.fromkeys(Counts._fields, int))
        found = ratios(table[names[1:]].to_numpy(float))
        tables.append(table.assign(detector=detector, **found)[list(COLUMNS)])
    return pd.concat(tables, ignore_index=True)


def empty_events() -> pd.DataFrame:
    """Table without rows, for studies whose events can't be scored."""
    return pd.DataFrame(columns=list(COLUMNS))


def detector_scores(table: pd.DataFrame, settings: Evaluation, seed: int) -> dict[str, Any]:
    """Pooled scores of a detector and means over the patients, with intervals.

    Parameters
    ----------
    table
        Rows of the detector in the table of events, without the row `all`.
    settings
        Section `evaluation` of the configuration.
    seed
        Seed of the bootstrap.

    Returns
    -------
    dict
        For each name in `RATIOS` the pooled `value` with `low` and `high`, and under `patient_mean` the means over the
        `n_patients` for whom it is defined, likewise; None where undefined.

    Notes
    -----
    The rate of false alarms has no upper bound, and always the percentile interval of the bootstrap. Without a false
    alarm, its upper limit is that of a Poisson variable of which 0 was observed (Garwood, 1936).
    """
    counts = table[[*Counts._fields, "seconds"]].to_numpy(float)
    pooled, of_patients = ratios(counts.sum(axis=0)), ratios(counts)
    resamples = patient_resamples(len(counts), settings, seed)
    resampled = {kind: ratios(weights @ counts) for kind, weights in resamples.items()}
    draws = patient_draws(len(counts), settings.n_bootstrap, seed)
    result: dict[str, Any] = {"patient_mean": {}}
    for name in RATIOS:
        value, columns = number(float(pooled[name])), {kind: found[name] for kind, found in resampled.items()}
        # A score of events depends on the patients who have them; one of detections, on those who have any.
        n_patients = int((~np.isnan(of_patients[name])).sum())
        if name == RATE:
            low, high = _rate_interval(counts, draws, settings.confidence)
        else:
            low, high, _ = score_interval(value, columns, [n_patients], settings)
        result[name] = {"value": value, "low": low, "high": high}
        defined = of_patients[name][~np.isnan(of_patients[name])]
        mean = float(defined.mean()) if n_patients else None
        low = high = None
        if name != RATE and n_patients >= MIN_PATIENTS:
            left_out = (defined.sum() - defined) / (n_patients - 1)
            low, high, _ = jackknife_interval(mean, left_out, [n_patients], settings.confidence)
        result["patient_mean"][name] = {"value": mean, "low": low, "high": high, "n_patients": n_patients}
    return result


def _rate_interval(counts: np.ndarray, draws: np.ndarray, confidence: float) -> tuple[float | None, float | None]:
    if len(counts) < MIN_PATIENTS:
        return None, None
    n_false = counts[:, Counts._fields.index("fp")].sum()
    if n_false == 0:
        return 0.0, float(-np.log((1 - confidence) / 2) * SECONDS_PER_DAY / counts[:, -1].sum())
    low, high, _ = interval(ratios(draws @ counts)[RATE], confidence)
    return low, high


def shifted_scores(
    recordings: Sequence[ScoredRecording], points: Mapping[int, OperatingPoint], seed: int
) -> dict[str, float | None]:
    """Pooled scores of predictions that are shifted in time within each recording, at random.

    They keep the number and the duration of the detections, but not their relation to the seizures.

    Parameters
    ----------
    recordings
        The recordings.
    points
        Operating point of each outer fold; empty for the class of largest probability.
    seed
        Random seed.

    Returns
    -------
    dict
        For each name in `RATIOS` the score of the counts of `N_SHIFTS` repetitions; None where undefined.
    """
    rng = np.random.default_rng(seed)
    total = np.zeros(len(Counts._fields) + 1)
    for _ in range(N_SHIFTS):
        for item in recordings:
            found = detections(item.shifted(rng), POINT if points else LARGEST, points)
            total += (*score_recording(item.seizures, found, item.n_ticks / TICKS), item.seconds)
    return {name: number(float(value)) for name, value in ratios(total).items()}


def latencies(recordings: Sequence[ScoredRecording], points: Mapping[int, OperatingPoint]) -> list[float | None]:
    """Time from the onset of each annotated seizure to its first detection.

    Parameters
    ----------
    recordings
        The recordings.
    points
        Operating point of each outer fold.

    Returns
    -------
    list
        Seconds for each annotated seizure, negative if the detection begins before it (at most 30 s are tolerated);
        None if it is not detected.
    """
    result: list[float | None] = []
    for item in recordings:
        found = detections(item, POINT if points else LARGEST, points)
        result += [latency(found, *seizure) for seizure in item.seizures]
    return result


def latency(found: Sequence[Interval], onset: float, end: float) -> float | None:
    """Time from the onset of an annotated seizure to its first detection.

    Parameters
    ----------
    found
        Onset and end of each detection of the recording in seconds, in order.
    onset, end
        Seconds of the seizure.

    Returns
    -------
    float or None
        As in `latencies`.
    """
    low, high = onset - BEFORE / TICKS, max(end, onset + 1 / TICKS) + AFTER / TICKS
    first = next((start for start, stop in found if stop > low and start < high), None)
    return None if first is None else float(max(first, low) - onset)


def primary_points(event_metrics: Mapping[str, Any]) -> dict[int, OperatingPoint]:
    """Operating point of each outer fold, from `events` of `metrics.json`.

    Parameters
    ----------
    event_metrics
        Section `events`.

    Returns
    -------
    dict
        Operating points by fold; empty if the primary detector takes the class of largest probability.
    """
    if event_metrics["primary"] != POINT:
        return {}
    return {entry["fold"]: OperatingPoint.read(entry) for entry in event_metrics["operating_points"]}


def n_merged(recordings: Sequence[ScoredRecording]) -> int:
    """Number of annotated seizures after those less than 90 s apart are merged."""
    count = 0
    for item in recordings:
        spans = sorted((int(ticks(onset)), int(ticks(end))) for onset, end in item.seizures)
        last = -MIN_GAP
        for start, stop in spans:
            count += start - last >= MIN_GAP
            last = max(last, stop)
    return count


def unsuitable(recordings: Sequence[ScoredRecording]) -> list[str]:
    """Reasons why scores of events say little about these recordings; empty if there are none."""
    reasons = []
    median = float(np.median([item.n_ticks / TICKS for item in recordings]))
    if median <= MIN_SECONDS:
        reasons.append(f"half of the recordings are not longer than {median:g} s")
    n_seizures, n_left = sum(len(item.seizures) for item in recordings), n_merged(recordings)
    if n_seizures and 1 - n_left / n_seizures > MAX_JOINED:
        reasons.append(f"the {n_seizures} annotated seizures are {n_left} after those less than 90 s apart are joined")
    return reasons
