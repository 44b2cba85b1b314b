"""Write the synthetic data set: a BIDS-EEG folder with EDF files, SzCORE events and the ground truth.

The folder conforms to BIDS 1.10 for EEG, and the tables of events to SzCORE (columns onset, duration, eventType,
confidence, channels, dateTime, recordingDuration). Time without an event is background.
"""

import datetime
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedWriter
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from edfio import Edf, EdfSignal, Recording
from edfio import Patient as EdfPatient

from eegwf.config.data import Synthetic
from eegwf.config.synthetic import MICROVOLTS_PER_STEP, Amplifier
from eegwf.data.synthetic.amplifier import channel_names, record
from eegwf.data.synthetic.recording import Case, draw_cases, draw_recording
from eegwf.data.synthetic.scalp import N_ELECTRODES
from eegwf.errors import InputError
from eegwf.progress import Progress
from eegwf.storage.files import replacing, write_json, write_table, write_text
from eegwf.storage.worker_pool import worker_pool

_START = datetime.datetime(2020, 1, 1, 8, 0, 0)
# The exact content also identifies a folder that this module wrote, and that it may therefore replace.
_BIDSIGNORE = "# synthetic data set of eegwf\ntruth.json\n"


def write_dataset(root: Path, config: Synthetic, workers: int = 1, progress: bool = False) -> None:
    """Write a synthetic data set.

    The folder is written under a temporary name and renamed when it is complete. The bytes depend on the configuration
    alone, not on the number of workers.

    Parameters
    ----------
    root
        Folder to write; a synthetic data set in it is replaced. It contains `dataset_description.json`,
        `participants.tsv` (participant_id, group), `sub-XX/eeg/sub-XX_task-sz_eeg.edf` with sidecar files, and
        `truth.json`: for each seizure recording, patient, event_type, onset, duration, onset_electrodes,
        reached_electrodes, delays (seconds from the onset until the seizure reaches each of them), and track, the
        points (seconds of the recording, Hz) of its frequency. `truth.json` names electrodes such as F7; the
        corresponding channel is `EEG F7-REF`.
    config
        Numbers of patients and seizures, length of the recordings, and seed.
    workers
        Number of processes; each has one recording in memory at a time.
    progress
        Log the progress.

    Raises
    ------
    InputError
        If there is no patient, the seizures do not fit into the recordings, patients with both kinds of seizure have
        fewer than two seizures, or `root` contains anything but a synthetic data set.
    """
    root = Path(root)
    cases = draw_cases(config)
    _check_replaceable(root)
    with _temporary_folder(root) as folder:
        seizures = _write_all(folder, cases, config.amplifier, workers, progress)
        write_table(
            folder / "participants.tsv",
            pd.DataFrame({"participant_id": [case.patient for case in cases], "group": [case.group for case in cases]}),
        )
        write_json(folder / "truth.json", {"seed": config.seed, "sfreq": config.amplifier.sfreq, "seizures": seizures})
        write_json(
            folder / "dataset_description.json",
            {
                "Name": "Synthetic EEG with focal and generalized seizures",
                "BIDSVersion": "1.10.0",
                "DatasetType": "raw",
                "License": "CC0",
                "Authors": ["eegwf"],
                "GeneratedBy": [{"Name": "eegwf", "Description": f"synthetic, seed {config.seed}"}],
            },
        )
        write_text(folder / ".bidsignore", _BIDSIGNORE)
        _replace(root, folder)


def _write_all(
    folder: Path, cases: list[Case], amplifier: Amplifier, workers: int, progress: bool
) -> list[dict[str, Any]]:
    """Write all recordings; returns the ground truth of all seizures."""
    log = Progress("synthetic recordings", len(cases), interval=5.0 if progress else float("inf"))
    truth: list[dict[str, Any]] = []
    with ExitStack() as stack:
        written: Iterator[list[dict[str, Any]]]
        each = [folder] * len(cases), cases, [amplifier] * len(cases)
        if workers > 1 and len(cases) > 1:
            pool = stack.enter_context(worker_pool(min(workers, len(cases))))
            written = pool.map(_write_patient, *each)
        else:
            written = map(_write_patient, *each)
        for case, seizures in zip(cases, written, strict=True):
            truth += seizures
            log.step(case.patient)
    return truth


