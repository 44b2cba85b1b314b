"""An external test beside a study of `report_study`: real evaluation of fabricated predictions of another data set."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.study import StudyDesign
from eegwf.data.class_mapping import map_event_types
from eegwf.evaluation.detector import OperatingPoint
from eegwf.evaluation.evaluate import per_patient
from eegwf.evaluation.external import Internal, evaluate_external
from eegwf.storage.files import read_json, read_table, write_json, write_table

NAME, LENGTH, N_WINDOWS = "other", 5.0, 24
TEXT = ("recording", "patient", "label", "predicted", "member", "detector")
FINAL_POINT = OperatingPoint(0.6, 20.0, 10.0)


def write_external(results: Path, study: StudyDesign, classes: str = "2class", n_patients: int = 6) -> dict[str, Any]:
    """Write the files of an external test of `vit_mel_<classes>`.

    Parameters
    ----------
    results
        Results folder, in which `report_study.write_study` has written a study.
    study
        Its configuration.
    classes
        The class set.
    n_patients
        Number of external patients, of whom each has windows of every class and of a type without class.

    Returns
    -------
    dict
        Content of `metrics.json`.
    """
    rng = np.random.default_rng(11)
    paths, combination = ResultPaths(results), Combination("vit", "mel", classes)
    run, data = paths.run(combination), paths.external(NAME).data
    files, class_set = run.external(NAME), study.classes[classes]
    windows, recordings, events = _tables(
        n_patients, ["bckg", "sz"] if classes == "2class" else ["bckg", "sz_foc", "sz_gen"]
    )
    for path, table in ((data.windows, windows), (data.recordings, recordings), (data.events, events)):
        write_table(path, table)
    write_json(data.leakage, {"passed": True, "checks": [
        {"check": "same samples in the other data set", "leaks": 0, "examined": "144 windows by hash against 270"},
        {"check": "similar recordings in the other data set", "leaks": 0, "examined": "54 pairs of recordings",
         "largest_similarity": 0.21, "limit": 0.5},
    ]})  # fmt: skip
    metrics = read_json(run.metrics)
    folds = [entry["fold"] for entry in metrics["per_fold"]]
    members = {f"fold{fold}": fold for fold in folds} | {"final": 0}
    predictions = pd.concat([_predictions(windows, class_set, name, fold, rng) for name, fold in members.items()])
    write_table(files.predictions, predictions)
    write_table(files.mapping, map_event_types(windows, events, class_set, NAME))
    tables = [per_patient(rows, list(class_set)).assign(member=name) for name, rows in predictions.groupby("member")]
    write_table(files.per_patient, pd.concat(tables))
    own = read_table(run.predictions, text=TEXT)
    internal = Internal(metrics, own[own["member"] == metrics["primary"]], read_table(run.events, text=TEXT))
    result = evaluate_external(
        NAME, predictions, internal, (windows, recordings, events), class_set, study.evaluation, 1, FINAL_POINT
    )
    write_json(files.metrics, result)
    return result


def _tables(n_patients: int, types: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    number = np.repeat(np.arange(n_patients), N_WINDOWS)
    kind = np.tile(np.arange(N_WINDOWS) // 4 % (len(types) + 1), n_patients)
    labels = np.array([*types, "artifact"], dtype=object)[kind]
    labels[5::12] = ""
    # The ids are those of the study, which are other persons there.
    patients = [f"sub-{n + 1:02d}" for n in range(n_patients)]
    windows = pd.DataFrame(
        {
            "window": np.arange(len(number)),
            "recording": [f"{patients[n]} other" for n in number],
            "patient": [patients[n] for n in number],
            "onset": np.tile(np.arange(N_WINDOWS) * LENGTH, n_patients),
            "duration": LENGTH,
            "label": labels,
            "overlap": 1.0,
        }
    )
    recordings = pd.DataFrame(
        {"recording": [f"{name} other" for name in patients], "patient": patients, "path": "a.edf"}
    )
    recordings = recordings.assign(
        sfreq=256, duration=N_WINDOWS * LENGTH, n_chans=3, n_events=2, excluded="", n_seizures=2, sd_uv=40.0,
        notes="recorded at 512 Hz and resampled", line_noise=0.1, correlation=0.5,
    )  # fmt: skip
    seizures = windows[windows["label"].str.startswith("sz")]
    return windows, recordings, seizures[["recording", "onset", "duration", "label"]]


def _predictions(
    windows: pd.DataFrame, class_set: dict[str, list[str]], name: str, fold: int, rng: np.random.Generator
) -> pd.DataFrame:
    classes = list(class_set)
    class_of = {label: one for one, labels in class_set.items() for label in labels} | {"": ""}
    table = windows[windows["label"] != "artifact"]
    truth = table["label"].map(class_of)
    strength = 1.5 * (np.array(classes)[None] == truth.to_numpy(str)[:, None])
    logits = strength + rng.normal(size=(len(table), len(classes)))
    raw = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 9)
    flat = np.round(raw**0.5 / (raw**0.5).sum(axis=1, keepdims=True), 9)
    result = table[["window", "patient", "recording", "onset"]].assign(member=name, fold=fold, label=truth)
    result["predicted"] = np.array(classes, dtype=object)[raw.argmax(axis=1)]
    for number, one in enumerate(classes):
        result[f"p_{one}"], result[f"raw_{one}"] = flat[:, number], raw[:, number]
    return result
