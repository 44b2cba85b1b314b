"""Rerun a published result from its `run.json`, and compare the files byte by byte."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eegwf.config.path_text import escape_paths
from eegwf.config.paths import VARYING_FILES, Combination, ResultPaths, RunPaths
from eegwf.errors import InputError
from eegwf.provenance.container_image import digest_of
from eegwf.provenance.git import ROOT, commit
from eegwf.provenance.versions import versions
from eegwf.storage.files import digest_file, read_json, write_text

logger = logging.getLogger(__name__)

# Environment of a run that repeats another one: the run.json of the latter, and whether mismatches are accepted.
PUBLISHED, FORCE = "EEGWF_PUBLISHED", "EEGWF_FORCE"
# Options of Snakemake that set the number of jobs.
JOB_OPTIONS = ("--cores", "-c", "--jobs", "-j", "--profile", "--workflow-profile")


@dataclass(frozen=True)
class Comparison:
    """Comparison of a published result with its repetition, file by file.

    Attributes
    ----------
    same, differing, missing
        Names of files with the same bytes, with different bytes, and without a counterpart in the repetition.
    scores
        Scores of the primary member: name, published value, repeated value.
    """

    same: list[str]
    differing: list[str]
    missing: list[str]
    scores: list[tuple[str, float, float]]

    @property
    def identical(self) -> bool:
        """Whether every published file was reproduced byte for byte."""
        return bool(self.same) and not self.differing and not self.missing

    def lines(self) -> list[str]:
        """The comparison as lines of text."""
        names = [f"  differs: {name}" for name in self.differing] + [f"  missing: {name}" for name in self.missing]
        table = [f"  {name:<20} {old:>9.4f} {new:>9.4f} {new - old:>+10.2g}" for name, old, new in self.scores]
        total = len(self.same) + len(names)
        return [
            f"{len(self.same)} of {total} files have the published bytes",
            *names,
            f"  {'primary member':<20} {'published':>9} {'repeated':>9} {'difference':>10}",
            *table,
            "reproduced: identical" if self.identical else "not identical",
        ]


def compare(published: Path, repeated: Path) -> Comparison:
    """Compare the files of two folders of a combination, except those that contain times.

    Parameters
    ----------
    published, repeated
        The folders.

    Returns
    -------
    Comparison
        File by file.

    Raises
    ------
    InputError
        If a folder has no scores.
    """
    names = [path.relative_to(published).as_posix() for path in sorted(published.rglob("*")) if path.is_file()]
    names = [name for name in names if Path(name).name not in VARYING_FILES]
    present = [name for name in names if (repeated / name).is_file()]
    same = [name for name in present if digest_file(published / name) == digest_file(repeated / name)]
    before, after = (_scores(folder) for folder in (published, repeated))
    scores = [(name, value, after[name]) for name, value in before.items() if name in after]
    differing = [name for name in present if name not in same]
    return Comparison(same, differing, [name for name in names if name not in present], scores)


def _scores(folder: Path) -> dict[str, float]:
    file = RunPaths(folder).metrics
    try:
        metrics = read_json(file)
        scores = metrics["members"][metrics["primary"]]
    except (OSError, LookupError) as error:
        raise InputError(f"{file}: no scores to compare ({error}); has the run finished?") from None
    values = {name: entry.get("value") for name, entry in scores.items() if isinstance(entry, dict)}
    return {name: float(value) for name, value in values.items() if value is not None}


def check_published(image: Path | None) -> None:
    """At the start of a run that repeats a published one, refuse another environment unless it is accepted.

    Parameters
    ----------
    image
        Container image of the jobs; None without containers.

    Raises
    ------
    InputError
        With all mismatches.
    """
    if PUBLISHED not in os.environ:
        return
    record = read_json(os.environ[PUBLISHED])
    mismatches = environment_mismatches(record, image)
    if mismatches and FORCE not in os.environ:
        raise InputError(
            f"{'; '.join(mismatches)}. Check out {record['commit']} and use its image or its lock file, or continue "
            "with --force"
        )
    for line in mismatches:
        logger.warning("warning: %s", line)


def environment_mismatches(record: dict[str, Any], image: Path | None) -> list[str]:
    """Differences between the environment of a published run and this one.

    Parameters
    ----------
    record
        Content of the published `run.json`.
    image
        Container image of the jobs; None without containers.

    Returns
    -------
    list of str
        Another commit, and another image or other versions of packages.
    """
    here, published = commit(ROOT), record["commit"]
    mismatches = []
    if here != published:
        mismatches.append(f"the result is of commit {published or 'unknown'}, this checkout is at {here or 'none'}")
    if image:
        name = f"sha256:{digest_of(image)}"
        if name != record["image"]:
            mismatches.append(f"the result was computed in image {record['image']}, the image here is {name}")
        return mismatches
    installed = versions()
    for name, version in record["versions"].items():
        if installed.get(name) != version:
            mismatches.append(f"{name} was {version} and is {installed.get(name, 'missing')}")
    return mismatches


def targets(published: RunPaths, repeated: RunPaths) -> list[Path]:
    """Files that repeat all results of a published combination.

    Parameters
    ----------
    published, repeated
        Its files, and those of the repetition.

    Returns
    -------
    list of Path
        The report; if they are published, the final models and the reports of external tests.
    """
    names = sorted(path.parent.name for path in published.folder.glob("external/*/*.html"))
    final = [repeated.final.description] if published.final.description.is_file() else []
    return [repeated.report, *final, *(repeated.external(name).report for name in names)]


def reproduce(run: Path, output_dir: Path, force: bool, settings: Sequence[str], options: Sequence[str]) -> Comparison:
    """Repeat a published combination in another folder, and compare.

    Parameters
    ----------
    run
        Folder of the combination, with its `run.json`.
    output_dir
        Results folder of the repetition; finished work in it is kept.
    force
        Continue at another commit or with other versions.
    settings
        `KEY=VALUE` that override the published configuration, such as the location of the data.
    options
        Options of Snakemake.

    Returns
    -------
    Comparison
        File by file.

    Raises
    ------
    InputError
        If there is no such run, its environment differs, or the workflow fails.
    """
    record_file = RunPaths(run).run_record
    if not record_file.is_file():
        raise InputError(f"{run}: no {record_file.name}; give the folder of a finished combination")
    if output_dir.resolve() in (run.resolve(), run.resolve().parent):
        raise InputError(f"{output_dir}: contains the published result; choose another folder")
    record = read_json(record_file)
    combination = Combination(record["model"], record["spectrogram"], record["classes"])
    repeated = ResultPaths(output_dir).run(combination)
    config = output_dir / "published.yaml"
    # JSON is YAML. The recorded paths are expanded already.
    settings = [f"results={escape_paths({'results': str(output_dir)})['results']}", *settings]
    write_text(config, json.dumps(escape_paths(record["config"]), indent=1) + "\n")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += [str(target) for target in targets(RunPaths(run), repeated)]
    command += ["--configfile", str(config), "--config", *settings, *options]
    if not any(option.startswith(JOB_OPTIONS) for option in options):
        command += ["--cores", "all"]
    variables = {PUBLISHED: str(record_file.absolute())} | ({FORCE: "1"} if force else {})
    if subprocess.run(command, check=False, env=os.environ | variables).returncode:
        raise InputError(f"the workflow failed; finished work is kept in {output_dir}")
    return compare(run, repeated.folder)