def _write_patient(folder: Path, case: Case, amplifier: Amplifier) -> list[dict[str, Any]]:
    """Write the recording of a patient with its sidecar files; returns the ground truth of its seizures."""
    digital, seizures = draw_recording(case)
    digital, sfreq = record(digital, amplifier, case.seed), amplifier.sfreq
    name = f"{case.patient}_task-sz"
    base = folder / case.patient / "eeg" / name
    names = channel_names(amplifier)
    _write_edf(base.with_name(f"{name}_eeg.edf"), digital, sfreq, names, case.patient)
    write_json(
        base.with_name(f"{name}_eeg.json"),
        {
            "TaskName": "sz",
            "SamplingFrequency": sfreq,
            "EEGReference": "referential" if amplifier.reference == "common" else "average",
            "PowerLineFrequency": 50,
            "RecordingDuration": case.n_seconds,
            "EEGChannelCount": N_ELECTRODES,
            "SoftwareFilters": "n/a",
        },
    )
    channels = pd.DataFrame({"name": names, "type": "EEG", "units": "uV", "sampling_frequency": sfreq})
    write_table(base.with_name(f"{name}_channels.tsv"), channels)
    events = pd.DataFrame(
        {
            "onset": [seizure.onset for seizure in seizures],
            "duration": [seizure.duration for seizure in seizures],
            "eventType": [seizure.profile.event_type for seizure in seizures],
            "confidence": "n/a",
            "channels": "n/a",
            "dateTime": _START.strftime("%Y-%m-%d %H:%M:%S"),
            "recordingDuration": case.n_seconds,
        }
    )
    write_table(base.with_name(f"{name}_events.tsv"), events)
    return [{"recording": name, "patient": case.patient, **seizure.truth()} for seizure in seizures]


def _write_edf(path: Path, digital: np.ndarray, sfreq: int, names: list[str], patient: str) -> None:
    low, high = -32768 * MICROVOLTS_PER_STEP, 32767 * MICROVOLTS_PER_STEP
    signals = [
        EdfSignal.from_digital(
            samples,
            sfreq,
            label=name,
            physical_dimension="uV",
            physical_range=(round(low, 1), round(high, 1)),
            digital_range=(-32768, 32767),
        )
        for name, samples in zip(names, digital, strict=True)
    ]
    edf = Edf(
        signals,
        patient=EdfPatient(code=patient),
        recording=Recording(startdate=_START.date(), equipment_code="synthetic"),
        starttime=_START.time(),
        data_record_duration=1.0,
    )
    with replacing(path) as file:
        edf.write(cast(BufferedWriter, file))


def _check_replaceable(root: Path) -> None:
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return
    ignore_file = root / ".bidsignore"
    if not (ignore_file.is_file() and ignore_file.read_text(encoding="utf-8", errors="replace") == _BIDSIGNORE):
        raise InputError(
            f"{root}: contains something other than a synthetic data set; expected an empty or missing folder; "
            "move it or choose another folder"
        )


@contextmanager
def _temporary_folder(root: Path) -> Iterator[Path]:
    """Create a folder next to `root` that is removed at the end; remove those of processes that were killed.

    Each process locks its folder. The lock ends with the process, so a folder that can be locked is not in use.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    for stale in root.parent.glob(f".{root.name}.unfinished-*"):
        with suppress(OSError), _locked(stale):
            shutil.rmtree(stale)
    folder = Path(tempfile.mkdtemp(prefix=f".{root.name}.unfinished-", dir=root.parent))
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder; raises OSError if another process has locked it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _replace(root: Path, folder: Path) -> None:
    """Rename the complete folder to `root`, and remove the data set that was there."""
    umask = os.umask(0)
    os.umask(umask)
    folder.chmod(0o777 & ~umask)
    if root.exists():
        # The name is that of a temporary folder, so that the next run removes it if this process is killed here.
        previous = Path(tempfile.mkdtemp(prefix=f".{root.name}.unfinished-", dir=root.parent))
        root.rename(previous)
        folder.rename(root)
        shutil.rmtree(previous)
    else:
        folder.rename(root)
