"""Score the test predictions of all folds and ranks of a combination."""

import logging
import re
from pathlib import Path

from eegwf.config.fold_paths import RetrainPaths
from eegwf.config.stages.evaluation import EvaluateSettings
from eegwf.data.participants import Grouping, read_groupings
from eegwf.errors import InputError
from eegwf.evaluation.evaluate import evaluate, write_evaluation
from eegwf.storage.files import read_table

TEXT = ("recording", "patient", "label")
logger = logging.getLogger(__name__)


def run(
    settings: EvaluateSettings,
    tests: list[Path],
    windows: Path,
    recordings: Path,
    events: Path,
    output: Path,
    participants: Path | None = None,
) -> None:
    """Write pooled predictions, scores with confidence intervals, scores of each patient and event scores.

    Parameters
    ----------
    settings
        Classes, evaluation, subgroups and seed.
    tests
        Test predictions of every fold and rank, `.../foldK/retrain/rankR/test.tsv`. `validation.tsv` is beside each,
        and the predictions of further seeds are in `.../foldK/retrain/rank1_seedS/test.tsv`.
    windows, recordings, events
        Tables of the study.
    output
        Folder of the combination.
    participants
        `participants.tsv` of the data set, from which the subgroups are read; None without subgroups.

    Raises
    ------
    InputError
        If predictions are inconsistent or belong to other windows, or `participants.tsv` lacks a subgroup's column.
    """
    groupings: dict[str, Grouping] = {}
    if settings.subgroups and participants is not None:
        groupings = read_groupings(participants, settings.subgroups, settings.patients)
    for note in (note for grouping in groupings.values() for note in grouping.notes):
        logger.info("%s", note)
    listed = read_table(recordings, text=TEXT)
    listed = listed[listed["excluded"].isna()]
    # Given arrays have no annotations, so that no event can be scored.
    timed = bool(listed["path"].notna().any())
    parts = _by_rank(tests)
    result = evaluate(
        parts,
        read_table(windows, text=TEXT),
        settings.classes,
        settings.evaluation,
        settings.seed,
        recordings=listed if timed else None,
        events=read_table(events, text=TEXT) if timed else None,
        groupings=groupings,
        seeds=_of_further_seeds(parts[min(parts)], settings.evaluation.seeds),
    )
    write_evaluation(output, result)


def _by_rank(tests: list[Path]) -> dict[int, list[Path]]:
    parts: dict[int, list[Path]] = {}
    for test in tests:
        number = re.fullmatch(r"rank(\d+)", test.parent.name)
        if number is None:
            raise InputError(f"{test}: expected .../rankR/test.tsv")
        parts.setdefault(int(number[1]), []).append(test)
    return dict(sorted(parts.items()))


def _of_further_seeds(tests: list[Path], n_seeds: int) -> dict[int, list[Path]]:
    """Files of rank 1, trained with further seeds, of each fold."""
    return {seed: [RetrainPaths(test.parents[1]).seed(seed) for test in tests] for seed in range(2, n_seeds + 1)}
