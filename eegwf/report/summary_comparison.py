"""Comparison of the combinations of a class set: columns of the summary, tables and sentences."""

from collections.abc import Mapping
from typing import Any

from eegwf.evaluation.compared_runs import RunComparison
from eegwf.report.formats import count, difference, difference_interval, listing, number, probability
from eegwf.report.tables import Cell, Table

MAX_TIED = 12  # combinations that the sentence on ties names
MAX_PAIRS = 66  # pairs on the page: those of 12 combinations; `comparison.tsv` has all
TOLD = {(True, True): "patients, folds", (True, False): "patients", (False, True): "folds", (False, False): "no"}


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
    group = compared.tie_groups.get(name)
    row: dict[str, Any] = {"tie_group": group, "like_best": None if group is None else group == 1}
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


def ties_sentence(compared: RunComparison, labels: Mapping[str, str]) -> str:
    """Say which combinations can't be told apart from the best one.

    Parameters
    ----------
    compared
        Comparison of the combinations of a class set.
    labels
        Name of each combination on the page.

    Returns
    -------
    str
        The first group of ties, and what the other groups are; empty for a single combination.
    """
    if len(compared.names) < 2:
        return ""
    best, *others = compared.like_best
    n_groups = max(compared.tie_groups.values())
    if others:
        names = [labels[name] for name in others[:MAX_TIED]]
        more = [f"{len(others) - MAX_TIED:,d} others"] if len(others) > MAX_TIED else []
        group = f"they are group 1 of {n_groups}, and " if n_groups > 1 else ""
        text = (
            f"No test tells {listing(names + more)} apart from {labels[best]}, which has the highest score: {group}"
            "there is no evidence which of them is the best."
        )
    else:
        text = f"A test tells {labels[best]} apart from every other combination: it is alone in group 1 of {n_groups}."
    if n_groups > 1:
        text += (
            " Each further group has the highest remaining score and the combinations that no test tells apart from "
            "it; comparison.tsv has all pairs."
        )
    return text
