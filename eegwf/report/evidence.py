"""Tables of the evidence for and against the attribution methods."""

from typing import Any, NamedTuple

import pandas as pd

from eegwf.report.formats import defined, difference, difference_interval, number
from eegwf.report.judgment import CONTROLS, Judgment
from eegwf.report.map_files import Maps
from eegwf.report.pooled_maps import fold_agreement
from eegwf.report.tables import Cell, Table

ALL_WEIGHTS = "all weights"


class Measure(NamedTuple):
    """Heading, meaning, and whether the measure of a good method is `lower` or `higher` than that of a control."""

    title: str
    meaning: str
    better: str = ""


MEASURES = {
    "before": Measure("unchanged window", "probability of the explained class, which is the predicted one."),
    "deletion": Measure(
        "deletion",
        "mean probability of the class while the most relevant bins of the spectrogram are replaced, first "
        "few, then all. Lower is better.",
        "lower",
    ),
    "insertion": Measure(
        "insertion",
        "mean probability of the class while the most relevant bins are inserted into the background window. Higher is "
        "better.",
        "higher",
    ),
    "deletion_channels": Measure(
        "signal: channels",
        "probability of the class after the most relevant channels of the signal were replaced and the spectrogram was "
        "computed again. Lower is better.",
        "lower",
    ),
    "deletion_bands": Measure(
        "signal: bands",
        "the same after the most relevant frequency band was removed by a filter and replaced. Lower is better.",
        "lower",
    ),
    "deletion_seconds": Measure(
        "signal: seconds", "the same after the most relevant seconds were replaced. Lower is better.", "lower"
    ),
    ALL_WEIGHTS: Measure(
        "weights randomized",
        "absolute rank correlation of the map with that of the same network with random weights. A map that does not "
        "change does not depend on what the network learned. Near 0 is better.",
    ),
    "label_randomized": Measure(
        "labels randomized",
        "absolute rank correlation with the map of a network trained on shuffled labels. Near 0 is better.",
    ),
    "other_class": Measure(
        "other class",
        "mean rank correlation with the maps of the other classes. Lower is better. Not measured with two classes, "
        "where the explained scores are negatives of each other.",
    ),
    "other_rank": Measure(
        "other ranks",
        "mean rank correlation with the maps of the other retrained models of the fold: stability. Higher is better.",
    ),
    "other_folds": Measure(
        "other folds",
        "mean rank correlation of the mean maps (channel x frequency, correctly answered windows of a class) between "
        "the folds. Higher is better.",
    ),
    "completeness": Measure(
        "completeness error",
        "relative difference between the sum of the map and the score minus that of the baselines; 0 if the map "
        "accounts for all of it.",
    ),
    "auroc_channels": Measure(
        "AUROC, channels",
        "area under the ROC curve: how well the relevance separates the channels of the seizure from the others "
        "(synthetic recordings, correctly answered windows of focal seizures). 0.5 is chance.",
        "higher",
    ),
    "auroc_seconds": Measure("AUROC, seconds", "the same for the seconds with the seizure.", "higher"),
    "auroc_freqs": Measure("AUROC, frequencies", "the same for the frequencies of the seizure.", "higher"),
    "pointing": Measure("pointing", "share of the windows whose most relevant bin is in the seizure.", "higher"),
    "mass": Measure(
        "mass",
        "share of the positive relevance that is in the seizure, divided by the share of the bins. 1 is chance.",
        "higher",
    ),
    "mass_share": Measure("mass share", "share of the positive relevance that is in the seizure."),
}
SECONDS = "seconds per window"


def evidence_table(judged: Judgment, folds: list[Maps]) -> Table:
    """Table of the methods and controls by evidence.

    Parameters
    ----------
    judged
        Evidence and verdicts.
    folds
        Maps of the folds.

    Returns
    -------
    Table
        Measures that were not computed have no column.
    """
    about = folds[0].about
    methods = [*judged.ranked(about["methods"]), *(name for name in CONTROLS if name in about["methods"])]
    agreement, seconds = fold_agreement(folds), seconds_per_window(folds)
    columns: list[list[Cell]] = [[judged.word(name) or ("control" if name in CONTROLS else "") for name in methods]]
    titles = ["verdict"]
    for measure, described in MEASURES.items():
        if measure == "other_folds":
            cells: list[Cell] = [_number(agreement[name]) for name in methods]
        else:
            cells = [_cell(judged.cell(name, column_of(measure, about))) for name in methods]
        if any(cells):
            columns.append(cells)
            titles.append(described.title)
    if seconds:
        columns.append([number(seconds[name]) if name in seconds else "" for name in methods])
        titles.append(SECONDS)
    rows = [[about["titles"][name], *cells] for name, cells in zip(methods, zip(*columns, strict=True), strict=True)]
    return Table("Attribution methods and controls by evidence", ["method", *titles], rows, text={1})


