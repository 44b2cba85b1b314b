"""How numbers are written on the page."""

import math
from typing import Any

UNDEFINED = "undefined"


def defined(value: Any) -> bool:
    """Whether a score is there: neither None nor NaN."""
    return value is not None and not math.isnan(value)


def score(value: float | None) -> str:
    """A score between 0 and 1: three decimals."""
    return f"{value:.3f}" if defined(value) else UNDEFINED


def difference(value: float | None) -> str:
    """A difference of scores: a sign and three decimals."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}") if defined(value) else UNDEFINED


def difference_interval(low: float | None, high: float | None) -> str:
    """Bounds of a difference; empty if there are none."""
    return f"{difference(low)} to {difference(high)}" if defined(low) and defined(high) else ""


def share(value: float | None) -> str:
    """A share as a percentage."""
    return f"{100 * value:.1f} %" if defined(value) else UNDEFINED


def number(value: Any) -> str:
    """Any number: three significant digits, whole numbers in full; text as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not defined(value):
        return UNDEFINED
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value):d}"
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"


def interval(entry: dict[str, Any]) -> str:
    """Bounds of a score's interval, or why there is none."""
    if not defined(entry["value"]):
        return ""
    if not defined(entry["low"]) or not defined(entry["high"]):
        return "no interval"
    return f"{entry['low']:.3f} to {entry['high']:.3f}"


def with_interval(entry: dict[str, Any]) -> tuple[str, str]:
    """A score and its interval, as a table's cell of two lines."""
    return score(entry["value"]), interval(entry)


def duration(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    if not defined(seconds):
        return UNDEFINED
    if seconds < 60:
        return f"{seconds:.3g} s"
    if seconds < 3600:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:,.3g} h" if seconds < 3.6e6 else f"{seconds / 3600:,.0f} h"


def listing(names: list[str]) -> str:
    """Names in a sentence: a, b and c."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def count(number_of: int, thing: str) -> str:
    """A number of things, with the plural where there is not one: `1 fold`, `5 folds`."""
    return f"{number_of:,d} {thing}" if number_of == 1 else f"{number_of:,d} {thing}s"
