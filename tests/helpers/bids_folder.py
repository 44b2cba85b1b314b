"""A small BIDS data set of noise: 6 patients of 20 s."""

from pathlib import Path

import numpy as np
from edfio import Edf, EdfSignal

from eegwf.data.signals.montage import ELECTRODES19

ELECTRODES = ELECTRODES19.split()
SECONDS = 20
EVENTS = {  # onset, duration, label of each patient
    "sub-01": [(5, 5, "sz_foc_ia")],
    "sub-02": [(0, 4, "sz_foc"), (10, 5, "sz_gen")],
    "sub-03": [(10, 10, "sz_gen_m")],
    "sub-04": [(2, 8, "sz_foc")],
    "sub-05": [],
    "sub-06": [(0, 10, "sz_gen")],
}


def write_recording(root: Path, patient: str, events, sfreq=64, names=ELECTRODES, unit="uV", odd_rate=None) -> Path:
    base = root / patient / "eeg" / f"{patient}_task-sz"
    base.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(int(patient[4:]))
    rates = [sfreq] * len(names)
    rates[-1] = odd_rate or sfreq
    signals = [
        EdfSignal(
            rng.normal(0, 30, rate * SECONDS).clip(-150, 150),
            rate,
            label=f"EEG {name}-REF",
            physical_dimension=unit,
            physical_range=(-200, 200),
        )
        for name, rate in zip(names, rates, strict=True)
    ]
    Edf(signals).write(f"{base}_eeg.edf")
    rows = ["onset\tduration\teventType", *("\t".join(map(str, event)) for event in events)]
    Path(f"{base}_events.tsv").write_text("\n".join(rows) + "\n")
    return Path(f"{base}_eeg.edf")
