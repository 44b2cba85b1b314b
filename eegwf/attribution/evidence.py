"""Measures of the explained windows, collected and averaged by patient."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

COLUMNS = ("method", "measure", "target", "patient", "n_windows", "value")


class Evidence:
    """Values of measures for each window.

    Parameters
    ----------
    n_windows
        Number of explained windows.
    """

    def __init__(self, n_windows: int):
        self.n_windows = n_windows
        self.values: dict[tuple[str, str], np.ndarray] = {}

    def add(self, method: str, measure: str, index: np.ndarray, values: np.ndarray) -> None:
        """Add values of a measure.

        Parameters
        ----------
        method, measure
            Method or control, and measure.
        index
            Numbers of the windows, `(n,)`.
        values
            Values, `(n,)`; NaN where the measure is undefined.
        """
        found = self.values.setdefault((method, measure), np.full(self.n_windows, np.nan))
        found[index] = values

    def table(self, target: ArrayLike, patient: ArrayLike) -> pd.DataFrame:
        """Average the values of each patient and target class.

        Parameters
        ----------
        target, patient
            Class that is explained, and patient, of each window.

        Returns
        -------
        pandas.DataFrame
            `evidence.tsv`: `method`, `measure`, `target`, `patient`, `n_windows` and `value`, the mean over the
            windows for which the measure is defined.
        """
        rows: list[pd.DataFrame] = []
        windows = pd.DataFrame({"target": np.asarray(target), "patient": np.asarray(patient)})
        for (method, measure), values in self.values.items():
            defined = windows.assign(value=values).dropna(subset="value")
            grouped = defined.groupby(["target", "patient"], sort=True)["value"].agg(["size", "mean"]).reset_index()
            grouped = grouped.rename(columns={"size": "n_windows", "mean": "value"})
            rows.append(grouped.assign(method=method, measure=measure))
        return pd.concat(rows)[list(COLUMNS)] if rows else pd.DataFrame(columns=list(COLUMNS))
