"""State folders of unfinished jobs, from which a job that is started again continues.

Snakemake removes the outputs of a job before it starts the job again. The state is therefore kept in a folder that no
rule declares as an output, under a digest of everything that determines the result. One job uses it at a time.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from eegwf.storage.files import digest, write_text


def library_versions() -> list[str]:
    """Versions of the libraries that affect weights and trials; a job started with other versions starts anew."""
    return [f"{name} {version(name)}" for name in ("torch", "timm", "optuna", "numpy", "scikit-learn")]


def state_folder(root: Path | str, stage: str, *identity: Any) -> Path:
    """Create or find the state folder of a job.

    Parameters
    ----------
    root
        Parent folder.
    stage
        Name of the stage, also written to the file `stage` in the folder.
    *identity
        JSON-able values that determine the result of the job.

    Returns
    -------
    Path
        `root/<digest of stage and identity>`.
    """
    folder = Path(root) / digest([stage, *identity])
    name = folder / "stage"
    if not name.exists():
        write_text(name, f"{stage}\n")
    return folder
