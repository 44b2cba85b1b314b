"""Copy the initial weights of fine-tuning, and stop the run if a patient of this study trained them."""

import hashlib
from pathlib import Path

from eegwf.config.data_paths import InitPaths
from eegwf.config.final_paths import FinalPaths
from eegwf.config.stages.data import InitializeSettings
from eegwf.data.init_overlap import check_inputs, check_patients
from eegwf.data.init_source import InitSource, ids_of_patients
from eegwf.data.overlap import WindowedSignals
from eegwf.errors import InputError
from eegwf.storage.files import read_table, replacing, write_array, write_json

# Keys of `model.json` that trainings read.
NEEDED = ("model", "shape", "parameters", "normalization", "arrays")


def run(settings: InitializeSettings, windows: Path, arrays: Path, recordings: Path, output: Path) -> None:
    """Check the source of the initial weights, and copy the weights of its first final model.

    Parameters
    ----------
    settings
        The source, and how patients are compared.
    windows, arrays, recordings
        Table of the windows, their samples, and table of the recordings.
    output
        Folder to write: `model.safetensors`, `model.json`, `source.json` and `fingerprints.npy`.

    Raises
    ------
    InputError
        If the source does not fit this study, or was trained on one of its patients.
    """
    assert settings.init is not None
    source = InitSource(settings.init)
    table = read_table(windows, ("window", "recording", "patient", "onset", "duration"), text=("recording", "patient"))
    ours = WindowedSignals.read(table, arrays)
    check_inputs(ours.ch_names, ours.sfreq, source)
    first = FinalPaths(Path()).model(1)
    model = source.read_json(first.model.as_posix())
    if missing := [key for key in NEEDED if not isinstance(model, dict) or key not in model]:
        raise InputError(
            f"training.init: {source.path}: final/{first.model}: no {missing[0]}; another version of eegwf wrote it: "
            "finalize the run again"
        )
    if model.get("init"):
        raise InputError(
            f"training.init: {source.name} was itself fine-tuned from {model['init']['source']}, whose patients it "
            "does not name; take that one, or a source that was trained from random weights"
        )
    checks = check_patients(
        ours,
        ids_of_patients(table["patient"], recordings),
        source,
        settings.init_same_ids,
        settings.samples,
        settings.max_similarity,
    )
    weights = source.read(first.weights.as_posix())
    paths = InitPaths(output)
    with replacing(paths.weights) as file:
        file.write(weights)
    write_json(paths.model, model)
    write_array(paths.fingerprints, source.fingerprints)
    names = ("run", "model", "spectrogram", "classes")
    record = {
        "source": source.path.name,
        "is_bundle": source.is_bundle,
        **{name: source.description[name] for name in names},
        "n_patients": source.description["trained_on"]["n_patients"],
        "sha256": hashlib.sha256(weights).hexdigest(),
        "checks": checks,
    }
    write_json(paths.record, record)
