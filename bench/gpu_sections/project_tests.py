"""The tests of the project that need a GPU."""

import subprocess
import sys
from pathlib import Path

from bench.gpu_sections.context import Context

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    "tests/unit/spectrograms/test_stft.py",
    "tests/unit/training/test_batch_loader.py",
    "tests/unit/compute/test_gpu.py",
)
SECONDS = 90


def tests(context: Context) -> None:
    """Run the tests of the project that need a GPU."""
    # The conftest files import Snakemake, which a machine for measurements need not have.
    options = ["-q", "-rs", "-p", "no:cacheprovider", "--noconftest"]
    command = [sys.executable, "-m", "pytest", *options, *FILES, "-k", "gpu or driver"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=ROOT)
    lines = [line for line in finished.stdout.splitlines() if line.strip()][-8:]
    figures = {"returncode": finished.returncode, "tail": lines, "stderr": finished.stderr[-500:]}
    context.recorder.put("tests", figures)
    for line in lines:
        context.recorder.line(f"  {line[:200]}")
    if finished.returncode:
        reason = (finished.stderr.strip().splitlines() or ["see the lines above"])[-1]
        context.recorder.line(f"  CHECK: pytest returned {finished.returncode}: {reason[:200]}")
