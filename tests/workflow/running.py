"""The command that runs the workflow on the tiny study."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests" / "workflow" / "tiny.yaml"


def snakemake_command(folder: Path, *arguments: str, configs=(TINY,)) -> list[str]:
    """Command of a Snakemake that runs this checkout's workflow in another folder."""
    files = ["--configfile", *map(str, configs)] if configs else []
    base = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    return [*base, *arguments, *files]
