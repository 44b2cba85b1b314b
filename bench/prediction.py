"""Measure `eegwf predict`: seconds for each hour of EEG on one core, and the peak memory of the process.

The recordings are noise in EDF, with the 19 electrodes of the 10-20 system and further channels, and are removed at the
end.

Example: python -m bench.prediction results/vit_mel_3class --hours 1 24 --channels 40 --sfreq 512
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from edfio import Edf, EdfSignal

ELECTRODES = [
    *("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2"),
    *("F7", "F8", "T7", "T8", "P7", "P8", "Fz", "Cz", "Pz"),
]
# Seconds of noise that a recording repeats.
REPEATED = 300
# Position of the number of data records in the header of an EDF file, 8 characters.
N_RECORDS = 236


def write_recording(path: Path, hours: int, n_chans: int, sfreq: int) -> None:
    """Write a recording of noise without holding it in memory.

    Parameters
    ----------
    path
        File to write.
    hours
        Its length.
    n_chans
        Number of channels, at least 19.
    sfreq
        Sampling rate in Hz.
    """
    rng = np.random.default_rng(0)
    names = [*ELECTRODES, *(f"X{number}" for number in range(1, n_chans - len(ELECTRODES) + 1))]
    signals = [
        EdfSignal(30 * rng.standard_normal(REPEATED * sfreq), sfreq, label=f"EEG {name}-REF", physical_dimension="uV")
        for name in names
    ]
    Edf(signals, data_record_duration=1).write(path)
    n_header = 256 * (1 + n_chans)
    records = path.read_bytes()[n_header:]
    with open(path, "r+b") as file:
        file.seek(0, os.SEEK_END)
        for _ in range(hours * 3600 // REPEATED - 1):
            file.write(records)
        file.seek(N_RECORDS)
        file.write(f"{hours * 3600:<8d}".encode())


def measure(run: Path, recording: Path, output: Path) -> tuple[float, float]:
    """Predict a recording in a new process.

    Parameters
    ----------
    run
        Run or bundle.
    recording
        The recording.
    output
        Folder of the prediction.

    Returns
    -------
    seconds, mebibytes : float
        Wall time, with the start of the process, and its peak memory.

    Raises
    ------
    RuntimeError
        If the prediction fails.
    """
    code = "from eegwf.cli import main; main()"
    command = [sys.executable, "-c", code, "predict", str(recording), "--run", str(run), "--output", str(output)]
    begin = time.perf_counter()
    with subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"eegwf predict ended with status {status}")
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a combination with final models, or a bundle")
    parser.add_argument("--hours", type=int, nargs="+", default=[1], help="lengths of the recordings")
    parser.add_argument("--channels", type=int, default=40, help="channels of the recordings")
    parser.add_argument("--sfreq", type=int, default=512, help="sampling rate of the recordings in Hz")
    arguments = parser.parse_args()
    rows = []
    for hours in arguments.hours:
        with tempfile.TemporaryDirectory() as folder:
            recording = Path(folder, "noise.edf")
            write_recording(recording, hours, arguments.channels, arguments.sfreq)
            size = recording.stat().st_size / 1e9
            seconds, memory = measure(arguments.run, recording, Path(folder, "output"))
        rows.append(f"| {hours} | {size:.2f} | {seconds:.1f} | {seconds / hours:.2f} | {memory:.0f} |")
    print(f"{arguments.channels} channels, {arguments.sfreq} Hz, {arguments.run.name}")
    print("| hours | file, GB | seconds | seconds per hour of EEG | peak memory, MiB |\n|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
