"""Event types (SzCORE) of the labels of annotation formats, in lower case; None: the label is ignored."""

from collections.abc import Mapping

# Labels: AAREADME.txt of the TUH EEG Seizure Corpus, v2.0.3. Event types: Dan et al. (2024), SzCORE, Epilepsia.
# Myoclonic seizures (`mysz`) are generalized motor seizures in the classification of the ILAE (Fisher et al. 2017,
# Epilepsia 58:522); non-epileptic seizures (`nesz`) have no event type.
TUSZ: dict[str, str | None] = {
    "bckg": "bckg",
    "seiz": "sz",
    "fnsz": "sz_foc",
    "gnsz": "sz_gen",
    "spsz": "sz_foc_a",
    "cpsz": "sz_foc_ia",
    "absz": "sz_gen_nm",
    "tnsz": "sz_gen_m_tonic",
    "cnsz": "sz_gen_m_clonic",
    "tcsz": "sz_gen_m_tonicClonic",
    "atsz": "sz_gen_m_atonic",
    "mysz": "sz_gen_m_myoclonic",
    "nesz": None,
}
# Tags of the HED-SCORE library schema (hed-standard/hed-schemas, library_schemas/score, versions 1.0.0 to 2.1.0), which
# follows the classification of the ILAE. A tag that says how a seizure looks, but not where it begins, is a seizure of
# unknown type, `sz`: in SzCORE, such features are subtypes of focal and generalized seizures.
HED: dict[str, str | None] = {
    "epileptic-seizure": "sz",
    "focal-onset-epileptic-seizure": "sz_foc",
    "aware-focal-onset-epileptic-seizure": "sz_foc_a",
    "impaired-awareness-focal-onset-epileptic-seizure": "sz_foc_ia",
    "awareness-unknown-focal-onset-epileptic-seizure": "sz_foc_ua",
    "focal-to-bilateral-tonic-clonic-focal-onset-epileptic-seizure": "sz_foc_f2b",
    "generalized-onset-epileptic-seizure": "sz_gen",
    "unknown-onset-epileptic-seizure": "sz_uo",
    "unclassified-epileptic-seizure": "sz",
    "electrographic-seizure": "sz",
    "electroencephalographic-seizure": "sz",
    "subtle-seizure": "sz",
    "motor-seizure": "sz",
    "nonmotor-seizure": "sz",
    "myoclonic-seizure": "sz",
    "clonic-seizure": "sz",
    "tonic-seizure": "sz",
    "atonic-seizure": "sz",
    "tonic-clonic-seizure": "sz",
    "epileptic-spasm": "sz",
    "absence-seizure": "sz_gen_nm",
    "seizure-pnes": None,
}
# Default tables, by the name of the format.
DEFAULTS: Mapping[str, Mapping[str, str | None]] = {"tusz": TUSZ, "tse": TUSZ, "hed": HED}


def event_map_of(name: str, changes: Mapping[str, str | None]) -> dict[str, str | None]:
    """Event types of the labels of a data set.

    Parameters
    ----------
    name
        Name of the format of its annotations.
    changes
        Entries of the configuration, which have priority.

    Returns
    -------
    dict
        Event type of each label in lower case; None if the label is ignored.
    """
    return {**DEFAULTS.get(name, {}), **{label.casefold(): kind for label, kind in changes.items()}}
