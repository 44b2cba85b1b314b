"""The evaluation job of a combination: from files to files."""

import re
from pathlib import Path
from typing import Any

from eegwf.config.study import Evaluation
from eegwf.errors import InputError
from eegwf.evaluation.evaluate import evaluate, write_evaluation
from eegwf.storage.files import read_table


def evaluate_combination(
    config: dict[str, Any], tests: list[str], windows: str, recordings: str, events: str, output: str
) -> None:
    """Write `predictions.tsv`, `metrics.json`, `per_patient.tsv` and `events.tsv`.

    Parameters
    ----------
    config
        `evaluation`, `classes` and `seed`.
    tests
        `.../foldK/retrain/rankR/test.tsv` of every fold and rank.
    windows, recordings, events
        The study's tables.
    output
        Folder of the combination.
    """
    parts: dict[int, list[Path]] = {}
    for test in tests:
        rank = re.search(r"rank(\d+)", Path(test).parent.name)
        if rank is None:
            raise InputError(f"{test}: expected .../rankR/test.tsv")
        parts.setdefault(int(rank[1]), []).append(Path(test))
    text = ("recording", "patient", "label")
    listed = read_table(recordings, text=text)
    listed = listed[listed["excluded"].isna()]
    # Given arrays come without annotations: no event can be scored.
    timed = (listed, read_table(events, text=text)) if listed["path"].notna().any() else (None, None)
    result = evaluate(
        dict(sorted(parts.items())),
        read_table(windows, text=text),
        config["classes"],
        Evaluation.model_validate(config["evaluation"]),
        config["seed"],
        *timed,
    )
    write_evaluation(output, result)
