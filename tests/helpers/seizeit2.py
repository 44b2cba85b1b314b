"""A small data set of noise with the names of channels, events and folders of SeizeIT2."""

from pathlib import Path

import numpy as np

from tests.helpers.headers import SFREQ, write_edf

OTHERS = ("ECG SD", "EMG SD", *(f"EEG SD ACC {axis}" for axis in "XYZ"), *(f"EEG SD GYR {axis}" for axis in "ABC"))
PAIRS = (("BTEleft SD", "CROSStop SD"), ("BTEright SD", "CROSStop SD"), ("BTEleft SD", "BTEright SD"))
SEIZURES = ("sz_foc_a_nm_behavior", "sz_foc_ia_m_tonic", "sz_foc_f2b")
COLUMNS = (
    "onset duration eventType lateralization localization vigilance confidence channels dateTime recordingDuration"
)


def channels_of(number: int) -> list[str]:
    """Names of the channels of a patient: two of three behind the ears and across, and the other sensors."""
    return ["ECG SD", *PAIRS[number % 3], *OTHERS[1:]]


def write_seizeit2(root: Path, n_patients: int = 6, seconds: int = 40) -> Path:
    """Write the data set; the amplitude of a channel is 10 microvolts times its number in the file."""
    for number in range(n_patients):
        patient = f"sub-{number + 1:03d}"
        folder = root / patient / "ses-01" / "eeg"
        folder.mkdir(parents=True)
        base = folder / f"{patient}_ses-01_task-szMonitoring_run-01"
        names = channels_of(number)
        data = np.random.default_rng(number).normal(0, 10, (len(names), seconds * SFREQ)).clip(-20, 20)
        write_edf(Path(f"{base}_eeg.edf"), data * np.arange(1, len(names) + 1)[:, None], names)
        events = [("4.00", "12.00", SEIZURES[number % 3]), (f"{seconds - 8:.2f}", "4.00", "impd")]
        rows = [f"{onset}\t{length}\t{kind}\tleft\ttemp\tawake\tn/a\tn/a\t2000-01-01 00:00:00\t{seconds:.2f}"
                for onset, length, kind in events]  # fmt: skip
        text = "".join(f"{line}\r\n" for line in ["\t".join(COLUMNS.split()), *rows])
        Path(f"{base}_events.tsv").write_bytes(text.encode())
        other = root / patient / "ses-01" / "ecg" / f"{base.name}_ecg.edf"
        other.parent.mkdir()
        write_edf(other, data[:1], ["ECG SD"])
    return root
