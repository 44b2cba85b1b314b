"""Score the test predictions of all folds and ranks of a combination."""

import re
from pathlib import Path

from eegwf.config.stages.evaluation import EvaluateSettings
from eegwf.errors import InputError
from eegwf.evaluation.evaluate import evaluate, write_evaluation
from eegwf.storage.files import read_table

TEXT = ("recording", "patient", "label")


def run(
    settings: EvaluateSettings, tests: list[Path], windows: Path, recordings: Path, events: Path, output: Path
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

    Raises
    ------
    InputError
        If predictions are inconsistent, or belong to other windows.
    """
    parts: dict[int, list[Path]] = {}
    for test in tests:
        rank = re.search(r"rank(\d+)", test.parent.name)
        if rank is None:
            raise InputError(f"{test}: expected .../rankR/test.tsv")
        parts.setdefault(int(rank[1]), []).append(test)
    listed = read_table(recordings, text=TEXT)
    listed = listed[listed["excluded"].isna()]
    # Given arrays have no annotations, so that no event can be scored.
    timed = bool(listed["path"].notna().any())
    parts = dict(sorted(parts.items()))
    result = evaluate(
        parts,
        read_table(windows, text=TEXT),
        settings.classes,
        settings.evaluation,
        settings.seed,
        recordings=listed if timed else None,
        events=read_table(events, text=TEXT) if timed else None,
    )
    write_evaluation(output, result)
