"""Comparison of the ids under `patients` of the configuration with those of a data set."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

MAX_NAMES = 5
# Characters that are confused when an id is typed.
CONFUSED = str.maketrans({"o": "0", "i": "1", "l": "1"})


@dataclass(frozen=True)
class MappingFindings:
    """Entries of `patients` that do not fit the ids of a data set.

    Attributes
    ----------
    notes
        At most one line, which names the ids that no recording has: their entries have no effect.
    warnings
        One line for each id that no recording has and that is similar to the id of a recording. If it is a spelling
        error, one person may be in two folds.
    """

    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def compare_mapping(patients: Mapping[str, str], recorded_ids: Iterable[str]) -> MappingFindings:
    """Find entries of `patients` that do not fit the ids of a data set.

    Parameters
    ----------
    patients
        Id of the patient for each further id of the same person, normalized.
    recorded_ids
        Ids of the recordings, normalized.

    Returns
    -------
    MappingFindings
        Lines for the user.
    """
    ids = sorted(set(recorded_ids))
    similar = {_skeleton(recorded): recorded for recorded in reversed(ids)}
    absent, warnings = [], []
    for patient, person in sorted(patients.items()):
        if patient not in ids:
            if meant := similar.get(_skeleton(patient)):
                warnings.append(
                    f"patients.{patient}: no such patient in the data set, so the entry has no effect; did you mean "
                    f"{meant!r}? If so, correct the id, because one person would be in two folds"
                )
            else:
                absent.append(patient)
        elif person not in ids and (meant := similar.get(_skeleton(person))) and meant != patient:
            warnings.append(
                f"patients.{patient}: {person}, but no such patient is in the data set; did you mean {meant!r}? If so, "
                "correct the id, because one person would be in two folds"
            )
    notes: tuple[str, ...] = ()
    if absent:
        more = f" and {len(absent) - MAX_NAMES} more" if len(absent) > MAX_NAMES else ""
        notes = (f"patients: {', '.join(absent[:MAX_NAMES])}{more}: not in the data set; no effect",)
    return MappingFindings(notes, tuple(warnings))


def lost_ids(patient_of: Iterable[tuple[str, str]], present: Collection[str]) -> list[str]:
    """Find ids of patients of whom nothing is left.

    Parameters
    ----------
    patient_of
        Id of the folder and patient of each recording.
    present
        Patients of whom something is left.

    Returns
    -------
    list of str
        Ids of the folders, sorted.
    """
    return sorted({folder for folder, patient in patient_of if patient not in present})


def exclude_advice(ids: Sequence[str]) -> str:
    """Describe the line of the configuration that excludes patients.

    Parameters
    ----------
    ids
        Ids of their folders.

    Returns
    -------
    str
    """
    return f"write `exclude: [{', '.join(ids)}]` under `dataset`, or add to the list that is there"


def _skeleton(patient: str) -> str:
    """An id without the differences of a spelling error: case, separators, the prefix, leading zeros, O and 0."""
    text = unicodedata.normalize("NFKC", patient).casefold().translate(CONFUSED)
    text = re.sub(r"[\W_]", "", text).removeprefix("sub")
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)
