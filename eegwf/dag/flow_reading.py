"""Read the configuration of a run of the workflow."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eegwf.config.load import read_layers, validate
from eegwf.dag.command_line import refuse_repeated_options
from eegwf.dag.flow import Flow
from eegwf.errors import InputError
from eegwf.provenance.git import ROOT

DEFAULT_CONFIG = ROOT / "config" / "config.yaml"
"""Default configuration of the checkout; an installation without a checkout has none."""


def read_flow(
    default: Path | str,
    files: Iterable[Path | str] = (),
    overrides: dict[str, Any] | None = None,
    containers: bool = False,
) -> Flow:
    """Read the configuration of a run.

    Parameters
    ----------
    default, files, overrides
        Configuration files and settings, as `eegwf.config.load.load_study` takes them.
    containers
        Whether jobs run in a container image.

    Returns
    -------
    Flow
        The study.

    Raises
    ------
    InputError
        Naming the file and the key.
    """
    merged, layers = read_layers(default, list(files), overrides)
    return Flow(validate(merged, layers), containers, layers)


def open_flow(
    base: Path | str,
    files: Iterable[Path | str],
    overrides: dict[str, Any],
    deployment: Iterable[Any] = (),
    arguments: Iterable[str] = (),
) -> Flow:
    """Read the configuration of a run; wrong input ends the process with one line.

    Parameters
    ----------
    base
        Checkout of the Snakefile.
    files, overrides
        Configuration files and settings, as `read_flow` takes them.
    deployment
        Snakemake's software deployment methods; with containers, jobs use the Python of the image.
    arguments
        Snakemake's command line; repeated `--config` or `--configfile`, and targets that are not sensible combinations,
        are refused.

    Returns
    -------
    Flow
        The study.
    """
    containers = "apptainer" in map(str, deployment)
    if Path(str(base)).resolve() != ROOT:
        sys.exit(
            f"error: the Snakefile belongs to {base}, but the library eegwf to {ROOT}; start the Snakemake that is "
            f"installed with the former: {base}/.venv/bin/snakemake, made by `make .venv/.installed`"
        )
    words = list(arguments)
    try:
        refuse_repeated_options(words)
        flow = read_flow(DEFAULT_CONFIG, files, overrides, containers)
        flow.check_targets(words)
    except InputError as error:
        # Snakemake would show any other exception with a stack trace.
        sys.exit(f"error: {error}")
    return flow
