"""Command-line interface `eegwf`."""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eegwf.config.data import LEAVE_ONE_OUT
from eegwf.config.path_text import expand_path
from eegwf.convert import command as convert_command
from eegwf.dag.command_line import options_of, refuse_repeated_options
from eegwf.dag.flow_reading import read_flow
from eegwf.errors import InputError, run_script
from eegwf.prediction import command as predict_command
from eegwf.provenance.git import ROOT

CHECK = """\
Check a configuration and its data before a run: report the data and settings that the study would use, settings that
may not work as intended (warnings), and errors with which it would fail (problems). docs/troubleshooting.md lists the
messages with their solutions. Headers and events are read, and the samples of recordings if they are at most 64 MB or
with --samples (of fold arrays, all files are read); no files are written. The exit code is 1 if there are problems.

The configuration is read as by Snakemake: config/config.yaml of the checkout, then the files of --configfile, then the
settings of --config; later values replace earlier ones.

Example: eegwf check --configfile config/datasets/siena.yaml --config data_root=/data/siena
"""

PLAN = """\
Estimate the cost of a run: number of jobs, requested and predicted hours of GPUs and CPU cores, the longest chain of
dependent jobs, disk space, and the jobs that repeat finished work. The jobs are those of `snakemake --dry-run`. Neither
SLURM nor Apptainer is needed. With --hours, the data set need not be there.

Example: eegwf plan --configfile config/full.yaml config/datasets/tusz.yaml --config data_root=/data/tusz --hours 1476
"""

REPRODUCE = """\
Run a published result again and compare: the configuration in its run.json is run in another results folder, and the
files are compared byte by byte. The exit code is 1 unless all files are identical. Options after `--` are passed to
Snakemake; the default is --cores all.

Example: eegwf reproduce results/vit_mel_3class --output-dir again -- --cores all
"""

BUNDLE = """\
Pack a finished combination into one zip file: its result files, its configuration, the code of its commit, the
lock file of its environment, checksums, and the commands that repeat the run. Recordings and weights are not included.

With --weights, pack the final models instead: weights, preprocessing, calibration, operating point, a model card and
the lock file, with which `eegwf predict` predicts recordings without the data of the study. Such a bundle contains no
identifiers of patients.

Example: eegwf bundle results/vit_mel_3class --output vit_mel_3class.zip
"""

