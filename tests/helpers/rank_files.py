"""Files beside the `test.tsv` of a rank, for tests that make up its predictions."""

from pathlib import Path

import pandas as pd

from eegwf.config.fold_paths import RankPaths
from eegwf.storage.files import read_table, write_json, write_table
from eegwf.training.calibration import fit_calibration


def write_calibration(folder: Path, classes: list[str], prior_shift=None, temperature: float = 1.0) -> None:
    """Write a calibration; by default one that changes nothing."""
    shift = [0.0] * len(classes) if prior_shift is None else list(prior_shift)
    content = {"classes": classes, "prior_shift": shift, "temperature": temperature, "note": ""}
    write_json(RankPaths(folder).calibration, content)


def write_validation(parts: dict[int, list[Path]], classes: list[str]) -> None:
    """Write `validation.tsv` and a fitted `calibration.json` beside every `test.tsv`.

    The validation windows of a fold are the test windows of the next one, with the probabilities that the rank has
    there, and those of the remaining folds stand for its training windows.
    """
    for tests in parts.values():
        tables = [read_table(path, text=("patient", "recording", "label", "predicted")) for path in tests]
        for number, path in enumerate(tests):
            files, validation = RankPaths(path.parent), tables[(number + 1) % len(tests)]
            index = pd.Index(classes)
            training = pd.concat(tables)["label"]
            write_table(files.validation, validation)
            write_json(
                files.calibration,
                fit_calibration(
                    index.get_indexer(pd.Index(validation["label"])),
                    validation[[f"p_{name}" for name in classes]].to_numpy(dtype=float),
                    validation["patient"].to_numpy(dtype=object),
                    index.get_indexer(pd.Index(training[training != ""])),
                    "sampling",
                    classes,
                ),
            )
