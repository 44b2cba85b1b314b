"""Comparison of the combinations of a class set: columns of the summary, tables and the figure of the costs."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from eegwf.config.paths import RunPaths
from eegwf.evaluation.compared_runs import RunComparison
from eegwf.report.drawing import ACCENT, INK, Figure, drawing, short
from eegwf.report.formats import count, defined, difference, difference_interval, duration, number, probability, score
from eegwf.report.tables import Cell, Table
from eegwf.storage.files import read_table

TRAINING_STAGES = ("tune", "retrain")
MAX_PAIRS = 66  # pairs on the page: those of 12 combinations; `comparison.tsv` has all
MAX_NAMED = 24  # combinations whose names are written into the figure
TOLD = {(True, True): "patients, folds", (True, False): "patients", (False, True): "folds", (False, False): "no"}


def training_seconds(run: RunPaths) -> float:
    """Seconds of tuning and retraining, from `ledger.tsv`; NaN without it."""
    if not run.ledger.exists():
        return float("nan")
    ledger = read_table(run.ledger, ("stage", "seconds"), text=("stage",))
    seconds = ledger.loc[ledger["stage"].isin(TRAINING_STAGES), "seconds"]
    return float(seconds.sum()) if len(seconds) else float("nan")


def comparison_columns(name: str, baseline: str, compared: RunComparison) -> dict[str, Any]:
    """Compute the columns of `summary.tsv` that compare a combination with the best one and with the baseline.

    Parameters
    ----------
    name
        Name of the combination.
    baseline
        Name of the classical baseline of its class set; empty without one.
    compared
        Comparison of the combinations of its class set.

    Returns
    -------
    dict
        Values by column, None where there is no comparison.
    """
    best = compared.names[0]
    row: dict[str, Any] = {"like_best": name in compared.like_best if name in compared.names else None}
    row |= {"versus_best": best if name != best and name in compared.names else None}
    row |= _pair_columns(compared, name, best, "best")
    row |= {"versus_classical": baseline if baseline != name else None}
    return row | _pair_columns(compared, name, baseline, "classical")


def _pair_columns(compared: RunComparison, name: str, other: str, suffix: str) -> dict[str, Any]:
    keys = ("difference", "low", "high", "p_patients", "p_folds")
    pair = _pair(compared, name, other)
    return {f"{key}_{suffix}": None if pair is None else pair[key] for key in keys}


def _pair(compared: RunComparison, name: str, other: str) -> dict[str, Any] | None:
    """Difference of `name` minus `other` with its interval and adjusted p-values; None if it wasn't computed."""
    found = compared.number_of(name, other)
    if found is None:
        return None
    index, sign = found
    tests = compared.tests
    bounds = sorted((sign * float(tests.low[index]), sign * float(tests.high[index])))
    return {
        "difference": sign * float(tests.difference[index]),
        "low": bounds[0],
        "high": bounds[1],
        "p_patients": float(compared.adjusted[0, index]),
        "p_folds": float(compared.adjusted[1, index]),
        "told": TOLD[bool(compared.apart[0, index]), bool(compared.apart[1, index])],
    }


def comparison_table(compared: RunComparison, baseline: str, labels: Mapping[str, str]) -> Table:
    """Table of the differences of every combination from the best one and from the classical baseline.

    Parameters
    ----------
    compared
        Comparison of the combinations of a class set.
    baseline
        Name of their classical baseline; empty without one.
    labels
        Name of each combination on the page.

    Returns
    -------
    Table
        A row per combination, by descending score; those that no test tells apart from the best are emphasized.
    """
    best = compared.names[0]
    others = {"best": best} | ({"classical baseline": baseline} if baseline else {})
    rows: list[list[Cell]] = []
    for name in compared.names:
        pairs = [_pair(compared, name, other) for other in others.values()]
        rows.append([labels[name], *(cell for pair in pairs for cell in _cells(pair))])
    like_best = compared.like_best
    level = number(round(100 * compared.confidence, 6))
    alpha = number(round(1 - compared.confidence, 6))
    note = (
        f"Balanced accuracy of the primary members; {level} % confidence intervals from the jackknife over patients "
        "with Student's t. p, patients: these trained classifiers on further patients. p, folds: the procedures with "
        "other training patients (t-test over the folds, corrected by Nadeau and Bengio, 2003, for overlapping "
        f"training sets). The p-values are corrected over {count(len(compared.pairs), 'pair')} and both tests (Holm, "
        f"1979), the intervals are not. Told apart: tests with a corrected p of at most {alpha}. Emphasized: "
        f"{count(len(like_best), 'combination')} of {len(compared.names)} that no test tells apart from the highest "
        f"score, {labels[best]}; there is no evidence which of them is the best."
    )
    columns = ["combination"]
    for other in others:
        columns += [f"difference from {other}", "p, patients", "p, folds", f"told apart from {other}"]
    strong = {row for row, name in enumerate(compared.names) if name in like_best}
    return Table("Differences of balanced accuracy", columns, rows, note, text={4, 8}, strong=strong)


