"""Clauses of a verdict: comparisons with the controls in words and numbers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eegwf.attribution.methods import CONTROLS

Rows = dict[str, pd.Series]
"""Rows of the table of a method by measure."""


@dataclass(frozen=True)
class Effect:
    """What a measure in which methods are compared with controls does to the probability of the class.

    Attributes
    ----------
    action
        What is done to the units with the highest values.
    unit
        The units, in the plural.
    verb, base
        Verb of the intended effect, in the third person and in the base form.
    sign
        1 if higher values of the measure are better, -1 if lower ones are.
    """

    action: str
    unit: str
    verb: str = "lowers"
    base: str = "lower"
    sign: int = -1

    @property
    def subject(self) -> str:
        """The action on the units with the highest values."""
        return f"{self.action} the {self.unit} with the highest values"

    def control(self, name: str) -> str:
        """The units that a control chooses."""
        return f"random {self.unit}" if name == "random" else f"the {self.unit} with the highest energy"


EFFECTS = {
    "deletion": Effect("removing", "bins"),
    "insertion": Effect("inserting", "bins", "raises", "raise", 1),
    "deletion_channels": Effect("replacing", "channels of the signal"),
    "deletion_bands": Effect("replacing", "bands of the signal"),
    "deletion_seconds": Effect("replacing", "seconds of the signal"),
}
"""Measures in which methods are compared with the controls."""
SIGNAL_MEASURES = ("deletion_channels", "deletion_bands", "deletion_seconds")


def rows_of(table: pd.DataFrame, method: str) -> Rows:
    """Rows of a method.

    Parameters
    ----------
    table
        Table of `eegwf.attribution.evidence_summary.summarize_evidence`.
    method
        Name of a method or control.

    Returns
    -------
    dict
        The rows by measure.
    """
    rows = table[table["method"] == method].drop(columns="method").set_index("measure")
    return {str(measure): row for measure, row in rows.iterrows()}


def not_beaten(rows: Rows, measure: str, confidence: float) -> list[str]:
    """State which controls a method does not beat in a measure.

    Parameters
    ----------
    rows
        Rows of the method.
    measure
        A key of `EFFECTS`.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    list of str
        A clause for each of these controls; empty if the measure was not made.
    """
    clauses = []
    for control in CONTROLS:
        if measure in rows and not np.isnan(rows[measure][f"minus_{control}"]):
            difference, low, high = _better(rows[measure], control, EFFECTS[measure].sign)
            if not low > 0:
                interval = f"{_level(confidence)} {shown(low)} to {shown(high)}"
                if np.isnan(low):
                    interval = "without a confidence interval"
                clauses.append(f"{_comparison(measure, control, high)} (difference {shown(difference)}, {interval})")
    return clauses


def contradictions(rows: Rows, confidence: float) -> list[str]:
    """State what deletion in the signal domain says against a method.

    Parameters
    ----------
    rows
        Rows of the method.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    list of str
        A clause for each control that is better, and one if no measure beats both controls. Windows that a seizure
        fills have no second that matters more than the others, so that not every measure can.
    """
    measured = [measure for measure in SIGNAL_MEASURES if measure in rows]
    clauses = [
        clause
        for measure in measured
        for clause in not_beaten(rows, measure, confidence)
        if clause.startswith(_comparison_worse(measure))
    ]
    if measured and all(not_beaten(rows, measure, confidence) for measure in measured):
        clauses.append("in the signal domain, neither channels nor bands nor seconds beat both controls")
    return clauses


def beaten(row: pd.Series, confidence: float) -> str:
    """State by how much a method beats the controls in deletion.

    Parameters
    ----------
    row
        Row `deletion` of the method.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    str
        A clause.
    """
    effect, parts = EFFECTS["deletion"], []
    for number, control in enumerate(CONTROLS):
        difference, low, high = _better(row, control, effect.sign)
        level = "" if number else f"{_level(confidence)} "
        interval = f"({level}{shown(low)} to {shown(high)})"
        parts.append(f"by {shown(difference)} more than {effect.control(control)} {interval}")
    return f"{effect.subject} {effect.verb} the probability of the class {' and '.join(parts)}"


def after_randomization(value: float) -> str:
    """State the rank correlation with the map of the randomized model."""
    return f"rank correlation {shown(value)} with the map after all weights are drawn anew"


def shown(value: float) -> str:
    """Two decimals, or four if these would show 0."""
    text = f"{value:.2f}"
    return text if float(text) else f"{value + 0.0:.4f}" if abs(value) >= 5e-5 else "0"


def _better(row: pd.Series, control: str, sign: int) -> tuple[float, float, float]:
    """Difference to a control and its bounds, positive if the method is better; bounds are NaN without an interval."""
    name = f"minus_{control}"
    bounds = sign * row[f"{name}_low"], sign * row[f"{name}_high"]
    return sign * row[name], min(bounds), max(bounds)


def _comparison(measure: str, control: str, high: float) -> str:
    """What was not found, or the reverse was found, in a measure; `high` is the upper bound of the difference."""
    effect, worse = EFFECTS[measure], _comparison_worse(measure)
    unclear = f"{effect.subject} is not shown to {effect.base} the probability of the class more"
    return f"{worse if high < 0 else unclear} than {effect.control(control)}"


def _comparison_worse(measure: str) -> str:
    """Begin of the clause on a control that is better."""
    effect = EFFECTS[measure]
    return f"{effect.subject} {effect.verb} the probability of the class less"


def _level(confidence: float) -> str:
    return f"{100 * confidence:g} % confidence interval"
