"""Slips in the published lists of seizures of Siena (version 1.0.0), and what they mean."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Slip:
    """A value in a list that is not meant as it is written.

    Attributes
    ----------
    written
        The value in the list.
    meant
        What is read instead.
    reason
        Why, for the note.
    """

    written: str
    meant: str
    reason: str


# Values are compared without regard to case and repeated blanks. The two alternatives of PN10 are resolved as in the
# BIDS version of the database (Dan and Detti 2024, doi:10.5281/zenodo.10640762), so that results can be compared.
SLIPS: dict[str, tuple[Slip, ...]] = {
    "seizures-list-pn00.txt": (
        Slip("19.29.29", "18.29.29", "the recording ends at 18.57.13, and its other seizures last about a minute"),
    ),
    "seizures-list-pn01.txt": (Slip("PN01.edf", "PN01-1.edf", "the only recording of the patient"),),
    "seizures-list-pn06.txt": tuple(
        Slip(f"PNO6-{number}.edf", f"PN06-{number}.edf", "the letter O in place of the digit 0") for number in (1, 2, 4)
    ),
    "seizures-list-pn10.txt": (
        Slip("1 6.49.25", "16.49.25", "a blank within the time"),
        Slip("11.41.04 opure 11.40.43", "11.40.43", "two ends of a seizure, the second is used"),
        Slip("15.43.53 (CLINICAL ONSET); 15.43.59 (ELECTRIC ONSET)", "15.43.59", "the onset in the EEG is used"),
        Slip("15.18.26 (CLINICAL ONSET)", "15.18.26", "only the clinical onset is listed"),
    ),
    "seizures-list-pn11.txt": (Slip("PN11-.edf", "PN11-1.edf", "the only recording of the patient"),),
    "seizures-list-pn14.txt": (
        Slip("16.17.45", "19.17.45", "the start in the header of PN14-3.edf, whose length fits the listed end"),
    ),
}


def find_slip(list_name: str, value: str) -> Slip | None:
    """Find the slip that a value of a list is.

    Parameters
    ----------
    list_name
        Name of the list, such as `Seizures-list-PN00.txt`.
    value
        Name of a file or time, as it is written.

    Returns
    -------
    Slip or None
        None if the value is meant as it is written.
    """
    text = " ".join(value.casefold().split())
    slips = SLIPS.get(list_name.casefold(), ())
    return next((slip for slip in slips if slip.written.casefold() == text), None)
