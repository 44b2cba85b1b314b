"""Where a result comes from: versions, commit, seed, host, and what each job took."""

import os
import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from eegwf.provenance.container_image import this_image
from eegwf.provenance.git import ROOT, commit
from eegwf.provenance.versions import versions
from eegwf.spectrograms.names import members
from eegwf.storage.files import read_table

STAGES = (
    "synthesise",
    "import",
    "windows",
    "folds",
    "spectrogram",
    "search",
    "tune",
    "retrain",
    "evaluate",
    "explain",
    "report",
)
TIMING = ("job", "seconds", "max_rss_mb", "cpu_seconds")


def describe_run(config: dict[str, Any], model: str, spectrogram: str, classes: str) -> dict[str, Any]:
    """The content of `run.json`."""
    return {
        "config": config,
        "model": model,
        "spectrogram": spectrogram,
        "classes": classes,
        "versions": versions(),
        # Of an image's job the workflow tells the commit, since an image is no checkout.
        "commit": os.environ.get("EEGWF_COMMIT") or commit(ROOT),
        "image": this_image(),
        "seed": config["seed"],
        "host": platform.node(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def timing(results: Path, model: str, spectrogram: str, classes: str) -> pd.DataFrame:
    """What the jobs behind a combination took, from Snakemake's benchmark files; those not there are left out.

    Returns
    -------
    DataFrame
        Columns `job seconds max_rss_mb cpu_seconds`, a row per job in the order of the workflow; NaN where
        Snakemake could not measure (a job shorter than its sampling).
    """
    rows = []
    for path in _benchmarks(results / "benchmarks", f"{model}_{spectrogram}_{classes}", members(spectrogram)):
        table = read_table(path)
        if len(table):
            row = [pd.to_numeric(table[name], errors="coerce").iloc[-1] for name in ("s", "max_rss", "cpu_time")]
            rows.append([path.relative_to(results / "benchmarks").with_suffix("").as_posix(), *row])
    return pd.DataFrame(rows, columns=list(TIMING))


def _benchmarks(folder: Path, name: str, inputs: tuple[str, ...]) -> Iterator[Path]:
    """Benchmark files of the data, of the inputs and of the combination, in the order of the workflow."""
    found = [path for path in folder.glob("*.tsv") if path.stem != "summary"]
    for path in folder.glob("*/*.tsv"):
        if path.stem == name or path.stem.startswith(f"{name}_") or path.stem in inputs:
            found.append(path)

    def order(path: Path) -> tuple:
        stage = stage_of(path.relative_to(folder).with_suffix("").as_posix())
        fold, worker = re.search(r"(?:_fold(\d+))?(?:_worker(\d+))?$", path.stem).groups()
        place = STAGES.index(stage) if stage in STAGES else len(STAGES)
        return (place, int(fold or 0), int(worker or 0), str(path))

    yield from sorted(found, key=order)


def stage_of(job: str) -> str:
    """Stage of a job's name: `tune/vit_mel_3class_fold1` is `tune`, `import_tables` is `import`."""
    return job.split("/")[0].split("_")[0]
