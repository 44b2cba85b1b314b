"""Run the benchmarks and write docs/benchmarks.json and docs/benchmarks.md.

Example: python -m bench --rounds 9 --hours 20
         python -m bench --only training
"""

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from bench import spectrograms, training
from bench.page import page

DOCS = Path(__file__).resolve().parents[1] / "docs"
PACKAGES = {
    "spectrograms": ("torch", "numpy", "scipy", "PyWavelets", "librosa", "ssqueezepy", "fcwt"),
    "training": ("torch", "timm", "numpy"),
}


def machine(part: str) -> dict:
    """What the figures of a part were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    versions = {}
    for name in PACKAGES[part]:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "processor": model or platform.processor(),
        "cores": os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(os.sched_getaffinity(0)),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "versions": versions,
        "date": datetime.now(UTC).date().isoformat(),
    }


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="turns that each contender takes")
    parser.add_argument("--hours", type=float, default=20.0, help="hours of recordings that are written to disk")
    parser.add_argument("--windows", type=int, help="windows of an epoch of training; a multiple of 96")
    parser.add_argument("--only", choices=list(PACKAGES), help="measure this part; the rest stays as it is")
    parser.add_argument("--folder", type=Path, default=DOCS, help="where benchmarks.json and benchmarks.md go")
    arguments = parser.parse_args()
    file = arguments.folder / "benchmarks.json"
    found = json.loads(file.read_text()) if arguments.only and file.exists() else {}
    if arguments.only != "training":
        found["machine"] = machine("spectrograms")
        found["spectrograms"] = spectrograms.measure_all(found["machine"]["cores"], arguments.rounds, arguments.hours)
    if arguments.only != "spectrograms":
        about = machine("training")
        found["training"] = {"machine": about} | training.measure_all(
            about["cores"], arguments.rounds, arguments.windows
        )
    file.write_text(json.dumps(found, indent=1) + "\n")
    (arguments.folder / "benchmarks.md").write_text(page(found))
    print(f"written: {arguments.folder / 'benchmarks.md'}")


if __name__ == "__main__":
    main()
