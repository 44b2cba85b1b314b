"""Windows whose EEG is shown: the worst misses, the most confident false alarms, and borderline ones."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eegwf.evaluation.detector import OperatingPoint
from eegwf.evaluation.predictions import seizure_probability
from eegwf.report.data import ReportData

MISSES, FALSE_ALARMS, BORDERLINE = "misses", "false alarms", "borderline"
APART = 30.0
"""Seconds between the onsets of two windows of a gallery in the same recording."""
N_SHOWN = 3


@dataclass(frozen=True)
class ShownWindow:
    """A window of a gallery.

    Attributes
    ----------
    recording, patient
        Its recording and patient.
    onset
        Seconds from the beginning of the recording.
    label, predicted
        True and predicted class.
    p
        Calibrated probability of a seizure: 1 minus that of the background.
    """

    recording: str
    patient: str
    onset: float
    label: str
    predicted: str
    p: float


def galleries(run: ReportData, points: Mapping[int, OperatingPoint], n_shown: int) -> dict[str, list[ShownWindow]]:
    """Choose labeled windows of the test folds.

    Parameters
    ----------
    run
        Content of the report.
    points
        Operating point of each outer fold; empty for the class of largest probability.
    n_shown
        Maximum number of windows of a gallery.

    Returns
    -------
    dict
        `misses`: seizure windows without an alarm, the least probable seizure first; `false alarms`: background windows
        with an alarm, the most probable seizure first; `borderline`: windows whose probability is nearest to the
        threshold of their fold, or to 0.5 without operating points. Of windows that begin less than `APART` seconds
        apart in a recording, a gallery has the first in this order.
    """
    background = run.classes[0]
    table = run.predictions
    table = table[(table["member"] == run.primary) & (table["label"] != "")]
    p = seizure_probability(table, background)
    threshold = np.array([points[fold].threshold if points else 0.5 for fold in table["fold"]], dtype=float)
    alarm = p > threshold if points else (table["predicted"] != background).to_numpy()
    seizure = (table["label"] != background).to_numpy()
    distance = np.abs(p - threshold)
    chosen = {
        MISSES: (seizure & ~alarm, p),
        FALSE_ALARMS: (~seizure & alarm, -p),
        BORDERLINE: (np.isfinite(distance), distance),
    }
    table = table.assign(p=p)
    return {
        name: _apart(table[rows].iloc[np.argsort(order[rows], kind="stable")], n_shown)
        for name, (rows, order) in chosen.items()
    }


def _apart(table: pd.DataFrame, n_shown: int) -> list[ShownWindow]:
    """The first rows of which no two are close to each other."""
    shown: list[ShownWindow] = []
    for row in table.to_dict("records"):
        if len(shown) == n_shown:
            break
        near = any(one.recording == row["recording"] and abs(one.onset - row["onset"]) < APART for one in shown)
        if not near:
            names = ("recording", "patient", "onset", "label", "predicted", "p")
            shown.append(ShownWindow(**{name: row[name] for name in names}))
    return shown
