"""Evidence and verdicts of the attribution methods of a combination."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import pandas as pd

from eegwf.report.map_files import Maps, all_evidence

CONTROLS = ("random", "energy")
UNSUPPORTED = "unsupported"


class Verdict(Protocol):
    """What the evidence says of a method: one word, one sentence, and the reasons."""

    @property
    def method(self) -> str:
        """Name of the method."""

    @property
    def word(self) -> str:
        """`supported`, `mixed` or `unsupported`."""

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""

    @property
    def reasons(self) -> Sequence[str]:
        """What speaks for and against the method."""


class Judgment(NamedTuple):
    """Evidence of all folds of a combination, and verdicts.

    Attributes
    ----------
    summary
        A row for each method and measure: `method`, `measure`, `mean` over the patients with the bounds `low` and
        `high`, and for each control the mean difference from it with its bounds: `minus_random`, `minus_random_low`,
        `minus_random_high`, and the same of `energy`. NaN where undefined; bounds and differences may be missing.
    verdicts
        Verdicts of the methods, the best first.
    """

    summary: pd.DataFrame
    verdicts: Sequence[Verdict]

    @property
    def grayed(self) -> set[str]:
        """Methods that are not supported by their controls."""
        return {verdict.method for verdict in self.verdicts if verdict.word == UNSUPPORTED}

    def ranked(self, methods: Sequence[str]) -> list[str]:
        """Methods in the order of the ranking; those without verdict follow, controls are left out."""
        first = [verdict.method for verdict in self.verdicts if verdict.method in methods]
        return first + [name for name in methods if name not in first and name not in CONTROLS]

    def word(self, method: str) -> str:
        """Word of the verdict on a method; empty without one."""
        return next((verdict.word for verdict in self.verdicts if verdict.method == method), "")

    def cell(self, method: str, measure: str, control: str = "") -> dict[str, float] | None:
        """Value and bounds of a measure, or of its difference from a control; None if it was not measured.

        Parameters
        ----------
        method, measure
            Names.
        control
            Name of a control; empty for the measure itself.

        Returns
        -------
        dict or None
            `value`, `low` and `high`.
        """
        found = self.summary[(self.summary["method"] == method) & (self.summary["measure"] == measure)]
        if found.empty:
            return None
        name = f"minus_{control}"
        columns = (name, f"{name}_low", f"{name}_high") if control else ("mean", "low", "high")
        values = found.iloc[0].reindex(columns).astype(float)
        return dict(zip(("value", "low", "high"), values, strict=True))


def judge(folds: list[Maps]) -> Judgment:
    """Summarize the evidence of the folds."""
    return Judgment(mean_evidence(all_evidence(folds)), [])


def mean_evidence(evidence: pd.DataFrame) -> pd.DataFrame:
    """Mean over the patients of each method and measure; the value of a patient is the mean over the windows."""
    table = evidence.assign(total=evidence["value"] * evidence["n_windows"])
    sums = table.groupby(["method", "measure", "patient"])[["total", "n_windows"]].sum()
    means = (sums["total"] / sums["n_windows"]).groupby(["method", "measure"]).mean()
    return means.rename("mean").reset_index()
