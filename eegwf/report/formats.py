"""Formats of numbers on the page."""

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

UNDEFINED = "undefined"


def defined(value: float | None) -> TypeGuard[float]:
    """Whether a score is defined: neither None nor NaN."""
    return value is not None and not math.isnan(value)


def score(value: float | None) -> str:
    """Format a score between 0 and 1 with three decimals."""
    return f"{value:.3f}" if defined(value) else UNDEFINED


def difference(value: float | None) -> str:
    """Format a difference of scores with its sign and three decimals."""
    return f"{value:+z.3f}".replace("-", "\N{MINUS SIGN}") if defined(value) else UNDEFINED


def difference_interval(low: float | None, high: float | None) -> str:
    """Format the interval of a difference.

    Parameters
    ----------
    low, high
        Bounds of the interval.

    Returns
    -------
    str
        The bounds; empty if one is undefined.
    """
    return f"{difference(low)} to {difference(high)}" if defined(low) and defined(high) else ""


def probability(value: float | None) -> str:
    """Format a p-value with three decimals; small ones as a bound."""
    if not defined(value):
        return UNDEFINED
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def share(value: float | None) -> str:
    """Format a fraction as a percentage."""
    return f"{100 * value:.1f} %" if defined(value) else UNDEFINED


def number(value: Any) -> str:
    """Format a number with three significant digits, integers without decimals; text is returned unchanged."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not defined(value):
        return UNDEFINED
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value):d}"
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"


def interval(entry: Mapping[str, Any]) -> str:
    """Format the interval of a score; empty if the score is undefined."""
    if not defined(entry["value"]):
        return ""
    if not defined(entry["low"]) or not defined(entry["high"]):
        return "no interval"
    return f"{entry['low']:.3f} to {entry['high']:.3f}"


def with_interval(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Format a score and its interval as the two lines of a table cell."""
    return score(entry["value"]), interval(entry)


def duration(seconds: float | None) -> str:
    """Format a duration in s, min or h."""
    if not defined(seconds):
        return UNDEFINED
    if seconds < 60:
        return f"{seconds:.3g} s"
    if seconds < 3600:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:,.3g} h" if seconds < 3.6e6 else f"{seconds / 3600:,.0f} h"


def seconds(value: float) -> str:
    """Format a time in a recording in seconds, with a tenth where it is no whole number."""
    return f"{value:.1f}".removesuffix(".0")


def energy(joules: float | None) -> str:
    """Format an energy in J, Wh or kWh."""
    if not defined(joules):
        return UNDEFINED
    watt_hours = joules / 3600
    if watt_hours < 0.1:
        return f"{joules:.3g} J"
    if watt_hours < 999.5:
        return f"{watt_hours:.3g} Wh"
    return f"{watt_hours / 1e3:,.3g} kWh" if watt_hours < 9.995e5 else f"{watt_hours / 1e3:,.0f} kWh"


def listing(names: list[str]) -> str:
    """Join names in a sentence: a, b and c."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def capitalized(text: str) -> str:
    """The text with a capital first letter."""
    return f"{text[:1].upper()}{text[1:]}"


def plain_name(name: str) -> str:
    """Letters and digits of a name in lower case, so that `CHB-MIT` and `chb mit` are the same."""
    return "".join(filter(str.isalnum, name)).casefold()


def count(number_of: int, thing: str) -> str:
    """Format a number of things, such as `1 fold` or `5 folds`.

    Parameters
    ----------
    number_of
        The number.
    thing
        Name of one thing, in the singular.

    Returns
    -------
    str
        Number and name, in the plural unless the number is 1.
    """
    plural = f"{thing[:-1]}ies" if thing[-1] == "y" and thing[-2] not in "aeiou" else f"{thing}s"
    return f"{number_of:,d} {thing if number_of == 1 else plural}"