def _cells(pair: dict[str, Any] | None) -> list[Cell]:
    if pair is None:
        return [""] * 4
    bounds = difference_interval(pair["low"], pair["high"]) or "no interval"
    tests = [probability(pair["p_patients"]), probability(pair["p_folds"])]
    return [(difference(pair["difference"]), bounds), *tests, pair["told"]]


def pair_table(compared: RunComparison, labels: Mapping[str, str]) -> Table | None:
    """Table of the differences of all pairs.

    Parameters
    ----------
    compared
        Comparison of the combinations of a class set.
    labels
        Name of each combination on the page.

    Returns
    -------
    Table or None
        A row per pair; None if there are more than `MAX_PAIRS`, or fewer than three combinations.
    """
    if len(compared.names) < 3 or len(compared.pairs) > MAX_PAIRS:
        return None
    rows: list[list[Cell]] = []
    for first, second in compared.pairs:
        names = compared.names[first], compared.names[second]
        rows.append([f"{labels[names[0]]} − {labels[names[1]]}", *_cells(_pair(compared, *names))])
    columns = ["pair", "difference", "p, patients", "p, folds", "told apart"]
    return Table("Differences of all pairs", columns, rows, text={4})


def skipped_sentence(compared: RunComparison) -> str:
    """Combinations that were not compared, and why; empty if there are none."""
    return "; ".join(f"{name} is not compared: {reason}" for name, reason in compared.skipped.items())


def cost_figure(
    classes: str,
    scores: Mapping[str, dict[str, Any]],
    seconds: Mapping[str, float],
    labels: Mapping[str, str],
    classical: Collection[str] = (),
) -> Figure | None:
    """Draw the balanced accuracy of each combination against the time of its tuning and retraining.

    Parameters
    ----------
    classes
        Name of the class set.
    scores
        Balanced accuracy of the primary member of each combination, with its interval.
    seconds
        Time of tuning and retraining of each; NaN if unknown.
    labels
        Name of each combination on the page.
    classical
        Classical combinations, which are highlighted.

    Returns
    -------
    Figure or None
        The figure; None if the time of fewer than two combinations is known.
    """
    shown = [name for name in scores if defined(seconds[name]) and seconds[name] > 0]
    shown = [name for name in shown if defined(scores[name]["value"])]
    if len(shown) < 2:
        return None
    with drawing(6.4, 3.2) as figure:
        axes = figure.axes
        for name in shown:
            entry, hours = scores[name], seconds[name] / 3600
            color = ACCENT if name in classical else INK
            if defined(entry["low"]):
                axes.plot([hours] * 2, [entry["low"], entry["high"]], color=color, linewidth=0.9, alpha=0.5)
            axes.plot(hours, entry["value"], "o", color=color, markersize=5)
            if len(shown) <= MAX_NAMED:
                point = hours, entry["value"]
                near: dict[str, Any] = {"xytext": (5, 3), "textcoords": "offset points"}
                axes.annotate(short(labels[name], 20), point, fontsize=7.5, color=color, **near)
        axes.set_xscale("log")
        times = [seconds[name] / 3600 for name in shown]
        # Wide enough for two labeled ticks; Matplotlib's own labels are powers in mathematical notation.
        axes.set_xlim(min(times) / 2, max(times) * 2.5)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
        axes.xaxis.set_major_formatter(lambda value, _: number(float(value)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set(xlabel="tuning and retraining (hours)", ylabel="balanced accuracy")
        axes.grid(True)
        order = np.argsort([seconds[name] for name in shown], kind="stable")
        parts = [f"{shown[i]} {duration(seconds[shown[i]])}, {score(scores[shown[i]]['value'])}" for i in order]
        alt = f"Balanced accuracy against the time of tuning and retraining, {classes}: {'; '.join(parts)}."
        return figure.finish(f"cost-{classes}", alt, "Balanced accuracy and computing time")
