"""What was converted, and how it compares with the published size of the corpus."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from eegwf.convert.corpora import Corpus


@dataclass(frozen=True)
class Outcome:
    """What became of a recording.

    Attributes
    ----------
    source
        Its file, relative to the corpus.
    recording
        Its file, relative to the result; empty if there is none.
    participant
        Id of its patient in the result; empty if it is not known.
    seconds
        Its length.
    n_seizures
        Its seizures, as the published number counts them.
    fault
        Why it was not converted, one line; empty if it was.
    notes
        Corrections of its annotations.
    """

    source: str
    recording: str = ""
    participant: str = ""
    seconds: float = 0.0
    n_seizures: float = 0.0
    fault: str = ""
    notes: tuple[str, ...] = ()


def conversion_table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Table of all recordings."""
    return pd.DataFrame(
        [
            {
                "recording": outcome.recording,
                "source": outcome.source,
                "participant_id": outcome.participant,
                "seconds": outcome.seconds,
                "n_seizures": outcome.n_seizures,
                "status": "not converted" if outcome.fault else "converted",
                "notes": outcome.fault or "; ".join(outcome.notes),
            }
            for outcome in outcomes
        ]
    )


def counts_table(outcomes: Sequence[Outcome], corpus: Corpus) -> pd.DataFrame:
    """Numbers of the result beside the published ones.

    Parameters
    ----------
    outcomes
        What became of the recordings.
    corpus
        The corpus.

    Returns
    -------
    pandas.DataFrame
        A row for each quantity; `published` is empty where the number is not known.
    """
    converted = [outcome for outcome in outcomes if not outcome.fault]
    published = corpus.published
    rows = (
        ("patients", len({outcome.participant for outcome in converted}), published.patients),
        ("recordings", len(converted), published.recordings),
        ("hours", round(sum(outcome.seconds for outcome in converted) / 3600, 2), published.hours),
        ("seizures", round(sum(outcome.n_seizures for outcome in converted), 1), published.seizures),
    )
    return pd.DataFrame(
        [
            {
                "quantity": quantity,
                "converted": f"{number:.12g}",
                "published": "" if known is None else f"{known:.12g}",
                "source": published.source,
            }
            for quantity, number, known in rows
        ]
    )


def report_lines(outcomes: Sequence[Outcome], counts: pd.DataFrame, corpus: Corpus) -> list[str]:
    """Lines for the user.

    Parameters
    ----------
    outcomes
        What became of the recordings.
    counts
        As from `counts_table`.
    corpus
        The corpus.

    Returns
    -------
    list of str
        A line for each correction and each recording that was not converted, and the table of the numbers.
    """
    lines = [f"note: {outcome.source}: {note}" for outcome in outcomes for note in outcome.notes]
    lines += [f"not converted: {outcome.source}: {outcome.fault}" for outcome in outcomes if outcome.fault]
    lines.append(f"{'':12}{'converted':>12}{'published':>12}")
    for quantity, converted, published in counts[["quantity", "converted", "published"]].to_numpy().tolist():
        lines.append(f"{quantity:12}{converted:>12}{published or 'n/a':>12}")
    lines.append(f"published numbers: {corpus.published.source}")
    return lines
