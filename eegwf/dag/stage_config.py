"""What a stage's result depends on: its slice of the configuration, the number of folds, the files of the data set."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eegwf.config.data import Bids
from eegwf.config.study import Study
from eegwf.data.fold_count import count_folds
from eegwf.models.registry import MODELS
from eegwf.storage.files import digest

# Settings of tuning that decide which jobs there are, and not what a trial is.
ELSEWHERE = ("mode", "reserved", "allow_optimistic", "workers")
# Parts of the reserved patients: one validates, the others train.
LEAST_PARTS = 3
# Files that carry signals or events.
WATCHED = (".edf", ".bdf", ".vhdr", ".eeg", ".dat", ".vmrk", "_events.tsv")


def slice_of(study: Study, stage: str, wildcards) -> dict[str, Any]:
    """The part of the configuration that decides a stage's result, and nothing else."""
    everything = study.model_dump(mode="json")
    model = getattr(wildcards, "model", None)
    classes = getattr(wildcards, "classes", None)
    spectrogram = getattr(wildcards, "spectrogram", None)
    learning = {"seed", "threads", "device", "deterministic", "training", "retrain", "permute_labels"}
    keys = {
        "synthesise": {"dataset"},
        "windows": {"dataset", "signals", "windows", "patients"},
        "folds": {"folds", "seed"},
        "import_tables": {"dataset", "patients"},
        "import_spectrogram": {"dataset"},
        "spectrogram": set(),
        "search": {*learning, "tuning"},
        "tune": {"retrain", "tuning"},
        "retrain": learning,
        "explain": {"device", "threads", "deterministic", "seed", "explanation"},
        "evaluate": {"seed", "evaluation"},
        "report": set(everything) - {"cluster"},
    }[stage]
    part = {key: everything[key] for key in sorted(keys)}
    if stage == "spectrogram":
        part["grid"] = everything["spectrograms"].get(spectrogram)
        part["device"] = everything["spectrograms"]["device"]
    if stage == "folds":
        part["n_folds"] = count_folds(study)
        if study.tuning.mode == "reserved":
            part |= {"reserved": study.tuning.reserved, "inner": max(study.tuning.inner_folds, LEAST_PARTS)}
    if stage in ("search", "tune"):
        part["retrain"] = {"top": study.retrain.top}
        part["tuning"] = {key: value for key, value in part["tuning"].items() if key not in ELSEWHERE}
        part["space"] = everything["models"].get(model)
    if stage in ("search", "retrain"):
        part["model"] = model
        part["classes"] = everything["classes"].get(classes)
    if model in MODELS and not MODELS[model].by_steps and "device" in part:
        part["device"] = "cpu"  # nothing for a GPU to do
    if stage in ("explain", "evaluate"):
        part["classes"] = everything["classes"].get(classes)
    return part


def data_digest(study: Study) -> str:
    """Digest of names, sizes and times of a data set's files; empty for the synthetic one."""
    dataset = study.dataset
    if isinstance(dataset, Bids):
        return digest(sorted(_stamps(Path(dataset.root))))
    if dataset.kind == "fold_arrays":
        patterns = [pattern for files in dataset.arrays.values() for pattern in files.model_dump().values()]
        files = [
            Path(pattern.replace("{fold}", str(fold))) for pattern in patterns for fold in range(1, dataset.n_folds + 1)
        ]
        return digest([[str(file), *_stamp(file)] for file in files])
    return ""


def _stamps(folder: Path) -> Iterable[list[Any]]:
    """Path, size and time of every file that carries signals or events."""
    for base, _, names in os.walk(folder, followlinks=True):
        for name in names:
            if name.lower().endswith(WATCHED):
                path = Path(base, name)
                yield [path.relative_to(folder).as_posix(), *_stamp(path)]


def _stamp(path: Path) -> list[int]:
    """Size and time of a file; of a link whose file is not there, which its reader will name, neither."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return [-1, -1]
    return [status.st_size, status.st_mtime_ns]
