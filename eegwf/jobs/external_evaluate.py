"""Score the predictions of an external data set, and compare the scores with those of the cross-validation."""

from pathlib import Path

import pandas as pd

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.stages.external import ExternalEvaluateSettings
from eegwf.evaluation.evaluate import per_patient
from eegwf.evaluation.external import Internal, evaluate_external
from eegwf.prediction.description import read_description
from eegwf.storage.files import read_json, read_table, write_json, write_table

TEXT = ("member", "recording", "patient", "label", "predicted", "path", "excluded", "detector")


def run(settings: ExternalEvaluateSettings, results: Path, name: str, combination: str) -> None:
    """Write the scores of all members, and those of each patient.

    Parameters
    ----------
    settings
        Classes, evaluation and seed.
    results
        Results folder of the study.
    name
        Name of the data set.
    combination
        Name of the combination.

    Raises
    ------
    InputError
        If a file is broken.
    """
    study = ResultPaths(results)
    run_paths, data = study.run(Combination.parse(combination)), study.external(name).data
    files = run_paths.external(name)
    metrics = read_json(run_paths.metrics)
    own = read_table(run_paths.predictions, text=TEXT)
    recordings = read_table(data.recordings, text=TEXT)
    recordings = recordings[recordings["excluded"] == ""]
    point = read_description(run_paths.final.description).operating_point
    predictions = read_table(files.predictions, text=TEXT)
    result = evaluate_external(
        name,
        predictions,
        Internal(metrics, own[own["member"] == metrics["primary"]], read_table(run_paths.events, text=TEXT)),
        (read_table(data.windows, text=TEXT), recordings, read_table(data.events, text=TEXT)),
        settings.classes,
        settings.evaluation,
        settings.seed,
        point.point if point else None,
    )
    members = predictions.groupby("member", sort=False)
    tables = [per_patient(rows, list(settings.classes)).assign(member=member) for member, rows in members]
    scores = pd.concat(tables, ignore_index=True).drop(columns="fold")
    write_table(files.per_patient, scores[["member", *(column for column in scores if column != "member")]])
    write_json(files.metrics, result)
