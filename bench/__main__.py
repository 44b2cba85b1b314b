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
from typing import Any

import torch

from bench import training
from bench.page import page

DOCS = Path(__file__).resolve().parents[1] / "docs"
PACKAGES = {
    "spectrograms": ("torch", "numpy", "scipy", "PyWavelets", "librosa", "ssqueezepy", "fcwt"),
    "training": ("torch", "timm", "numpy"),
}


def machine(part: str) -> dict[str, Any]:
    """Describe the machine, and the versions of the packages that a part of the benchmarks uses."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    versions: dict[str, str | None] = {}
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
    """Read the arguments, measure, write the figures and the page."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each comparison")
    parser.add_argument("--hours", type=float, default=20.0, help="hours of recordings written to disk as spectrograms")
    parser.add_argument("--windows", type=int, help="windows of an epoch of training, a multiple of 96")
    parser.add_argument("--only", choices=list(PACKAGES), help="measure this part, keep the other figures")
    parser.add_argument("--folder", type=Path, default=DOCS, help="folder of benchmarks.json and benchmarks.md")
    arguments = parser.parse_args()
    file = arguments.folder / "benchmarks.json"
    figures: dict[str, Any] = json.loads(file.read_text()) if arguments.only and file.exists() else {}
    if arguments.only != "training":
        from bench import spectrograms  # it needs the libraries that eegwf is compared with

        figures["machine"] = machine("spectrograms")
        figures["spectrograms"] = spectrograms.measure_all(
            figures["machine"]["cores"], arguments.rounds, arguments.hours
        )
    if arguments.only != "spectrograms":
        about = machine("training")
        figures["training"] = {"machine": about} | training.measure_all(
            about["cores"], arguments.rounds, arguments.windows
        )
    file.write_text(json.dumps(figures, indent=1) + "\n")
    (arguments.folder / "benchmarks.md").write_text(page(figures))
    print(f"written: {arguments.folder / 'benchmarks.md'}")


if __name__ == "__main__":
    main()
