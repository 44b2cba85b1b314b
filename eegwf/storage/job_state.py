"""State of unfinished work: a folder no rule declares, held by one job at a time.

Snakemake removes the outputs of a job before it tries again; what must survive stands here, under a digest of all
that decides the result.
"""

from importlib.metadata import version
from pathlib import Path

from eegwf.storage.files import digest, write_text


def library_versions() -> list[str]:
    """Versions of the libraries that decide weights and trials: work begun under others is not gone on with."""
    return [f"{name} {version(name)}" for name in ("torch", "timm", "optuna", "numpy", "scikit-learn")]


def state_folder(root: Path | str, stage: str, *identity) -> Path:
    """Folder `root/<digest>` of the work that these JSON-able values decide; its file `stage` names the stage."""
    folder = Path(root) / digest([stage, *identity])
    name = folder / "stage"
    if not name.exists():
        write_text(name, f"{stage}\n")
    return folder
