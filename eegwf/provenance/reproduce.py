"""Rerun a published result from its `run.json`, and compare byte by byte."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eegwf.errors import InputError
from eegwf.provenance.container_image import digest_of
from eegwf.provenance.git import ROOT, commit
from eegwf.provenance.versions import versions
from eegwf.storage.files import digest_file, read_json, write_text

# Times, hosts and dates, and the page that shows them.
VARYING = ("timing.tsv", "ledger.tsv", "report.html", "run.json")

# The environment of a run that repeats another: the latter's run.json, and whether differences are let go.
PUBLISHED, ANYWAY = "EEGWF_PUBLISHED", "EEGWF_ANYWAY"
# Options of Snakemake that say how many jobs there may be.
HOW_MANY = ("--cores", "-c", "--jobs", "-j", "--profile", "--workflow-profile")


@dataclass(frozen=True)
class Comparison:
    """A published result and its repetition, file by file.

    Attributes
    ----------
    same, differing, missing
        Names of files: with the same bytes, with others, and not there in the repetition.
    scores
        Of the primary member: name, published value, value again.
    """

    same: list[str]
    differing: list[str]
    missing: list[str]
    scores: list[tuple[str, float, float]]

    @property
    def identical(self) -> bool:
        """Whether every published file was reproduced to the byte."""
        return bool(self.same) and not self.differing and not self.missing

    def lines(self) -> list[str]:
        """What a user reads."""
        names = [f"  differs: {name}" for name in self.differing] + [f"  not there: {name}" for name in self.missing]
        table = [f"  {name:<20} {old:>9.4f} {new:>9.4f} {new - old:>+10.2g}" for name, old, new in self.scores]
        total = len(self.same) + len(names)
        return [
            f"{len(self.same)} of {total} files have the published bytes",
            *names,
            f"  {'primary member':<20} {'published':>9} {'again':>9} {'difference':>10}",
            *table,
            "reproduced: identical" if self.identical else "not identical",
        ]


def compare(published: Path, again: Path) -> Comparison:
    """Compare the files of two folders of a combination; those that hold times are left out.

    Raises
    ------
    InputError
        If either has no scores.
    """
    names = [path.relative_to(published).as_posix() for path in sorted(published.rglob("*")) if path.is_file()]
    names = [name for name in names if Path(name).name not in VARYING]
    there = [name for name in names if (again / name).is_file()]
    same = [name for name in there if digest_file(published / name) == digest_file(again / name)]
    first, second = (_scores(folder) for folder in (published, again))
    scores = [(name, value, second[name]) for name, value in first.items() if name in second]
    differing = [name for name in there if name not in same]
    return Comparison(same, differing, [name for name in names if name not in there], scores)


def _scores(folder: Path) -> dict[str, float]:
    try:
        metrics = read_json(folder / "metrics.json")
        scores = metrics["members"][metrics["primary"]]
    except (OSError, LookupError) as error:
        raise InputError(f"{folder}/metrics.json: no scores to compare ({error}); has the run ended?") from None
    entries = {name: entry.get("value") for name, entry in scores.items() if isinstance(entry, dict)}
    return {name: float(value) for name, value in entries.items() if value is not None}


def check_published(image: Path | None) -> None:
    """Where a run starts that repeats a published one: tell what hinders that, and refuse unless told otherwise.

    Parameters
    ----------
    image
        The image that jobs run in; None without.

    Raises
    ------
    InputError
        With all that differs.
    """
    if PUBLISHED not in os.environ:
        return
    about = read_json(os.environ[PUBLISHED])
    found = hindrances(about, image)
    if found and ANYWAY not in os.environ:
        raise InputError(
            "; ".join(found) + f". Check out {about['commit']} and take its image or its lock, or go on: --anyway"
        )
    for line in found:
        print(f"attention: {line}", file=sys.stderr)


def hindrances(about: dict[str, Any], image: Path | None) -> list[str]:
    """Why a rerun here may give other numbers: another commit, and another image or other versions of libraries."""
    here, made, found = commit(ROOT), about["commit"], []
    if here != made:
        found.append(f"the result is of commit {made or 'unknown'}, and this checkout is at {here or 'none'}")
    if image:
        name = f"sha256:{digest_of(image)}"
        return found + [f"it was computed in image {about['image']}, and here is {name}"] * (name != about["image"])
    installed = versions()
    changed = {name: version for name, version in about["versions"].items() if installed.get(name) != version}
    return found + [f"{name} was {version} and is {installed.get(name, 'absent')}" for name, version in changed.items()]


def reproduce(run: Path, into: Path, anyway: bool, settings: Sequence[str], options: Sequence[str]) -> Comparison:
    """Run a published combination again in another folder, and compare.

    Parameters
    ----------
    run
        Folder with `run.json` and the other files of the combination.
    into
        Results folder of the repetition; what is there already is gone on with.
    anyway
        Go on at another commit or with other versions.
    settings
        `KEY=VALUE` that win over the published configuration, such as where the data lie.
    options
        Of Snakemake.

    Raises
    ------
    InputError
        If there is no such run, it is hindered, or the workflow fails.
    """
    if not (run / "run.json").is_file():
        raise InputError(f"{run}: no run.json; give the folder of a combination that is finished")
    if into.resolve() in (run.resolve(), run.resolve().parent):
        raise InputError(f"{into}: holds the published result; choose another folder")
    about = read_json(run / "run.json")
    name = "_".join(about[key] for key in ("model", "spectrogram", "classes"))
    config = into / "published.yaml"
    write_text(config, json.dumps(about["config"], indent=1) + "\n")  # JSON is YAML
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), f"{into}/{name}/report.html"]
    command += ["--configfile", str(config), "--config", f"results={into}", *settings, *options]
    if not any(option.startswith(HOW_MANY) for option in options):
        command += ["--cores", "all"]
    told = {PUBLISHED: str((run / "run.json").absolute())} | ({ANYWAY: "1"} if anyway else {})
    if subprocess.run(command, check=False, env=os.environ | told).returncode:
        raise InputError(f"the workflow did not end well; what it has done is kept in {into}")
    return compare(run, into / name)
