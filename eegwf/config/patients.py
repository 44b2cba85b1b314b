"""Ids of patients: their spelling, and ids that belong to the same person."""

import unicodedata


def normalize_id(text: str) -> str:
    """Spell an id in Unicode's normal form C, so that both spellings of a letter with an accent are one id.

    Parameters
    ----------
    text
        An id, as in the name of a folder, a table or the configuration.

    Returns
    -------
    str
        The id; that of ASCII letters is not changed.
    """
    return unicodedata.normalize("NFC", text)


def normalize_mapping(patients: dict[str, str]) -> dict[str, str]:
    """Normalize and check the ids that belong to the same person (`patients` of the configuration).

    Parameters
    ----------
    patients
        Id of the patient for each further id of the same person.

    Returns
    -------
    dict
        The same with normalized ids.

    Raises
    ------
    ValueError
        If an id is mapped to an id that is itself mapped, which would result in two names for one person, or if two
        spellings of an id are mapped to two patients.
    """
    normalized: dict[str, str] = {}
    for patient, person in patients.items():
        key, value = normalize_id(patient), normalize_id(person)
        if normalized.setdefault(key, value) != value:
            raise ValueError(
                f"{key}: given twice, in two Unicode spellings, as {normalized[key]} and as {value}; remove one of the "
                "entries"
            )
    for patient, person in normalized.items():
        if normalized.get(person, person) != person:
            raise ValueError(
                f"{patient}: {person}, but {person} is mapped to {normalized[person]}; map {patient} to the same name"
            )
    return normalized