def column_of(measure: str, about: dict[str, Any]) -> str:
    """Name of a measure in the evidence: the number of stages of the network differs.

    Parameters
    ----------
    measure
        Key of `MEASURES`.
    about
        `maps.json`.

    Returns
    -------
    str
        The name.
    """
    return f"cascade_{about['stages']}" if measure == ALL_WEIGHTS else measure


def difference_table(judged: Judgment, about: dict[str, Any]) -> Table | None:
    """Table of the differences from the controls, paired by patient.

    Parameters
    ----------
    judged
        Evidence and verdicts.
    about
        `maps.json`.

    Returns
    -------
    Table or None
        None if no difference was computed.
    """
    methods = judged.ranked(about["methods"])
    titles: list[str] = []
    columns: list[list[Cell]] = []
    for measure, described in MEASURES.items():
        for control in CONTROLS if described.better else ():
            cells = [_difference(judged.cell(name, measure, control)) for name in methods]
            if any(cells):
                titles.append(f"{described.title}, minus {about['titles'][control]} ({described.better} is better)")
                columns.append(cells)
    if not columns:
        return None
    rows = [[about["titles"][name], *cells] for name, cells in zip(methods, zip(*columns, strict=True), strict=True)]
    return Table("Differences of the methods from the controls, paired by patient", ["method", *titles], rows)


def measured(judged: Judgment, about: dict[str, Any]) -> list[tuple[str, str]]:
    """Title and meaning of each measure in the table.

    Parameters
    ----------
    judged
        Evidence and verdicts.
    about
        `maps.json`.

    Returns
    -------
    list of tuple
        In the order of the columns.
    """
    present = set(judged.summary["measure"]) | {"other_folds"}
    return [(one.title, one.meaning) for name, one in MEASURES.items() if column_of(name, about) in present]


def seconds_per_window(folds: list[Maps]) -> dict[str, float]:
    """Seconds that each method took for a window, over all folds."""
    table = pd.concat([maps.timing for maps in folds], ignore_index=True)
    sums = table.groupby("method")[["seconds", "n_windows"]].sum()
    return {str(name): float(row["seconds"] / row["n_windows"]) for name, row in sums.iterrows() if row["n_windows"]}


def _cell(entry: dict[str, float] | None) -> Cell:
    if entry is None or not defined(entry["value"]):
        return ""
    bounds = [entry["low"], entry["high"]]
    interval = " to ".join(_number(value) for value in bounds) if all(map(defined, bounds)) else ""
    return _number(entry["value"]), interval


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}") if defined(value) else ""


def _difference(entry: dict[str, float] | None) -> Cell:
    if entry is None or not defined(entry["value"]):
        return ""
    return difference(entry["value"]), difference_interval(entry["low"], entry["high"])


def ranking_table(judgments: dict[str, Judgment], titles: dict[str, str]) -> Table | None:
    """Table of the methods of each combination in the order of the ranking, with the words of their verdicts.

    Parameters
    ----------
    judgments
        Evidence and verdicts by label of the combination.
    titles
        Titles of the methods.

    Returns
    -------
    Table or None
        None if there is no verdict.
    """
    rows: list[list[Cell]] = []
    for name, judged in judgments.items():
        if judged.verdicts:
            rows.append([name, *((titles[one.method], one.word) for one in judged.verdicts)])
    if not rows:
        return None
    n_columns = max(map(len, rows))
    rows = [[*row, *[""] * (n_columns - len(row))] for row in rows]
    return Table(
        "Ranking of the attribution methods of each combination",
        ["combination", *map(str, range(1, n_columns))],
        rows,
        "By the verdict, then by the effect of deletion compared with a random map. The reports have the evidence.",
    )
