"""Classes of the event types of an external data set, by the class set of the study."""

from collections.abc import Mapping, Sequence

import pandas as pd

from eegwf.data.events import classify
from eegwf.errors import InputError

COLUMNS = ("event_type", "class", "n_events", "n_windows", "n_patients")


def map_event_types(
    windows: pd.DataFrame, events: pd.DataFrame, classes: Mapping[str, Sequence[str]], name: str
) -> pd.DataFrame:
    """Assign the event types of a data set to the classes of a study.

    Parameters
    ----------
    windows, events
        `windows.tsv` and `events.tsv` of the data set.
    classes
        Event types of each class of the study; each includes its subtypes.
    name
        Name of the data set, for messages.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, a row for each event type: its class, empty if the class set has none; the number of
        annotated events; and the number of windows that have it, and of their patients.

    Raises
    ------
    InputError
        If no window has a class.
    """
    labels = [*windows["label"].unique(), *events["label"].unique()]
    types = sorted(label for label in dict.fromkeys(labels) if label)
    class_of = {label: classify(label, classes) or "" for label in types}
    rows = []
    for label in sorted(types, key=lambda label: (_order(class_of[label], classes), label)):
        part = windows[windows["label"] == label]
        n_events = int((events["label"] == label).sum())
        rows.append([label, class_of[label], n_events, len(part), part["patient"].nunique()])
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for class_name, entries in classes.items():
        own = table[table["class"] == class_name]
        if own["n_windows"].sum():
            continue
        wanted = f"{class_name} ({', '.join(entries)})"
        listed = ", ".join(types) or "none"
        if own["n_events"].sum():
            raise InputError(
                f"external data set {name}: none of its {own['n_events'].sum()} events of class {wanted} labels a "
                "window; shorten windows.length, or set windows.min_event_overlap"
            )
        raise InputError(
            f"external data set {name} has no events of class {wanted}; its event types: {listed}. Use a class set "
            f"whose classes they fill, such as 2class with `seizure: [sz]` (external.{name}.classes: [2class]), or map "
            "its labels in dataset.event_map"
        )
    return table


def _order(class_name: str, classes: Mapping[str, Sequence[str]]) -> int:
    """Number of a class; event types without one are last."""
    return [*classes].index(class_name) if class_name else len(classes)
