"""Look for persons who trained the models and are in an external data set, and stop the run if there are any."""

from pathlib import Path
from typing import Any

from eegwf.config.data_paths import DataPaths, InitPaths
from eegwf.config.stages.external import ExternalLeakageSettings
from eegwf.data.init_overlap import CHECK_OF_SAMPLES
from eegwf.data.overlap import WindowedSignals, in_fingerprints, shared_patients, window_fingerprints
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_json, read_table, write_json

TEXT = ("recording", "patient", "label")
# Number of shared patients that the message describes.
SHOWN = 3


def run(
    settings: ExternalLeakageSettings,
    name: str,
    configfile: str,
    study: Path,
    windows: Path,
    output: Path,
    init: Path | None = None,
) -> None:
    """Write the results of the checks across the two data sets.

    Parameters
    ----------
    settings
        Limit of similarity.
    name, configfile
        Name of the external data set, and its configuration file, for messages.
    study, windows
        Tables of the windows of the study and of the external data set, with their samples beside each.
    output
        File to write.
    init
        Folder of the initial weights of fine-tuning; None without them.

    Raises
    ------
    InputError
        If a patient of the external data set is in the study, by equal samples or similar recordings, or in the source
        of its initial weights, by equal samples.
    """
    external = _signals(windows)
    overlap = shared_patients(external, _signals(study), settings.max_similarity)
    if overlap.shared:
        found = "; ".join(
            f"{one.patient} is {one.other} of the study: {one.describe()}" for one in overlap.shared[:SHOWN]
        )
        more = len(overlap.shared) - SHOWN
        ids = ", ".join(sorted({one.patient for one in overlap.shared}))
        raise InputError(
            f"leak: external data set {name}: {found}{f'; and {more} more' if more > 0 else ''}. "
            f"{_advice(ids, configfile)}"
        )
    checks = overlap.checks if init is None else [*overlap.checks, _check_source(external, init, name, configfile)]
    write_json(output, {"passed": True, "checks": checks})


def _advice(ids: str, configfile: str) -> str:
    return f"The models were trained on them; leave them out with dataset.exclude: [{ids}] in {configfile}"


def _check_source(external: WindowedSignals, init: Path, name: str, configfile: str) -> dict[str, Any]:
    """Compare the windows with those of the source of the initial weights, of which fingerprints are known."""
    paths = InitPaths(init)
    record, known = read_json(paths.record), read_array(paths.fingerprints)
    check = {"check": CHECK_OF_SAMPLES, "leaks": 0}
    # `initialize` compares fingerprints only if both studies read recordings with the same settings.
    if not any(done["check"] == CHECK_OF_SAMPLES for done in record["checks"]):
        return check | {"examined": f"nothing: {record['source']} reads recordings with other settings"}
    table = external.windows
    equal = table[in_fingerprints(window_fingerprints(external.arrays, table["window"].to_numpy()), known)]
    if len(equal):
        first, ids = equal.iloc[0], ", ".join(sorted(set(equal["patient"])))
        n_windows = int((equal["patient"] == first["patient"]).sum())
        raise InputError(
            f"leak: external data set {name}: {n_windows} windows of patient {first['patient']}, the first in "
            f"{first['recording']} at {first['onset']:g} s, have the samples of windows of {record['source']} "
            f"(training.init). {_advice(ids, configfile)}"
        )
    return check | {"examined": f"{len(table)} windows by hash against {len(known)}"}


def _signals(windows: Path) -> WindowedSignals:
    table = read_table(windows, ("window", "recording", "patient"), text=TEXT)
    return WindowedSignals.read(table, DataPaths(windows.parent).windows_array)
