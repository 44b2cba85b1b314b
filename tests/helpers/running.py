"""The command that runs the workflow on the tiny study, and what two runs must have in common."""

import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from eegwf.config.paths import VARYING_FILES

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests" / "workflow" / "tiny.yaml"


def snakemake_command(folder: Path, *arguments: str, configs=(TINY,)) -> list[str]:
    """Command of a Snakemake that runs this checkout's workflow in another folder."""
    files = ["--configfile", *map(str, configs)] if configs else []
    base = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    return [*base, *arguments, *files]


def contents(folder: Path) -> dict[str, str]:
    """Digest of every file of a results folder that two equal runs have in common."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        skipped = name.startswith(("state/", "logs/", "benchmarks/")) or path.name in VARYING_FILES
        if path.is_file() and not skipped and not path.name.startswith(".snakemake"):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until a condition holds, looking five times a second."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"no {what} after {seconds:.0f} s")
        time.sleep(0.2)
