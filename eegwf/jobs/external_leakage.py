"""Look for persons who are both in the study and in an external data set, and stop the run if there are any."""

from pathlib import Path

from eegwf.config.data_paths import DataPaths
from eegwf.config.stages.external import ExternalLeakageSettings
from eegwf.data.overlap import WindowedSignals, shared_patients
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_json, read_table, write_json

TEXT = ("recording", "patient", "label")
# Number of shared patients that the message describes.
SHOWN = 3


def run(
    settings: ExternalLeakageSettings, name: str, configfile: str, study: Path, windows: Path, output: Path
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

    Raises
    ------
    InputError
        If a patient of the external data set is in the study, by equal samples or similar recordings.
    """
    overlap = shared_patients(_signals(windows), _signals(study), settings.max_similarity)
    if overlap.shared:
        found = "; ".join(
            f"{one.patient} is {one.other} of the study: {one.describe()}" for one in overlap.shared[:SHOWN]
        )
        more = len(overlap.shared) - SHOWN
        ids = ", ".join(sorted({one.patient for one in overlap.shared}))
        raise InputError(
            f"leak: external data set {name}: {found}{f'; and {more} more' if more > 0 else ''}. The models were "
            f"trained on them; leave them out with dataset.exclude: [{ids}] in {configfile}"
        )
    write_json(output, {"passed": True, "checks": overlap.checks})


def _signals(windows: Path) -> WindowedSignals:
    files = DataPaths(windows.parent)
    axes = read_json(files.windows_axes)
    return WindowedSignals(
        read_table(windows, ("window", "recording", "patient"), text=TEXT),
        read_array(files.windows_array),
        axes["ch_names"],
        axes["sfreq"],
    )
