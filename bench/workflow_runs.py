"""Runs of the workflow by the benchmarks that compare studies."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from eegwf.config.paths import Combination, ResultPaths, RunPaths
from eegwf.provenance.git import ROOT


def run_study(
    folder: Path,
    name: str,
    combination: Combination,
    config: dict[str, Any],
    target: str,
    files: Sequence[Path] = (),
    cores: int = 1,
) -> RunPaths:
    """Run a study up to a file of a combination; what has been computed before is kept.

    Parameters
    ----------
    folder
        Folder of the results of all studies.
    name
        Name of the study: its results are in the folder of this name, its configuration is in `<name>.yaml`.
    combination
        Model, spectrogram and class set.
    config
        Configuration that is added to that of `files`.
    target
        File, relative to the folder of the combination.
    files
        Configuration files of the checkout.
    cores
        Number of CPU cores.

    Returns
    -------
    RunPaths
        Files of the combination.

    Raises
    ------
    subprocess.CalledProcessError
        If the run fails.
    """
    paths = ResultPaths(folder / name).run(combination)
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({"results": str(folder / name), **config}, sort_keys=False))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--cores", str(cores), str(paths.folder / target), "--configfile", *map(str, files), str(file)]
    subprocess.run(command, check=True, cwd=folder)
    return paths
