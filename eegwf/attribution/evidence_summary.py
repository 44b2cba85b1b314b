"""Means and differences of the evidence over patients.

The unit of uncertainty is the patient: windows of a patient resemble each other, and the patients of all folds are
pooled. The mean of a measure with known bounds has the jackknife interval of the scores
(`eegwf.evaluation.intervals.jackknife_interval`). A difference between a method and a control, paired by patient, has
the interval of Student's t of the patients' differences: it can be negative and is usually far from its bounds, so that
the logit scale of the former does not fit. So have measures without an upper bound.
"""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from eegwf.attribution.methods import CONTROLS
from eegwf.evaluation.intervals import EQUAL, MIN_PATIENTS, Interval, jackknife_interval

FOCAL_MEASURE = "auroc_channels"
"""Measure of focal seizures alone: a generalized one reaches all channels, so that it is undefined."""
_UNBOUNDED = ("mass", "completeness")
_CORRELATIONS = ("cascade_", "label_randomized", "other_class", "other_rank")


def summarize_evidence(evidence: pd.DataFrame, background: str, confidence: float = 0.95) -> pd.DataFrame:
    """Summarize the evidence of all folds.

    Parameters
    ----------
    evidence
        Tables `evidence.tsv` of the folds, concatenated: method, measure, target, patient, n_windows and value.
    background
        Class whose windows are left out: where the classifier sees no seizure, background replaced by background
        changes little, whatever the map.
    confidence
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        A row for each method or control and measure, in the order of `evidence`: `method`, `measure`, `n_patients`,
        `mean` over the patients with bounds `low` and `high`, and for each control, `minus_random` and `minus_energy`,
        the mean difference to it, with `_low`, `_high` and `_patients`, the number of patients with both values. A
        bound is NaN if there is no interval, and a difference if the control does not have the measure. The value of a
        patient is the mean over the patient's windows of all other targets.
    """
    values = patient_values(evidence, background)
    pairs = list(dict.fromkeys(zip(values["method"], values["measure"], strict=True)))
    series = {
        (str(method), str(measure)): rows.set_index("patient")["value"]
        for (method, measure), rows in values.groupby(["method", "measure"])
    }
    columns = ["method", "measure", "n_patients", "mean", "low", "high"]
    for control in CONTROLS:
        columns += [f"minus_{control}{part}" for part in ("", "_low", "_high", "_patients")]
    rows = [_row(method, measure, series, confidence) for method, measure in pairs]
    return pd.DataFrame(rows, columns=columns)


def patient_values(evidence: pd.DataFrame, background: str) -> pd.DataFrame:
    """Average the evidence of each patient over windows.

    Parameters
    ----------
    evidence, background
        As in `summarize_evidence`.

    Returns
    -------
    pandas.DataFrame
        `method`, `measure`, `patient` and `value`, in the order of `evidence`.
    """
    evidence = evidence.reset_index(drop=True)  # concatenated tables repeat the numbers of rows
    used = np.isfinite(evidence["value"]) & (evidence["n_windows"] > 0)
    used &= evidence["target"] != background
    rows = evidence[used].assign(total=evidence["value"] * evidence["n_windows"])
    sums = rows.groupby(["method", "measure", "patient"], sort=False)[["total", "n_windows"]].sum().reset_index()
    sums["value"] = sums["total"] / sums["n_windows"]
    return sums[["method", "measure", "patient", "value"]]


def mean_interval(values: np.ndarray, measure: str, confidence: float) -> Interval:
    """Compute the interval of the mean over patients of a measure.

    Parameters
    ----------
    values
        Values of the patients, `(n_patients,)`.
    measure
        Name of the measure, which determines its bounds.
    confidence
        Confidence level.

    Returns
    -------
    Interval
    """
    if measure in _UNBOUNDED:
        return t_interval(values, confidence)
    bounds = (-1.0, 1.0) if measure.startswith(_CORRELATIONS) else (0.0, 1.0)
    n = len(values)
    # Equal values of all patients, such as the correlation of a control with itself, are no sample of a variable.
    if n < MIN_PATIENTS or np.ptp(values) < EQUAL:
        return Interval(None, None)
    left_out = (values.sum() - values) / (n - 1)
    return jackknife_interval(float(values.mean()), left_out, [n], confidence, bounds)


def t_interval(values: np.ndarray, confidence: float) -> Interval:
    """Compute the interval of Student's t of a mean.

    Parameters
    ----------
    values
        Values of the patients, `(n_patients,)`.
    confidence
        Confidence level.

    Returns
    -------
    Interval
        No bounds with fewer than `MIN_PATIENTS` patients, or if the value of all patients is the same.
    """
    n = len(values)
    if n < MIN_PATIENTS or np.ptp(values) < EQUAL:
        return Interval(None, None)
    reach = stdtrit(n - 1, (1 + confidence) / 2) * values.std(ddof=1) / np.sqrt(n)
    return Interval(float(values.mean() - reach), float(values.mean() + reach))


def _row(method: str, measure: str, series: dict[tuple[str, str], pd.Series], confidence: float) -> dict[str, object]:
    values = series[method, measure]
    low, high, _ = mean_interval(values.to_numpy(dtype=float), measure, confidence)
    row = {"method": method, "measure": measure, "n_patients": len(values), "mean": values.mean()}
    row |= {"low": _number(low), "high": _number(high)}
    for control in CONTROLS:
        other = series.get((control, measure)) if method != control else None
        paired = (values - other).dropna().to_numpy(dtype=float) if other is not None else np.empty(0)
        low, high, _ = t_interval(paired, confidence)
        name = f"minus_{control}"
        row |= {name: paired.mean() if len(paired) else np.nan, f"{name}_low": _number(low)}
        row |= {f"{name}_high": _number(high), f"{name}_patients": len(paired)}
    return row


def _number(bound: float | None) -> float:
    return np.nan if bound is None else bound
