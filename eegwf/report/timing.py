"""Computing time of the jobs of a combination, from the benchmark files of Snakemake."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from eegwf.config.paths import Combination, ResultPaths
from eegwf.storage.files import read_table

COLUMNS = ("job", "seconds", "max_rss_mb", "cpu_seconds")


def timing(
    paths: ResultPaths, combination: Combination, spectrograms: Sequence[str], stages: Sequence[str]
) -> pd.DataFrame:
    """Read the computing time of the jobs of a combination; jobs without a benchmark file are omitted.

    Parameters
    ----------
    paths
        Files of the study.
    combination
        Model, spectrogram and class set.
    spectrograms
        Names of the spectrograms that form its input.
    stages
        Names of the stages, in the order of the workflow.

    Returns
    -------
    DataFrame
        Columns `job seconds max_rss_mb cpu_seconds`, a row per job in the order of the workflow; NaN if Snakemake did
        not measure a value because the job was shorter than its sampling interval.
    """
    rows = []
    for path in _benchmarks(paths.benchmarks, combination, spectrograms, stages):
        table = read_table(path)
        if len(table):
            row = [pd.to_numeric(table[name], errors="coerce").iloc[-1] for name in ("s", "max_rss", "cpu_time")]
            rows.append([path.relative_to(paths.benchmarks).with_suffix("").as_posix(), *row])
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _benchmarks(
    folder: Path, combination: Combination, spectrograms: Sequence[str], stages: Sequence[str]
) -> Iterator[Path]:
    """Benchmark files of the data, of the spectrograms and of the combination, in the order of the workflow."""
    name = combination.name
    paths = [path for path in folder.glob("*.tsv") if path.stem != "summary"]
    for path in folder.glob("*/*.tsv"):
        if path.stem == name or path.stem.startswith(f"{name}_") or path.stem in spectrograms:
            paths.append(path)

    def stage_of_file(path: Path) -> str:
        return stage_of(path.relative_to(folder).with_suffix("").as_posix())

    def order(path: Path) -> tuple[int, int, int, str]:
        numbers = re.search(r"(?:_fold(\d+))?(?:_worker(\d+))?$", path.stem)
        fold, worker = numbers.groups() if numbers else (None, None)
        return (stages.index(stage_of_file(path)), int(fold or 0), int(worker or 0), str(path))

    # A results folder may contain measurements of stages that no longer exist.
    yield from sorted((path for path in paths if stage_of_file(path) in stages), key=order)


def stage_of(job: str) -> str:
    """Stage of the name of a job: `tune/vit_mel_3class_fold1` belongs to `tune`."""
    return job.split("/")[0]
