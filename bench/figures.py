"""Figures of the benchmarks in docs/benchmarks.json, and the machine on which they were measured."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from bench.page import page

DOCS = Path(__file__).resolve().parents[1] / "docs"
PACKAGES = {
    "spectrograms": ("torch", "numpy", "scipy", "PyWavelets", "librosa", "ssqueezepy", "fcwt"),
    "training": ("torch", "timm", "numpy"),
    "generalization": ("torch", "scikit-learn", "numpy"),
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


def read_figures(folder: Path) -> dict[str, Any]:
    """Read the figures of all parts that were measured before."""
    file = folder / "benchmarks.json"
    return json.loads(file.read_text()) if file.exists() else {}


def write_figures(folder: Path, figures: dict[str, Any]) -> None:
    """Write benchmarks.json and benchmarks.md.

    Parameters
    ----------
    folder
        Folder of the files.
    figures
        Figures of all parts.
    """
    (folder / "benchmarks.json").write_text(json.dumps(figures, indent=1) + "\n")
    (folder / "benchmarks.md").write_text(page(figures))
    print(f"written: {folder / 'benchmarks.md'}")
