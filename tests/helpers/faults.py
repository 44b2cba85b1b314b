"""Small data sets on disk, and the jobs of a study run on them one by one, with what they say when they refuse."""

import pickle
import re
import runpy
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml
from edfio import Edf, EdfSignal

from eegwf.dag.flow import Flow
from eegwf.dag.flow_reading import read_flow
from eegwf.data.signals.montage import ELECTRODES19

ROOT = Path(__file__).resolve().parents[2]
ELECTRODES = ELECTRODES19.split()
SECONDS, SFREQ = 20, 64
PATIENTS = {  # onset, duration and label of the events of each
    "sub-01": [(5, 5, "sz_foc")],
    "sub-02": [(0, 4, "sz_foc"), (10, 6, "sz_gen")],
    "sub-03": [(10, 10, "sz_gen")],
    "sub-04": [(2, 8, "sz_foc"), (14, 4, "sz_gen")],
}
# What a failed job may leave behind: logs, and the work that the next run goes on with.
KEPT = ("logs", "state", "benchmarks")


def place(root: Path, patient: str, suffix: str) -> Path:
    """File of a patient's recording."""
    return root / patient / "eeg" / f"{patient}_task-sz_{suffix}"


def samples(patient: str, n_chans: int, n_times: int) -> np.ndarray:
    """Noise of 30 microvolts, another for each patient."""
    return np.random.default_rng(int(patient[4:])).normal(0, 30, (n_chans, n_times)).clip(-150, 150)


def write_edf(root: Path, patient: str, data=None, names=ELECTRODES, sfreq: int = SFREQ) -> Path:
    """Write a recording, by default of noise."""
    path = place(root, patient, "eeg.edf")
    path.parent.mkdir(parents=True, exist_ok=True)
    data = samples(patient, len(names), SECONDS * sfreq) if data is None else data
    rows = zip(names, data, strict=True)
    scale = {"physical_dimension": "uV", "physical_range": (-200, 200)}
    Edf([EdfSignal(row, sfreq, label=f"EEG {name}-REF", **scale) for name, row in rows]).write(path)
    return path


def write_events(root: Path, patient: str, events) -> Path:
    """Write a table of events, row by row as given."""
    rows = ["onset\tduration\teventType", *("\t".join(map(str, event)) for event in events)]
    path = place(root, patient, "events.tsv")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    return path


def write_bids(root: Path, patients=PATIENTS) -> Path:
    """Write a data set of one recording per patient."""
    for patient, events in patients.items():
        write_edf(root, patient)
        write_events(root, patient, events)
    return root


def to_brainvision(root: Path, patient: str, data: np.ndarray) -> Path:
    """Put a BrainVision recording of 32-bit floats in the place of a patient's EDF file."""
    place(root, patient, "eeg.edf").unlink()
    path = place(root, patient, "eeg.vhdr")
    data.T.astype("<f4").tofile(path.with_suffix(".eeg"))
    channels = "".join(f"Ch{number}={name},,1,µV\n" for number, name in enumerate(ELECTRODES, start=1))
    path.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={path.stem}.eeg\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        f"NumberOfChannels={len(data)}\nDataPoints={data.shape[1]}\nSamplingInterval={1e6 / SFREQ}\n"
        f"[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n[Channel Infos]\n{channels}",
        encoding="utf-8",
    )
    return path


FOLDS = {1: "ab", 2: "c", 3: "d"}  # patients of the given arrays, eight windows each
LETTERS = {"n h w 3": "nftc"}


def write_arrays(folder: Path, axes: str, name: str = "mel", pickled: bool = False, folds=FOLDS) -> dict[str, Any]:
    """Write arrays cut into folds, classes told apart by the low bins; the data set's section of the config."""
    rng = np.random.default_rng(0)
    for fold, names in folds.items():
        patients = np.repeat(list(names), 8)
        labels = np.arange(len(patients)) % 2
        data = rng.normal(size=(len(patients), 3, 12, 10)).astype(np.float32)
        data[labels == 1, :, :4] += 2
        data = data.transpose(["ncft".index(letter) for letter in LETTERS.get(axes, axes.replace(" ", ""))])
        for kind, values in (("data", data), ("labels", labels), ("patients", patients)):
            with open(folder / f"{name}_{kind}_{fold}.npy", "wb") as file:
                pickle.dump(values, file) if pickled else np.save(file, values)
    files = {kind: f"{folder}/{name}_{kind}_{{fold}}.npy" for kind in ("data", "labels", "patients")}
    known = {"label_names": {0: "bckg", 1: "sz"}, "n_folds": len(folds), "window_length": 4.0}
    return {"kind": "fold_arrays", "arrays": {name: files}, "axes": axes, **known}


