"""Print tables of attribution methods by evidence, of the finished combinations in a results folder.

The tables are printed in Markdown, with the controls last; docs/attribution.md has them. All combinations whose folds
have evidence are printed, or those that are named. The names of the columns are explained in docs/attribution.md.

Example: python -m bench.attribution results vit_mel_3class eegnet_raw_3class
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.tables import table
from eegwf.attribution.methods import CONTROLS
from eegwf.config.fold_paths import AttributionPaths, FoldPaths
from eegwf.report.evidence import MEASURES, column_of
from eegwf.report.judgment import Judgment, judge
from eegwf.report.map_files import TEXT, read_evidence
from eegwf.storage.files import read_table

LEFT_OUT = ("before", "other_folds", "mass_share")
"""Measures of the report that are the same for all methods, not in `evidence.tsv`, or a multiple of another one."""


@dataclass(frozen=True)
class CombinationEvidence:
    """Evidence of a combination.

    Attributes
    ----------
    name
        Name of the combination.
    about
        `maps.json` of its first fold.
    evidence
        `evidence.tsv` of all folds.
    seconds
        Seconds per window of each method, over all folds.
    """

    name: str
    about: dict[str, Any]
    evidence: pd.DataFrame
    seconds: dict[str, float]


def read_combination(folder: Path) -> CombinationEvidence | None:
    """Read the evidence of the folds that have been explained.

    Parameters
    ----------
    folder
        Folder of the combination.

    Returns
    -------
    CombinationEvidence or None
        None if there is no evidence.
    """
    found = [FoldPaths(path).attribution for path in sorted(folder.glob("fold*"))]
    evidence = read_evidence(found)
    return None if evidence is None else CombinationEvidence(folder.name, *evidence, _seconds(found))


def _seconds(paths: Sequence[AttributionPaths]) -> dict[str, float]:
    """Seconds per window of each method."""
    timing = pd.concat([read_table(one.timing, text=TEXT) for one in paths if one.timing.exists()] or [pd.DataFrame()])
    if timing.empty:
        return {}
    sums = timing.groupby("method")[["seconds", "n_windows"]].sum()
    return {str(method): float(seconds) for method, seconds in (sums["seconds"] / sums["n_windows"]).items()}


def evidence_lines(found: CombinationEvidence, confidence: float = 0.95, intervals: bool = False) -> str:
    """Format the evidence of a combination.

    Parameters
    ----------
    found
        The evidence.
    confidence
        Level of the confidence intervals, on which the verdicts depend.
    intervals
        Whether the intervals are printed.

    Returns
    -------
    str
        Heading, number of patients and Markdown table. Measures that were not made have no column.
    """
    judged = judge(found.evidence, found.about["classes"][0], confidence)
    controls = [name for name in CONTROLS if name in found.about["methods"]]
    methods = [*judged.ranked(found.about["methods"]), *controls]
    columns = {"verdict": ["control" if name in CONTROLS else judged.word(name) for name in methods]}
    for measure, described in MEASURES.items():
        cells = [_cell(judged, name, column_of(measure, found.about), intervals) for name in methods]
        if any(cells) and measure not in LEFT_OUT:
            columns[described.title] = cells
    if found.seconds:
        columns["s per window"] = [_rounded(found.seconds.get(name, np.nan)) for name in methods]
    rows = [list(row) for row in zip((_title(found, name) for name in methods), *columns.values(), strict=True)]
    n_patients = judged.summary.loc[judged.summary["measure"] == "deletion", "n_patients"].max()
    heading = f"### {found.name}\n\n{n_patients} patients with windows in which the model sees a seizure.\n\n"
    return heading + table(["method", *columns], rows)


def _title(found: CombinationEvidence, method: str) -> str:
    return str(found.about["titles"][method])


def _cell(judged: Judgment, method: str, measure: str, intervals: bool) -> str:
    """Mean over the patients, with its interval if asked for; empty if the measure was not made."""
    entry = judged.cell(method, measure)
    if entry is None or np.isnan(entry["value"]):
        return ""
    if not intervals or np.isnan([entry["low"], entry["high"]]).any():
        return f"{entry['value']:.2f}"
    return f"{entry['value']:.2f} ({entry['low']:.2f} to {entry['high']:.2f})"


def _rounded(seconds: float) -> str:
    """Two significant digits without an exponent."""
    return "" if np.isnan(seconds) else np.format_float_positional(seconds, 2, fractional=False, trim="-")


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.attribution",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("results", type=Path, help="results folder")
    parser.add_argument("combinations", nargs="*", help="such as vit_mel_3class; default: all with evidence")
    parser.add_argument("--confidence", type=float, default=0.95, help="level of the confidence intervals")
    parser.add_argument("--intervals", action="store_true", help="print the confidence intervals")
    arguments = parser.parse_args()
    names = arguments.combinations or sorted({path.parents[2].name for path in arguments.results.glob(_pattern())})
    found = {name: read_combination(arguments.results / name) for name in names}
    missing = [name for name, one in found.items() if one is None]
    if missing or not found:
        sys.exit(f"error: {arguments.results}: no file {_pattern(*missing[:1])}; run the workflow up to its reports")
    texts = [evidence_lines(one, arguments.confidence, arguments.intervals) for one in found.values() if one]
    print("\n\n".join(texts))


def _pattern(combination: str = "*") -> str:
    """Pattern of the tables of a combination within a results folder."""
    return FoldPaths(Path(combination) / "fold*").attribution.evidence.as_posix()


if __name__ == "__main__":
    main()