SPREAD = """\
Compare results folders of one configuration with other folds: the spread of the scores of rank 1 and of the primary
member between them, beside that between random seeds (evaluation.seeds) and the confidence interval over patients.
Folders with the same folds are named; this needs only their data/folds.tsv.

Example: eegwf spread results_seed1 results_seed2 results_seed3 --output spread.tsv
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command-line interface.

    The process ends with exit code 1 if a check finds errors, a result is not reproduced, or the input is wrong.
    """
    run_script(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> None:
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Options after `--` are those of Snakemake; argparse would assign them to the arguments of `reproduce`.
    separator = words.index("--") if "--" in words and words[0] == "reproduce" else len(words)
    refuse_repeated_options(words[:separator])
    parsed = _parser().parse_args(words[:separator])
    parsed.options = words[separator + 1 :]
    parsed.run_command(parsed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eegwf",
        description="Snakemake workflow that trains and evaluates classifiers of seizures in EEG recordings.\n\n"
        "Example: eegwf check --configfile my_data.yaml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], None], summary: str, description: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        added.set_defaults(run_command=run)
        return added

    def list_option(subparser: argparse.ArgumentParser, name: str, metavar: str, text: str) -> None:
        subparser.add_argument(name, nargs="+", default=[], metavar=metavar, help=text)

    check = command("check", _check, "check a configuration and its data before a run", CHECK)
    check.add_argument(
        "--samples",
        action=argparse.BooleanOptionalAction,
        help="read all samples, to find flat channels, wrong units and values that are not finite, or none of them",
    )
    plan = command("plan", _plan, "estimate the cost of a run", PLAN)
    plan.add_argument("targets", nargs="*", metavar="TARGET", help="files to create; default: all of the matrix")
    plan.add_argument("--json", type=Path, metavar="FILE", help="also write the plan to this file as JSON")
    plan.add_argument("--hours", type=float, help="duration of the recordings, if the data set is not there yet")
    plan.add_argument("--patients", type=int, help="number of its patients, which leave-one-patient-out needs")
    again = command("reproduce", _reproduce, "run a published result again and compare", REPRODUCE)
    again.add_argument("run", type=Path, metavar="RUN", help="folder of a combination, with its run.json")
    again.add_argument(
        "--output-dir", type=Path, required=True, metavar="FOLDER", help="results folder of the repeated run"
    )
    pack = command("bundle", _bundle, "pack a finished combination into one zip file", BUNDLE)
    pack.add_argument("run", type=Path, metavar="RUN", help="folder of a finished combination")
    pack.add_argument("--output", type=Path, required=True, metavar="FILE", help="zip file to write")
    pack.add_argument("--weights", action="store_true", help="pack the final models, to predict recordings with them")
    again.add_argument("--force", action="store_true", help="run even with another commit, image or package versions")
    pack.add_argument("--force", action="store_true", help="pack the code of this checkout even if its commit differs")
    spread = command("spread", _spread, "compare results folders with other folds", SPREAD)
    spread.add_argument("results", nargs="+", type=Path, metavar="RESULTS", help="results folders, two or more")
    spread.add_argument("--output", type=Path, metavar="FILE", help="also write the table to this file")
    predict = command("predict", predict_command.run, predict_command.SUMMARY, predict_command.DESCRIPTION)
    predict_command.add_arguments(predict)
    convert = command("convert", convert_command.run, convert_command.SUMMARY, convert_command.DESCRIPTION)
    convert_command.add_arguments(convert)
    for subparser in (check, plan):
        list_option(subparser, "--configfile", "FILE", "configuration files; later files override earlier ones")
        list_option(subparser, "--config", "KEY=VALUE", "settings that override the configuration files")
    list_option(again, "--config", "KEY=VALUE", "settings that override the configuration in the run.json")
    return parser


def _check(arguments: argparse.Namespace) -> None:
    from eegwf.checks.findings import Findings
    from eegwf.checks.study import check_study

    try:
        flow = read_flow(default_config(), arguments.configfile, parse_settings(arguments.config))
        findings = check_study(flow, arguments.samples)
    except InputError as error:
        findings = Findings(problems=[line.strip() for line in str(error).splitlines()])
    print("\n".join(findings.lines(shlex.join(["snakemake", *_snakemake_options(arguments)]))))
    if findings.problems:
        sys.exit(1)


def _snakemake_options(arguments: argparse.Namespace) -> list[str]:
    """The options of Snakemake with which it reads the same configuration."""
    options = []
    for option in ("configfile", "config"):
        if values := getattr(arguments, option):
            options += [f"--{option}", *values]
    return options


def _plan(arguments: argparse.Namespace) -> None:
    from eegwf.dag.dry_run import FILE, HOURS
    from eegwf.plan.table import as_text
    from eegwf.storage.files import read_json, write_json

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "plan.json")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--dry-run"]
        arguments.config += _folds_of_patients(arguments)
        command += ["--cores", "all", *arguments.targets, *_snakemake_options(arguments)]
        environment = {**os.environ, FILE: str(file)}
        if arguments.hours is not None:
            environment[HOURS] = str(arguments.hours)
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode or not file.exists():
            lines = done.stdout.splitlines()
            errors = [line for line in lines if line.startswith("error: ")] or lines
            raise InputError("\n".join(errors[-5:]).removeprefix("error: "))
        plan = read_json(file)
    print(as_text(plan))
    if arguments.json:
        write_json(arguments.json, plan)


def _folds_of_patients(arguments: argparse.Namespace) -> list[str]:
    """Setting of the number of folds that the given number of patients results in, if the data set decides it."""
    from eegwf.data.fold_count import folds_of_patients

    hours, patients = arguments.hours, arguments.patients
    if (patients is not None and patients < 3) or (hours is not None and not 0 < hours < 1e9):
        raise InputError("eegwf plan: expected --patients of at least 3 and --hours above 0")
    if hours is None and patients is None:
        return []
    study = read_flow(default_config(), arguments.configfile, parse_settings(arguments.config)).study
    if study.folds != LEAVE_ONE_OUT:
        return []
    if patients is None:
        raise InputError(f"eegwf plan: folds is {LEAVE_ONE_OUT}, so that --hours needs --patients")
    return [f"folds={folds_of_patients(study, patients)}"]


def _reproduce(arguments: argparse.Namespace) -> None:
    from eegwf.provenance.reproduce import reproduce

    if given := [option for option, values in options_of(arguments.options).items() if values]:
        raise InputError(
            f"{given[0]} after `--`: the configuration is that of {arguments.run}, with the settings of --config "
            "before `--`; write them there"
        )
    output_dir = Path(expand_path(str(arguments.output_dir), "--output-dir"))
    comparison = reproduce(arguments.run, output_dir, arguments.force, arguments.config, arguments.options)
    print("\n".join(comparison.lines()))
    if not comparison.identical:
        sys.exit(1)


def _bundle(arguments: argparse.Namespace) -> None:
    from eegwf.provenance.bundle import bundle
    from eegwf.provenance.model_bundle import bundle_models

    if arguments.weights:
        files = bundle_models(arguments.run, arguments.output)
    else:
        files = bundle(arguments.run, arguments.output, arguments.force)
    print(f"{arguments.output}: {len(files)} files, {arguments.output.stat().st_size / 1e6:.1f} MB")


def _spread(arguments: argparse.Namespace) -> None:
    from eegwf.evaluation.partitions import compare_partitions, partition_spread
    from eegwf.storage.files import write_table

    print("\n".join(compare_partitions(arguments.results)))
    table = partition_spread(arguments.results)
    if table.empty:
        print("no combination is finished in all results folders")
        return
    print(table.to_string(index=False, na_rep="", float_format="{:.3f}".format))
    if arguments.output:
        write_table(arguments.output, table)


def default_config() -> Path:
    """Path of the default configuration: of the checkout that contains this code, else of the current folder."""
    relative = Path("config", "config.yaml")
    return next((path for path in (ROOT / relative, relative) if path.exists()), ROOT / relative)


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Parse settings of the form KEY=VALUE as Snakemake does.

    Raises
    ------
    InputError
        If a setting has another form.
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
