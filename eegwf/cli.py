"""The command `eegwf`."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eegwf.errors import InputError, run_script
from eegwf.flow import ROOT, read_flow

CHECK = """\
Look at a configuration and its data before anything runs: what the study would work on, what will be worse than
expected, and what will not run. Headers and events are read, no signals, and nothing is written.

The configuration is read as Snakemake reads it: config/config.yaml of the checkout, then the files, then --config.

Example: eegwf check --configfile config/datasets/siena.yaml --config data_root=/data/siena
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; ends the process with 1 if there is a problem."""
    run_script(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> None:
    parser = argparse.ArgumentParser(
        prog="eegwf",
        description="From EEG recordings to seizure classifiers that can be trusted.\n\n"
        "Example: eegwf check --configfile my_data.yaml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="look at a configuration and its data before anything runs",
        description=CHECK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument(
        "--configfile", nargs="+", action="extend", default=[], metavar="FILE", help="files, the later winning"
    )
    check.add_argument(
        "--config", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="settings that win over the files"
    )
    check.set_defaults(run=_check)
    chosen = parser.parse_args(arguments)
    chosen.run(chosen)


def _check(arguments: argparse.Namespace) -> None:
    from eegwf.checks.findings import Findings
    from eegwf.checks.study import check_study

    try:
        flow = read_flow(default_config(), arguments.configfile, parse_settings(arguments.config))
        findings = check_study(flow)
    except InputError as error:
        findings = Findings(problems=[line.strip() for line in str(error).splitlines()])
    command = ["snakemake"]
    for option in ("configfile", "config"):
        if given := getattr(arguments, option):
            command += [f"--{option}", *given]
    print("\n".join(findings.lines(shlex.join(command))))
    if findings.problems:
        sys.exit(1)


def default_config() -> Path:
    """The defaults of the workflow: those of the checkout that this code stands in, else of the one we are in."""
    path = Path("config", "config.yaml")
    return next((found for found in (ROOT / path, path) if found.exists()), ROOT / path)


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Settings of the form KEY=VALUE, with values as Snakemake understands them.

    Raises
    ------
    InputError
        If one has another form.
    """
    from snakemake.cli import parse_config

    try:
        return parse_config(settings)
    except (ValueError, AssertionError):
        raise InputError(
            f"--config {shlex.join(settings)}: expected KEY=VALUE with a top-level key, such as data_root=/data/siena"
        ) from None


if __name__ == "__main__":
    main()
