"""Score the test predictions of all folds and ranks of a combination."""

import re
from pathlib import Path

from eegwf.config.stages.evaluation import EvaluateSettings
from eegwf.errors import InputError
from eegwf.evaluation.evaluate import evaluate, write_evaluation
from eegwf.storage.files import read_table

TEXT = ("recording", "patient", "label")


def run(
    settings: EvaluateSettings,
    tests: list[Path],
    windows: Path,
    recordings: Path,
    events: Path,
    output: Path,
    seeds: list[Path],
) -> None:
    """Write pooled predictions, scores with confidence intervals, scores of each patient and event scores.

    Parameters
    ----------
    settings
        Classes, evaluation and seed.
    tests
        Test predictions of every fold and rank, `.../foldK/retrain/rankR/test.tsv`; `validation.tsv` is beside each.
    windows, recordings, events
        Tables of the study.
    output
        Folder of the combination.
    seeds
        Test predictions of every fold by rank 1, trained with further random seeds,
        `.../foldK/retrain/rank1_seedS/test.tsv`.

    Raises
    ------
    InputError
        If predictions are inconsistent, or belong to other windows.
    """
    listed = read_table(recordings, text=TEXT)
    listed = listed[listed["excluded"].isna()]
    # Given arrays have no annotations, so that no event can be scored.
    timed = bool(listed["path"].notna().any())
    result = evaluate(
        _by_number(tests, "rank"),
        read_table(windows, text=TEXT),
        settings.classes,
        settings.evaluation,
        settings.seed,
        recordings=listed if timed else None,
        events=read_table(events, text=TEXT) if timed else None,
        seeds=_by_number(seeds, "rank1_seed"),
    )
    write_evaluation(output, result)


def _by_number(tests: list[Path], prefix: str) -> dict[int, list[Path]]:
    """Files of each rank or seed, by the number in the names of their folders."""
    parts: dict[int, list[Path]] = {}
    for test in tests:
        number = re.fullmatch(prefix + r"(\d+)", test.parent.name)
        if number is None:
            raise InputError(f"{test}: expected .../{prefix}N/test.tsv")
        parts.setdefault(int(number[1]), []).append(test)
    return dict(sorted(parts.items()))