@dataclass(frozen=True)
class Case:
    """A study in a folder of its own, whose jobs run in this process with the arguments that the rules give them."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def results(self) -> Path:
        """Root of what it writes."""
        return self.folder / "results"

    @property
    def bids(self) -> Path:
        """Root of its recordings."""
        return self.folder / "bids"

    def config(self) -> Path:
        """The file of its settings, written anew."""
        path = self.folder / "study.yaml"
        small = {
            "dataset": {"kind": "bids", "root": str(self.bids)},
            "signals": {"sfreq": SFREQ, "l_freq": None},
            "windows": {"length": 2.0, "step": 2.0},
            "spectrograms": {name: {"f_max": 32.0, "n_freqs": 12, "n_frames": 10} for name in ("mel", "stft", "cwt")},
            "folds": 3,
            "matrix": {"classes": ["2class"]},
            "training": {"epochs": 1, "patience": 1},
            "tuning": {"n_trials": 1, "pruner": "none"},
            "retrain": {"n_best": 1},
            "evaluation": {"n_bootstrap": 100},
        }
        whole = {key for key in self.settings if key == "dataset" or not isinstance(small.get(key), dict)}
        merged = small | {k: v if k in whole else small[k] | v for k, v in self.settings.items()}
        path.write_text(yaml.safe_dump(merged))
        return path

    def flow(self) -> Flow:
        """The study as the workflow reads it."""
        return read_flow(ROOT / "config/config.yaml", [self.config()], {"results": str(self.results)})

    def job(self, script: str, *arguments: Any) -> str:
        """Run a script; the sentence it leaves with (Python prints it and exits with 1), or nothing if it is done."""
        before, sys.argv = sys.argv, [script, *map(str, arguments)]
        try:
            runpy.run_path(str(ROOT / "workflow/scripts" / f"{script}.py"), run_name="__main__")
        except SystemExit as left:
            assert isinstance(left.code, str), left.code
            return left.code
        finally:
            sys.argv = before
        return ""

    def windows(self) -> str:
        """Read the recordings."""
        folders = ["--root", self.bids, "--state", self.results / "state", "--output", self.results / "data"]
        return self.job("windows", "--settings", self.flow().settings("windows")(None), "--code", "x", *folders)

    def folds(self, given: Path | None = None) -> str:
        """Make the folds."""
        data, flow = self.results / "data", self.flow()
        files = ["--windows", data / "windows.tsv", "--arrays", flow.leakage_check_array(None)]
        files += ["--folds", data / "folds.tsv", "--leakage", data / "leakage.json"]
        files += ["--given", given] if given else []
        return self.job("folds", "--settings", flow.settings("folds")(None), *files)

    def spectrogram(self, name: str = "mel") -> str:
        """Make a spectrogram."""
        wildcards = SimpleNamespace(spectrogram=name)
        files = ["--code", "x", "--windows", self.results / "data/windows.npy", "--state", self.results / "state"]
        files += ["--array", self.results / f"spectrograms/{name}.npy"]
        files += ["--axes", self.results / f"spectrograms/{name}.json"]
        return self.job(
            "spectrogram", "--name", name, "--settings", self.flow().settings("spectrogram")(wildcards), *files
        )

    def tune(self, classes: str, fold: int) -> str:
        """Tune the model without an outer fold."""
        wildcards = SimpleNamespace(model="vit", spectrogram="mel", classes=classes, study=f"fold{fold}")
        study, tables = self.flow(), self.results / "data"
        options = ["--name", study.name(wildcards), "--fold", study.excluded_fold(wildcards), "--worker", 1]
        options += ["--settings", study.settings("tune")(wildcards), "--code", "x"]
        options += ["--windows", tables / "windows.tsv", "--folds", tables / "folds.tsv"]
        options += ["--arrays", self.results / "spectrograms/mel.npy", "--state", self.results / "state"]
        made = self.results / f"vit_mel_{classes}/studies/fold{fold}/worker1.json"
        return self.job("tune", *options, "--output", made)

    def import_tables(self) -> str:
        """Read given arrays' labels, patients and folds."""
        settings = self.flow().settings("import_tables")(None)
        return self.job("import_tables", "--settings", settings, "--output", self.results / "data")

    def import_spectrogram(self, name: str = "mel") -> str:
        """Import given arrays."""
        folder = self.results / "spectrograms"
        files = ["--array", folder / f"{name}.npy", "--axes", folder / f"{name}.json"]
        settings = self.flow().settings("import_spectrogram")(None)
        return self.job("import_spectrogram", "--settings", settings, "--name", name, *files)


def left(results: Path) -> list[str]:
    """Files that stand under a folder of results, but for logs and unfinished work."""
    found = (path.relative_to(results) for path in sorted(results.rglob("*")) if not path.is_dir())
    return [path.as_posix() for path in found if path.parts[0] not in KEPT]


def check_refusal(case: Case, said: str, expected: str) -> None:
    """One line, with what the user needs; no output, and no temporary file anywhere."""
    assert re.fullmatch(f"error: {expected}", said), said
    assert "\n" not in said
    assert left(case.results) == []
    check_no_temporary(case)


def check_no_temporary(case: Case) -> None:
    """No file under a temporary name, the state folder included."""
    assert [path.name for path in case.results.rglob(".*") if path.name != ".lock"] == []


def error_of(done: subprocess.CompletedProcess) -> str:
    """The one line that a Snakemake that failed gives."""
    assert done.returncode, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stdout
    return lines[0]
