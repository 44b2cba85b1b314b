"""Verdict on each attribution method: a word, a sentence and the reasons.

A method beats a control in a measure if the confidence interval of the difference, paired by patient, is entirely on
the better side of 0. The word is the first of these whose condition holds:

`undecided`
    deletion or the randomization of the weights was not measured, or deletion in fewer than `MIN_PATIENTS` patients, so
    that there is no interval.
`unsupported`
    deletion does not beat both controls, or the rank correlation with the maps after all weights were drawn anew is
    above `MAX_RANDOMIZED`: the map hardly depends on what the model has learned.
`mixed`
    insertion does not beat both controls; in the signal domain, deletion of channels, bands or seconds is worse than a
    control (the interval is entirely on the worse side of 0), or none of them beats both controls; the rank
    correlation with the maps of a model trained on permuted labels is above `MAX_LABEL_RANDOMIZED`, with those of other
    classes above `MAX_OTHER_CLASS`, or with those of the other retrained models below `MIN_OTHER_RANK`; or, where the
    truth is known, the AUROC over channels of focal seizures is below `MIN_FOCAL_AUROC` or not above that of the energy
    map. A measure that was not made does not count.
`supported`
    none of these.

Correlations and AUROCs are means over patients, without regard to their intervals.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eegwf.attribution.clauses import Rows, after_randomization, beaten, contradictions, not_beaten, rows_of, shown
from eegwf.attribution.evidence_summary import FOCAL_MEASURE
from eegwf.attribution.methods import CONTROLS
from eegwf.evaluation.intervals import MIN_PATIENTS

WORDS = ("supported", "mixed", "unsupported", "undecided")
MAX_RANDOMIZED = 0.5
MAX_LABEL_RANDOMIZED = 0.5
MAX_OTHER_CLASS = 0.5
MIN_OTHER_RANK = 0.3
MIN_FOCAL_AUROC = 0.75


@dataclass(frozen=True)
class Verdict:
    """Verdict on a method.

    Attributes
    ----------
    method
        Name of the method.
    word
        One of `WORDS`.
    sentence
        What was found.
    reasons
        What speaks against the method, each a clause with its numbers; the decisive ones first.
    """

    method: str
    word: str
    sentence: str
    reasons: tuple[str, ...]


def verdicts(table: pd.DataFrame, confidence: float = 0.95, methods: Iterable[str] = ()) -> list[Verdict]:
    """Judge each method.

    Parameters
    ----------
    table
        Table of `eegwf.attribution.evidence_summary.summarize_evidence`.
    confidence
        Confidence level of its intervals.
    methods
        Methods that may be missing in the table, because the classifier saw no seizure in any window.

    Returns
    -------
    list of Verdict
        In the order of the table, followed by the missing ones, without the controls.
    """
    judged = [method for method in dict.fromkeys([*table["method"], *methods]) if method not in CONTROLS]
    return [_verdict(method, rows_of(table, method), rows_of(table, "energy"), confidence) for method in judged]


def ranking(found: Sequence[Verdict], table: pd.DataFrame) -> list[Verdict]:
    """Order verdicts by their word, and those with the same word by the difference in deletion to random maps.

    Parameters
    ----------
    found
        Verdicts on the methods.
    table
        As in `verdicts`.

    Returns
    -------
    list of Verdict
        The best first; those without the difference last among the same word.
    """
    deletion = table[table["measure"] == "deletion"].set_index("method")["minus_random"]

    def place(verdict: Verdict) -> tuple[int, float]:
        difference = deletion.get(verdict.method, np.nan)
        return WORDS.index(verdict.word), np.inf if np.isnan(difference) else float(difference)

    return sorted(found, key=place)


def _verdict(method: str, rows: Rows, energy: Rows, confidence: float) -> Verdict:
    missing = _missing(rows)
    if missing:
        return Verdict(method, "undecided", _sentence(missing), tuple(missing))
    decisive = [*not_beaten(rows, "deletion", confidence), *_randomized(rows)]
    weaker = [*not_beaten(rows, "insertion", confidence), *contradictions(rows, confidence)]
    weaker += [*_correlations(rows), *_location(rows, energy)]
    reasons = (*decisive, *weaker)
    if decisive:
        return Verdict(method, "unsupported", _sentence(decisive), reasons)
    fact = beaten(rows["deletion"], confidence)
    if weaker:
        return Verdict(method, "mixed", _sentence([fact, f"but {weaker[0]}", *weaker[1:]]), reasons)
    return Verdict(method, "supported", _sentence([fact, *_favorable(rows, energy)]), ())


def _missing(rows: Rows) -> list[str]:
    """Reasons why there is no verdict."""
    if "deletion" not in rows or any(np.isnan(rows["deletion"][f"minus_{control}"]) for control in CONTROLS):
        return ["deletion was not measured for the method and both controls"]
    n_patients = int(min(rows["deletion"][f"minus_{control}_patients"] for control in CONTROLS))
    reasons = []
    if n_patients < MIN_PATIENTS:
        patients = "1 patient" if n_patients == 1 else f"{n_patients} patients"
        reasons = [f"deletion was measured in {patients}, and a confidence interval needs at least {MIN_PATIENTS}"]
    return reasons if _last_stage(rows) else [*reasons, "the weights were not randomized"]


def _last_stage(rows: Rows) -> str | None:
    """Measure of the last stage of the randomization, after which all weights are drawn anew."""
    stages = [measure for measure in rows if measure.startswith("cascade_")]
    return max(stages, key=lambda measure: int(measure.removeprefix("cascade_")), default=None)


def _randomized(rows: Rows) -> list[str]:
    """A clause if the map hardly changes when all weights are drawn anew."""
    value = rows[_last_stage(rows) or ""]["mean"]
    if value <= MAX_RANDOMIZED:
        return []
    return [f"the map hardly depends on the trained weights ({after_randomization(value)})"]


def _correlations(rows: Rows) -> list[str]:
    """Clauses on maps that resemble each other and should not, or the reverse."""
    rules = {
        "label_randomized": (1, MAX_LABEL_RANDOMIZED, "the map resembles that of a model trained on permuted labels"),
        "other_class": (1, MAX_OTHER_CLASS, "the maps of the classes resemble each other"),
        "other_rank": (-1, MIN_OTHER_RANK, "the maps of the retrained models differ"),
    }
    return [
        f"{text} (rank correlation {shown(rows[measure]['mean'])})"
        for measure, (sign, limit, text) in rules.items()
        if measure in rows and sign * (rows[measure]["mean"] - limit) > 0
    ]


def _location(rows: Rows, energy: Rows) -> list[str]:
    """Clauses on the channels of focal seizures."""
    if FOCAL_MEASURE not in rows:
        return []
    value, clauses = rows[FOCAL_MEASURE]["mean"], []
    if value < MIN_FOCAL_AUROC:
        clauses.append(f"the AUROC over the channels of focal seizures is {shown(value)}, below {MIN_FOCAL_AUROC}")
    if rows[FOCAL_MEASURE]["minus_energy"] <= 0:  # not if it is NaN, without the control
        other = shown(energy[FOCAL_MEASURE]["mean"])
        clauses.append(
            f"the AUROC over the channels of focal seizures, {shown(value)}, is not above {other} of the energy map"
        )
    return clauses


def _favorable(rows: Rows, energy: Rows) -> list[str]:
    """Clauses on what speaks for a supported method besides deletion."""
    clauses = [f"the map depends on the trained weights ({after_randomization(rows[_last_stage(rows) or '']['mean'])})"]
    if FOCAL_MEASURE in rows:
        other = f" (energy map: {shown(energy[FOCAL_MEASURE]['mean'])})" if FOCAL_MEASURE in energy else ""
        value = shown(rows[FOCAL_MEASURE]["mean"])
        clauses.append(f"the AUROC over the channels of focal seizures is {value}{other}")
    return clauses


def _sentence(clauses: Sequence[str]) -> str:
    text = "; ".join(clauses)
    return f"{text[0].upper()}{text[1:]}."
