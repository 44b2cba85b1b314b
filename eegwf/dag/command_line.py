"""Words of a command line that Snakemake would read in another way than they are meant."""

import re
import shlex
from collections.abc import Iterable, Sequence

from eegwf.config.path_text import expand_path
from eegwf.errors import InputError

# Spellings of Snakemake's options with a list of values, also abbreviated, and joined to their first value.
LIST_OPTIONS = {
    "--configfile": re.compile(r"(?:--configf\w*)(?:=(.*))?", re.DOTALL),
    "--config": re.compile(r"(?:--config|-C)(?:=(.*))?|-C(.+)", re.DOTALL),
}


def refuse_repeated_options(arguments: Iterable[str]) -> None:
    """Refuse `--configfile` and `--config` that are given more than once: Snakemake would keep the last of each.

    Parameters
    ----------
    arguments
        Command line of Snakemake, or of a command that takes the same options.

    Raises
    ------
    InputError
        With the option that says the same.
    """
    for option, values in options_of(arguments).items():
        if len(values) > 1:
            joined = shlex.join([option, *(value for given in values for value in given)])
            times = "twice" if len(values) == 2 else f"{len(values)} times"
            raise InputError(f"{option} is given {times}, of which Snakemake would use the last; write {joined}")


def options_of(arguments: Iterable[str]) -> dict[str, list[list[str]]]:
    """Values of each occurrence of `--configfile` and `--config` on a command line.

    Parameters
    ----------
    arguments
        Command line of Snakemake.

    Returns
    -------
    dict
        A list for each occurrence, by option.
    """
    found: dict[str, list[list[str]]] = {option: [] for option in LIST_OPTIONS}
    values: list[str] = []
    for word in arguments:
        if word == "--":
            break
        if not word.startswith("-"):
            values.append(word)
            continue
        values = []  # those of any other option
        for option, spelling in LIST_OPTIONS.items():
            if matched := spelling.fullmatch(word):
                values = [value for value in matched.groups() if value is not None]
                found[option].append(values)
    return found


def refuse_variables_of_shells(settings: Sequence[str]) -> None:
    """Refuse settings of a command line that the shell of a login node would change on their way to a cluster's jobs.

    Snakemake passes `--config` to each job; the command that submits it puts them between double quotes, in which the
    shell replaces variables.

    Parameters
    ----------
    settings
        Settings of `--config`, of the form KEY=VALUE.

    Raises
    ------
    InputError
        If `cluster` contains a variable, which is one of the compute node, or any value `$$`, a backtick or a
        backslash.
    """
    for setting in settings:
        key, _, value = setting.partition("=")
        if key == "cluster" and "$" in value:
            raise InputError(
                f"--config {shlex.quote(setting)}: a variable of the compute node would be replaced on this machine "
                "when a job is submitted; write it into a file for --configfile, such as cluster: {scratch: $TMPDIR}"
            )
        if re.search(r"\$\$|[`\\]", value):
            raise InputError(
                f"--config {shlex.quote(setting)}: $$, backticks and backslashes would be changed when a job is "
                "submitted; write this setting into a file for --configfile"
            )


def refuse_other_spellings(target: str, results: str) -> None:
    """Refuse a target in the results folder that is not spelled as Snakemake spells it.

    Parameters
    ----------
    target
        Word of the command line.
    results
        Results folder.

    Raises
    ------
    InputError
        With the spelling that Snakemake finds.
    """
    if not target.startswith(("~", "/", "$")):
        return  # Snakemake itself removes `./` and `//` from relative targets
    try:
        expanded = expand_path(target, "target")
    except InputError:
        return
    if expanded.startswith(f"{results}/") and expanded != target:
        raise InputError(f"{target}: Snakemake takes targets literally; write {expanded}")
