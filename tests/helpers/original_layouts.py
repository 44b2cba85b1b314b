"""Small data sets of noise in the folders in which corpora are published, with their annotations."""

from pathlib import Path

import numpy as np
from scipy.io import savemat

from tests.helpers.headers import SFREQ, write_edf

BANANA = (
    "FP1-F7 F7-T7 T7-P7 P7-O1 FP1-F3 F3-C3 C3-P3 P3-O1 FP2-F4 F4-C4 C4-P4 P4-O2 FP2-F8 F8-T8 T8-P8 P8-O2 FZ-CZ CZ-PZ"
)
ELECTRODES = "Fp1 Fp2 F3 F4 C3 C4 P3 P4 O1 O2 F7 F8 T3 T4 T5 T6 Fz Cz Pz"
SECONDS = 40
# Onset and end of the seizure in the first recording of each patient; the second recording has none, except in Siena.
ONSET, END = 10, 22


def write_noise(path: Path, labels: list[str], seed: int) -> Path:
    """Write a recording of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.random.default_rng(seed).normal(0, 30, (len(labels), SECONDS * SFREQ)).clip(-180, 180)
    return write_edf(path, data, labels)


def write_chbmit(root: Path, patients=("chb01", "chb02", "chb03", "chb21")) -> Path:
    """Write the folders of CHB-MIT."""
    for seed, patient in enumerate(patients):
        summary = ["Data Sampling Rate: 256 Hz", "*************************", *BANANA.split()]
        for number, n_seizures in (("03", 1), ("04", 0)):
            name = f"{patient}_{number}.edf"
            write_noise(root / patient / name, BANANA.split(), 10 * seed + int(number))
            summary += ["", f"File Name: {name}", "File Start Time: 13:43:04", "File End Time: 14:43:04"]
            summary += [f"Number of Seizures in File: {n_seizures}"]
            times = [f"Seizure Start Time: {ONSET} seconds", f"Seizure End Time: {END} seconds"]
            summary += times * n_seizures
        (root / patient / f"{patient}-summary.txt").write_text("\n".join(summary))
        (root / patient / f"{patient}_03.edf.seizures").write_bytes(b"\0\1")
    (root / "RECORDS").write_text("")
    return root


def write_tusz(root: Path, patients=("aaaaaaac", "aaaaaaaj", "aaaaaabn", "aaaaaacq")) -> Path:
    """Write the folders of the TUH EEG Seizure Corpus: patients of the training, development and evaluation sets."""
    labels = [f"EEG {name.upper()}-REF" for name in ELECTRODES.split()]
    for seed, patient in enumerate(patients):
        folder = root / "edf" / ("train", "dev", "eval")[seed % 3] / patient / f"s00{seed}_2002" / "02_tcp_le"
        for number in range(2):
            path = write_noise(folder / f"{patient}_s00{seed}_t00{number}.edf", labels, 10 * seed + number)
            head = f"# version = csv_v1.0.0\n# bname = {path.stem}\n# duration = {SECONDS}.00 secs\n#\n"
            head += "channel,start_time,stop_time,label,confidence\n"
            rows = [(0, ONSET, "bckg"), (ONSET, END, "seiz"), (END, SECONDS, "bckg")] if number == 0 else []
            rows = rows or [(0, SECONDS, "bckg")]
            for suffix, channel, name in ((".csv_bi", "TERM", "seiz"), (".csv", "FP1-F7", "fnsz")):
                lines = (f"{channel},{a:.4f},{b:.4f},{name if kind == 'seiz' else kind},1.0" for a, b, kind in rows)
                path.with_suffix(suffix).write_text(head + "\n".join(lines) + "\n")
    (root / "DOCS").mkdir()
    (root / "DOCS/01_tcp_ar_montage.txt").touch()
    return root


def write_siena(root: Path, patients=("PN00", "PN01", "PN03", "PN05")) -> Path:
    """Write the folders of Siena."""
    labels = [*(f"EEG {name}" for name in ELECTRODES.split()), "EKG EKG", "SPO2"]
    for seed, patient in enumerate(patients):
        text = [patient, ""]
        for number in (1, 2):
            write_noise(root / patient / f"{patient}-{number}.edf", labels, 10 * seed + number)
            text += [f"Seizure n {number}", f"File name: {patient}-{number}.edf"]
            text += ["Registration start time: 23.59.50", f"Registration end time: 00.00.{SECONDS - 10}"]
            text += [f"Seizure start time: 00.00.{ONSET - 10:02d}", f"Seizure end time: 00.00.{END - 10}", ""]
        (root / patient / f"Seizures-list-{patient}.txt").write_text("\n".join(text))
    (root / "subject_info.csv").touch()
    return root


def helsinki_scores(number: int) -> list[list[int]]:
    """Values of the three experts for each second of a Helsinki recording: all numbers of votes occur."""
    scores = np.zeros((3, SECONDS - number), int)
    for expert in range(3):
        scores[expert, 5 + 2 * expert : 15 + 3 * expert] = 1
    scores[1, 30 - number] = 1
    return scores.tolist()


def write_helsinki(root: Path, form: str = "annotations_2017.mat", numbers=(1, 2, 11)) -> Path:
    """Write the folder of the Helsinki recordings with their annotations as one file of MATLAB, or three tables."""
    root.mkdir(parents=True, exist_ok=True)
    labels = [*(f"EEG {name}-Ref" for name in ELECTRODES.split()), "ECG EKG", "Resp Effort"]
    for number in numbers:
        write_noise(root / f"eeg{number}.edf", labels, number)
    columns = {number: helsinki_scores(number) for number in numbers}
    if form.endswith(".mat"):
        cells = np.empty((1, max(numbers)), object)
        for index in range(max(numbers)):
            cells[0, index] = np.array(columns.get(index + 1, np.zeros((3, 0))), float)
        savemat(root / form, {"annotat_new": cells}, do_compression=True)
        return root
    first = form.removesuffix(".csv")
    for expert, name in enumerate((first, *(f"{first.removesuffix('_fixed')[:-1]}{letter}" for letter in "BC"))):
        rows = [",".join(map(str, numbers))]
        for second in range(SECONDS):
            values = [columns[number][expert] for number in numbers]
            rows.append(",".join(str(row[second]) if second < len(row) else "" for row in values))
        (root / f"{name}.csv").write_text("\n".join(rows) + "\n")
    return root
