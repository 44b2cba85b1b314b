"""What the corpora tell about their patients, for `participants.tsv`."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from eegwf.data.annotations.files import read_lines
from eegwf.errors import InputError

# Value of each column by the id of the patient in the result.
Table = dict[str, dict[str, str]]
NO_VALUE = "n/a"
# Second ids of a person in CHB-MIT.
SAME_PERSON = {"sub-21": "sub-01"}
# Event types (SzCORE) of the seizures of a patient of Siena.
SEIZURE_TYPES = {"IAS": "sz_foc_ia", "WIAS": "sz_foc_a", "FBTC": "sz_foc_f2b"}
SEXES = {"male": "m", "female": "f", "m": "m", "f": "f"}
SETS = ("train", "dev", "eval")


def chbmit(source: Path) -> Table:
    """Sex and age of the cases in `SUBJECT-INFO`, and the person of each case."""
    table: Table = {}
    for folder in source.glob("chb*/"):
        patient = f"sub-{folder.name.removeprefix('chb')}"
        table[patient] = {"age": NO_VALUE, "sex": NO_VALUE, "person": SAME_PERSON.get(patient, patient)}
    for line in _lines(source / "SUBJECT-INFO"):
        if (match := re.fullmatch(r"chb(\d+)\s+([FM])\s+([\d.]+)", line)) and f"sub-{match[1]}" in table:
            table[f"sub-{match[1]}"] |= {"age": match[3], "sex": match[2].lower()}
    return table


def siena(source: Path) -> Table:
    """Age, sex, and type and place of the seizures in `subject_info.csv`."""
    return {
        f"sub-{row.get('patient_id', '')}": {
            "age": _value(row, "age_years"),
            "sex": SEXES.get(row.get("gender", "").lower(), NO_VALUE),
            "seizure_type": SEIZURE_TYPES.get(row.get("seizure", ""), NO_VALUE),
            "localization": _value(row, "localization"),
            "lateralization": _value(row, "lateralization"),
        }
        for row in _rows(source / "subject_info.csv")
    }


def tusz(source: Path) -> Table:
    """Official set of each patient, by its folder."""
    folders = [folder for name in SETS for folder in (*source.glob(f"{name}/*/"), *source.glob(f"edf/{name}/*/"))]
    return {f"sub-{folder.name}": {"split": folder.parent.name} for folder in folders}


def bids(source: Path) -> Table:
    """Columns of the `participants.tsv` of a BIDS data set."""
    rows = list(csv.DictReader(_lines(source / "participants.tsv"), delimiter="\t"))
    return {
        row["participant_id"]: {name: text or NO_VALUE for name, text in row.items() if name and name[:1].isalpha()}
        for row in rows
        if row.get("participant_id")
    }


def helsinki(source: Path) -> Table:
    """Sex, gestational age and birth weight in `clinical_information.csv`, as they are written (`37 to 38`)."""
    return {
        f"sub-{int(row['ID']):02d}": {
            "sex": SEXES.get(row.get("Gender", "").lower(), NO_VALUE),
            "gestational_age_weeks": _value(row, "GA (weeks)"),
            "birth_weight_g": _value(row, "BW (g)"),
        }
        for row in _rows(source / "clinical_information.csv")
        if row.get("ID", "").isdecimal()
    }


def _lines(path: Path) -> list[str]:
    """Lines of a file that may be missing."""
    try:
        return [line for line in read_lines(path) if line]
    except InputError:
        return []


def _rows(path: Path) -> Iterator[dict[str, str]]:
    for row in csv.DictReader(_lines(path), skipinitialspace=True):
        yield {name.strip(): text.strip() for name, text in row.items() if name and isinstance(text, str)}


def _value(row: dict[str, str], column: str) -> str:
    text = row.get(column, "")
    return NO_VALUE if text.lower() in ("", "n/a", "na", "nan") else " ".join(text.split())
