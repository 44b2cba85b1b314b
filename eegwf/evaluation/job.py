"""The evaluation job of a combination: from files to files."""

import re
from pathlib import Path
from typing import Any

from eegwf.config.study import Evaluation
from eegwf.errors import InputError
from eegwf.evaluation.evaluate import evaluate, write_evaluation
from eegwf.files import read_table


def evaluate_combination(config: dict[str, Any], tests: list[str], data: str, output: str) -> None:
    """Write `predictions.tsv`, `metrics.json`, `per_patient.tsv` and `events.tsv`.

    Parameters
    ----------
    config
        `evaluation`, `classes` and `seed`.
    tests
        `.../foldK/retrain/rankR/test.tsv` of every fold and rank.
    data
        Folder with `windows.tsv`, `recordings.tsv` and `events.tsv`.
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
    tables = {name: read_table(Path(data) / f"{name}.tsv", text=text) for name in ("windows", "recordings", "events")}
    recordings = tables["recordings"]
    if "excluded" in recordings:
        recordings = recordings[recordings["excluded"].isna()]
    settings = Evaluation.model_validate(config["evaluation"])
    result = evaluate(
        dict(sorted(parts.items())),
        tables["windows"],
        config["classes"],
        settings,
        config["seed"],
        recordings,
        tables["events"],
    )
    write_evaluation(output, result)
