"""Writing the synthetic data set: a BIDS-EEG folder with EDF files, SzCORE events and the truth.

The form is that of BIDS 1.10 for EEG, with events as SzCORE asks for (onset, duration, eventType,
confidence, channels, dateTime, recordingDuration). Time that no event covers is background.
"""

import datetime
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
from edfio import Edf, EdfSignal, Recording
from edfio import Patient as EdfPatient

from eegwf.config.data import Synthetic
from eegwf.data.synthetic.recording import MICROVOLTS_PER_STEP, Case, draw_cases, draw_recording
from eegwf.data.synthetic.scalp import ELECTRODES, N_ELECTRODES
from eegwf.data.synthetic.signal import SFREQ
from eegwf.errors import InputError
from eegwf.progress import Progress
from eegwf.storage.files import replacing, write_json, write_table, write_text
from eegwf.storage.worker_pool import worker_pool

_START = datetime.datetime(2020, 1, 1, 8, 0, 0)
# Also the mark by which a folder is known as made here, and so may be replaced.
_BIDSIGNORE = "# synthetic data set of eegwf\ntruth.json\n"


def write_dataset(root: Path, config: Synthetic, workers: int = 1, progress: bool = False) -> None:
    """Write the data set of `config`, whole or not at all.

    The bytes depend on the configuration alone, not on the number of workers.

    Parameters
    ----------
    root
        Folder to write; one written here earlier is replaced. It will hold `dataset_description.json`,
        `participants.tsv` (participant_id, group), `sub-XX/eeg/sub-XX_task-sz_eeg.edf` with its
        sidecars, and `truth.json`: per seizure recording, patient, event_type, onset, duration,
        onset_electrodes, reached_electrodes, and track, the points (seconds of the recording, Hz) of
        its frequency. The truth names electrodes as F7, the channels as `EEG F7-REF`.
    config
        Numbers of patients, minutes, seizures, seed.
    workers
        Processes; each holds one recording at a time.
    progress
        Show a progress bar on standard error.

    Raises
    ------
    InputError
        If the seizures do not fit into the recordings, a patient with both kinds has fewer than two,
        there is no patient, or `root` holds something else.
    """
    root = Path(root)
    cases = draw_cases(config)
    _check_replaceable(root)
    with _unfinished_beside(root) as folder:
        seizures = _write_all(folder, cases, workers, progress)
        write_table(
            folder / "participants.tsv",
            pd.DataFrame({"participant_id": [c.patient for c in cases], "group": [c.group for c in cases]}),
        )
        write_json(folder / "truth.json", {"seed": config.seed, "sfreq": SFREQ, "seizures": seizures})
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
        _put_in_place(folder, root)


def _write_all(folder: Path, cases: list[Case], workers: int, progress: bool) -> list[dict]:
    lines = Progress("synthetic recordings", len(cases), every=5.0 if progress else float("inf"))
    done = []
    with ExitStack() as stack:
        run = map
        if workers > 1 and len(cases) > 1:
            run = stack.enter_context(worker_pool(min(workers, len(cases)))).map
        for case, seizures in zip(cases, run(_write_patient, [folder] * len(cases), cases), strict=True):
            done += seizures
            lines.step(case.patient)
    return done


def _write_patient(folder: Path, case: Case) -> list[dict]:
    digital, seizures = draw_recording(case)
    name = f"{case.patient}_task-sz"
    base = folder / case.patient / "eeg" / name
    names = [f"EEG {electrode}-REF" for electrode in ELECTRODES]
    _write_edf(base.with_name(f"{name}_eeg.edf"), digital, names, case.patient)
    write_json(
        base.with_name(f"{name}_eeg.json"),
        {
            "TaskName": "sz",
            "SamplingFrequency": SFREQ,
            "EEGReference": "referential",
            "PowerLineFrequency": 50,
            "RecordingDuration": case.n_seconds,
            "EEGChannelCount": N_ELECTRODES,
            "SoftwareFilters": "n/a",
        },
    )
    channels = pd.DataFrame({"name": names, "type": "EEG", "units": "uV", "sampling_frequency": SFREQ})
    write_table(base.with_name(f"{name}_channels.tsv"), channels)
    events = pd.DataFrame(
        {
            "onset": [seizure.onset for seizure in seizures],
            "duration": [seizure.duration for seizure in seizures],
            "eventType": [seizure.habit.event_type for seizure in seizures],
            "confidence": "n/a",
            "channels": "n/a",
            "dateTime": _START.strftime("%Y-%m-%d %H:%M:%S"),
            "recordingDuration": case.n_seconds,
        }
    )
    write_table(base.with_name(f"{name}_events.tsv"), events)
    return [{"recording": name, "patient": case.patient, **seizure.truth()} for seizure in seizures]


def _write_edf(path: Path, digital: np.ndarray, names: list[str], patient: str) -> None:
    low, high = -32768 * MICROVOLTS_PER_STEP, 32767 * MICROVOLTS_PER_STEP
    signals = [
        EdfSignal.from_digital(
            samples,
            SFREQ,
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
        edf.write(file)


def _check_replaceable(root: Path) -> None:
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return
    mark = root / ".bidsignore"
    if not (mark.is_file() and mark.read_text(encoding="utf-8", errors="replace") == _BIDSIGNORE):
        raise InputError(
            f"{root}: holds something else than a synthetic data set; expected no such folder, "
            "move it away or choose another one"
        )


@contextmanager
def _unfinished_beside(root: Path) -> Iterator[Path]:
    """A new folder beside `root`, gone at the end; those that a killed run left are removed too.

    A lock on the folder, which ends with its process, tells a dead run's from a living one's.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    for old in root.parent.glob(f".{root.name}.unfinished-*"):
        with suppress(OSError), _locked(old):
            shutil.rmtree(old)
    folder = Path(tempfile.mkdtemp(prefix=f".{root.name}.unfinished-", dir=root.parent))
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; OSError if another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _put_in_place(folder: Path, root: Path) -> None:
    """Give the finished folder its name; an earlier data set leaves first."""
    umask = os.umask(0)
    os.umask(umask)
    folder.chmod(0o777 & ~umask)
    if root.exists():
        # Named like an unfinished one, so that the next run removes it should this one die here.
        aside = Path(tempfile.mkdtemp(prefix=f".{root.name}.unfinished-", dir=root.parent))
        root.rename(aside)
        folder.rename(root)
        shutil.rmtree(aside)
    else:
        folder.rename(root)
