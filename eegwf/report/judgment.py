"""Evidence and verdicts of the attribution methods of a combination."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from eegwf.attribution.evidence_summary import summarize_evidence
from eegwf.attribution.methods import CONTROLS
from eegwf.attribution.verdicts import Verdict, ranking, verdicts

UNSUPPORTED = "unsupported"


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


def judge(evidence: pd.DataFrame, background: str, confidence: float) -> Judgment:
    """Summarize the evidence of all folds and judge the methods.

    Parameters
    ----------
    evidence
        Tables `evidence.tsv` of the folds, concatenated.
    background
        Background class, whose windows are no evidence.
    confidence
        Level of the confidence intervals.

    Returns
    -------
    Judgment
        Evidence and verdicts.
    """
    summary = summarize_evidence(evidence, background, confidence)
    return Judgment(summary, ranking(verdicts(summary, confidence, evidence["method"]), summary))
