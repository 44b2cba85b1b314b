"""Answer to an item of a checklist."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from eegwf.report.data import ReportData

About = dict[str, Any]
"""Content of `run.json`."""


class Answer(NamedTuple):
    """Answer to an item.

    Attributes
    ----------
    text
        What the run knows; empty if it knows nothing.
    missing
        What the authors have to add, without a period; empty for nothing.
    """

    text: str = ""
    missing: str = ""


Answers = Mapping[str, Callable[[ReportData, About], Answer]]
"""Functions that answer items, by the number of the item."""
