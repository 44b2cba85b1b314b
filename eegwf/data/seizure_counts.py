"""Number of annotated seizures of a recording, and of those that no window carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eegwf.data.events import Event, EventRules


@dataclass(frozen=True)
class SeizureCounts:
    """Numbers of seizures.

    Attributes
    ----------
    n_seizures
        Annotated seizures.
    n_unlabeled
        Those that no window carries: no window that contains a part of the seizure has its event type.
    n_open
        Those of no length.
    """

    n_seizures: int = 0
    n_unlabeled: int = 0
    n_open: int = 0

    def __add__(self, other: "SeizureCounts") -> "SeizureCounts":
        """Sum of the numbers."""
        return SeizureCounts(
            self.n_seizures + other.n_seizures, self.n_unlabeled + other.n_unlabeled, self.n_open + other.n_open
        )


def count_seizures(events: Sequence[Event], carried: np.ndarray, rules: EventRules) -> dict[str, SeizureCounts]:
    """Count the seizures of a recording.

    Parameters
    ----------
    events
        Events of the recording.
    carried
        Number of windows that carry each event, `(n_events,)`.
    rules
        Rules of the data set, which define the event types of seizures.

    Returns
    -------
    dict
        Numbers of each event type that is a seizure.
    """
    counts: dict[str, SeizureCounts] = {}
    for event, n_windows in zip(events, carried, strict=True):
        if rules.is_seizure(event.label):
            seizure = SeizureCounts(1, int(n_windows == 0), int(event.is_open))
            counts[event.label] = counts.get(event.label, SeizureCounts()) + seizure
    return counts


def compare_expected(expected: Mapping[str, int], annotated: Mapping[str, int]) -> list[str]:
    """Compare the annotated seizures of patients with the numbers that are expected.

    Parameters
    ----------
    expected
        `dataset.expected_seizures`: number of seizures by patient.
    annotated
        Number of annotated seizures of each patient of the data set, also of those without.

    Returns
    -------
    list of str
        A sentence for each patient whose numbers differ, such as `sub-01: 6 seizures annotated, 7 expected`.
    """
    lines = []
    for patient, number in expected.items():
        found = annotated.get(patient)
        if found is None:
            lines.append(f"{patient}: {_counted(number)} expected, but no such patient is in the data set")
        elif found != number:
            lines.append(f"{patient}: {_counted(found)} annotated, {number} expected")
    return lines


def _counted(number: int) -> str:
    return f"{number} seizure{'' if number == 1 else 's'}"
