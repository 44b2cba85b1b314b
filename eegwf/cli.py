"""The command `eegwf`."""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eegwf.dag.flow import ROOT, read_flow
from eegwf.errors import InputError, run_script

CHECK = """\
Look at a configuration and its data before anything runs: what the study would work on, what will be worse than
expected, and what will not run. Headers and events are read, no signals, and nothing is written.

The configuration is read as Snakemake reads it: config/config.yaml of the checkout, then the files, then --config.

Example: eegwf check --configfile config/datasets/siena.yaml --config data_root=/data/siena
"""


PLAN = """\
Say what a run will cost before it runs: jobs, hours of GPUs and cores asked for and predicted, the longest chain of
jobs, disk, and what of it repeats work that is there. As `snakemake --dry-run`, but without its list of jobs, and
without SLURM or Apptainer at hand.

Example: eegwf plan --configfile config/full.yaml config/datasets/tusz.yaml --config data_root=/data/tusz
"""

REPRODUCE = """\
Run a published result again from the run.json in its folder, into a folder of its own, and compare every file byte by
byte. Ends with 1 unless all are the same. Options behind -- are Snakemake's; without any, --cores all.

Example: eegwf reproduce results/vit_mel_3class --into again -- --cores all
"""

BUNDLE = """\
Pack a finished combination into one zip file: its results and scores, its configuration, the code of its commit and the
lock of its environment, with check sums and the commands that repeat it. No recordings, and weights only if asked for.

Example: eegwf bundle results/vit_mel_3class --output vit_mel_3class.zip
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

    def command(name: str, run: Callable, brief: str, description: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, help=brief, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        added.set_defaults(run_command=run)
        return added

    check = command("check", _check, "look at a configuration and its data before anything runs", CHECK)
    plan = command("plan", _plan, "say what a run will cost before it runs", PLAN)
    plan.add_argument("targets", nargs="*", metavar="TARGET", help="files to make; the whole matrix if none is named")
    plan.add_argument("--json", type=Path, metavar="FILE", help="write the plan there too")
    again = command("reproduce", _reproduce, "run a published result again and compare", REPRODUCE)
    again.add_argument("run", type=Path, metavar="RUN", help="folder of a combination, with its run.json")
    again.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="results folder of the repetition")
    pack = command("bundle", _bundle, "pack a run into one file that others can check and repeat", BUNDLE)
    pack.add_argument("run", type=Path, metavar="RUN", help="folder of a finished combination")
    pack.add_argument("--output", type=Path, required=True, metavar="FILE", help="the zip file")
    pack.add_argument("--weights", action="store_true", help="pack the models' weights too")
    several = {"nargs": "+", "action": "extend", "default": []}
    for one in (again, pack):
        one.add_argument("--anyway", action="store_true", help="even at another commit or with other versions")
    for one in (check, plan):
        one.add_argument("--configfile", metavar="FILE", help="files, the later winning", **several)
    for one in (check, plan, again):
        one.add_argument("--config", metavar="KEY=VALUE", help="settings that win over the files", **several)
    # argparse would take what stands behind the mark for arguments of ours.
    words = list(sys.argv[1:] if arguments is None else arguments)
    mark = words.index("--") if "--" in words and words[0] == "reproduce" else len(words)
    chosen = parser.parse_args(words[:mark])
    chosen.options = words[mark + 1 :]
    chosen.run_command(chosen)


def _check(arguments: argparse.Namespace) -> None:
    from eegwf.checks.findings import Findings
    from eegwf.checks.study import check_study

    try:
        flow = read_flow(default_config(), arguments.configfile, parse_settings(arguments.config))
        findings = check_study(flow)
    except InputError as error:
        findings = Findings(problems=[line.strip() for line in str(error).splitlines()])
    print("\n".join(findings.lines(shlex.join(["snakemake", *_given(arguments)]))))
    if findings.problems:
        sys.exit(1)


def _given(arguments: argparse.Namespace) -> list[str]:
    """The options of Snakemake that were given to us."""
    options = []
    for option in ("configfile", "config"):
        if given := getattr(arguments, option):
            options += [f"--{option}", *given]
    return options


def _plan(arguments: argparse.Namespace) -> None:
    from eegwf.dag.dry_run import FILE
    from eegwf.plan.table import as_text
    from eegwf.storage.files import read_json, write_json

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "plan.json")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--dry-run"]
        command += ["--cores", "all", *arguments.targets, *_given(arguments)]
        done = subprocess.run(
            command, env={**os.environ, FILE: str(file)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode or not file.exists():
            told = [line for line in done.stdout.splitlines() if line.startswith("error: ")] or done.stdout.splitlines()
            raise InputError("\n".join(told[-5:]).removeprefix("error: "))
        plan = read_json(file)
    print(as_text(plan))
    if arguments.json:
        write_json(arguments.json, plan)


def _reproduce(arguments: argparse.Namespace) -> None:
    from eegwf.provenance.reproduce import reproduce

    found = reproduce(arguments.run, arguments.into, arguments.anyway, arguments.config, arguments.options)
    print("\n".join(found.lines()))
    if not found.identical:
        sys.exit(1)


def _bundle(arguments: argparse.Namespace) -> None:
    from eegwf.provenance.bundle import bundle

    files = bundle(arguments.run, arguments.output, arguments.weights, arguments.anyway)
    print(f"{arguments.output}: {len(files)} files, {arguments.output.stat().st_size / 1e6:.1f} MB")


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
