"""Computing time of jobs: measured in earlier runs, and scaled by the amount of work."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from eegwf.config.fold_paths import FoldPaths
from eegwf.config.paths import ResultPaths, RunPaths
from eegwf.config.study import Study
from eegwf.errors import InputError
from eegwf.plan.power import mean_watts
from eegwf.plan.sizes import Sizes, read_sizes
from eegwf.storage.files import read_json, read_table

SHIPPED = Path(__file__).with_name("calibration.json")
# Seconds in which a job starts where they can't be separated from its work; mostly imports.
START_SECONDS = 2.0

Wildcards = Mapping[str, str]


@dataclass(frozen=True)
class CostModel:
    """How the computing time of a stage's jobs is predicted.

    Attributes
    ----------
    work
        Work of a job in millions of values, by its wildcards and the sizes of the study; None if all jobs of the stage
        take the same time.
    rate_of
        Wildcard by whose value the seconds for each million values differ: `model`, `spectrogram`, or none.
    timing
        Table in which the jobs of an outer fold record their own time, and the number of jobs that share it; None if
        only Snakemake measures them. A job that was killed has only its last part in Snakemake's measurement.
    fixed_seconds
        Seconds of a job where the configuration sets them; None for none.
    """

    work: Callable[[Wildcards, Sizes], float] | None = None
    rate_of: str = ""
    timing: Callable[[FoldPaths, Mapping[str, Any]], tuple[Path, int]] | None = None
    fixed_seconds: Callable[[Study], float | None] | None = None

    def amount(self, wildcards: Wildcards, sizes: Sizes) -> float:
        """Work of a job in millions of values; 0 if all jobs take the same time."""
        return self.work(wildcards, sizes) if self.work else 0.0

    def rate_key(self, wildcards: Wildcards) -> str:
        """Model or spectrogram by which the rates differ; empty if they don't."""
        return str(wildcards[self.rate_of]) if self.rate_of else ""


class PlannedStage(Protocol):
    """What a plan needs to know of a stage; see `eegwf.dag.stages.Stage`."""

    @property
    def name(self) -> str:
        """Name of the stage."""

    @property
    def job(self) -> str:
        """Name of a job by wildcards."""

    @property
    def cost(self) -> CostModel:
        """How computing time is predicted."""


Stages = Mapping[str, PlannedStage]


@dataclass
class Rates:
    """Computing time of jobs.

    Attributes
    ----------
    start
        Seconds in which a job starts, by stage.
    rate
        Seconds for each million values, by stage and by model or spectrogram.
    watts
        Mean power by stage, as `eegwf.plan.power.mean_watts` returns it.
    """

    start: dict[str, float] = field(default_factory=dict)
    rate: dict[str, dict[str, float]] = field(default_factory=dict)
    watts: dict[str, dict[str, float]] = field(default_factory=dict)

    def seconds(self, stage: str, key: str, amount: float) -> float | None:
        """Seconds of a job.

        Parameters
        ----------
        stage
            Name of the stage.
        key
            Model or spectrogram by which the rates of the stage differ; empty if they don't.
        amount
            Work in millions of values.

        Returns
        -------
        float or None
            None if no such job was measured.
        """
        rate = self.rate.get(stage, {}).get(key)
        if stage not in self.start or (amount and rate is None):
            return None
        return self.start[stage] + amount * (rate or 0.0)


class Calibration:
    """Rates measured in the study's results, or else the shipped ones, scaled by the speed of this machine.

    Parameters
    ----------
    shipped, own
        Rates that come with the library, and rates of the study's own runs.
    stages
        The stages of the workflow.
    """

    def __init__(self, shipped: Rates, own: Rates, stages: Stages):
        self._shipped, self.own, self._stages = shipped, own, stages
        ratios: dict[str, list[float]] = defaultdict(list)
        for stage, rates in own.rate.items():
            for key, rate in rates.items():
                if stages[stage].cost.rate_of and shipped.rate.get(stage, {}).get(key):
                    ratios[stages[stage].cost.rate_of].append(rate / shipped.rate[stage][key])
        # Separately for models, which may run on a GPU, and for spectrograms, which may not.
        self._slowness = {kind: statistics.median(values) for kind, values in ratios.items()}

    def seconds(self, stage: str, wildcards: Wildcards, sizes: Sizes) -> float | None:
        """Predicted seconds of a job.

        Parameters
        ----------
        stage
            Name of the stage.
        sizes
            Sizes of the study.

        Returns
        -------
        float or None
            None if nothing is known about it.
        """
        if stage not in self._stages:
            return None
        cost = self._stages[stage].cost
        fixed = cost.fixed_seconds(sizes.study) if cost.fixed_seconds else None
        if fixed is not None:
            return fixed
        key, amount = cost.rate_key(wildcards), cost.amount(wildcards, sizes)
        measured = self.own.seconds(stage, key, amount)
        if measured is not None:
            return measured
        shipped = self._shipped.seconds(stage, key, amount)
        if shipped is None:
            return None
        # A stage without rates of its own runs on the CPU.
        return shipped * self._slowness.get(cost.rate_of or "spectrogram", 1.0)

    def measured(self, stage: str, wildcards: Wildcards) -> bool:
        """Whether such jobs were measured on this machine."""
        if stage not in self.own.start:
            return False
        cost = self._stages[stage].cost
        return not cost.rate_of or cost.rate_key(wildcards) in self.own.rate.get(stage, {})


def shipped_rates() -> Rates:
    """The rates that come with the library."""
    return Rates(**{key: value for key, value in read_json(SHIPPED).items() if key in ("start", "rate")})


def measured_rates(results: Path, stages: Stages, device: str = "auto") -> Rates:
    """Rates of the finished runs in a results folder.

    Parameters
    ----------
    results
        The folder.
    stages
        The stages of the workflow.
    device
        Configured device of the study. Of the models, only measurements on a GPU are taken if there are any, unless it
        is `cpu`, and then only those on the CPU.

    Returns
    -------
    Rates
        Empty if nothing has run.
    """
    measurements: list[_Measurement] = []
    paths = ResultPaths(results)
    for run in paths.finished_runs():
        try:
            record = read_json(run.run_record)
            sizes = read_sizes(Study.model_validate(record["config"]), results)
            measurements += _measurements(run, paths, record, sizes, stages)
        except (InputError, LookupError, ValueError, OSError):
            continue  # written by another version, or being written at this moment
    use_gpu = device != "cpu" and any(one.on_gpu for one in measurements)
    kept = [one for one in measurements if one.on_gpu in (None, use_gpu)]
    found = Rates()
    for stage in {one.stage: None for one in kept}:
        found.start[stage] = statistics.median(one.start for one in kept if one.stage == stage)
        tables = [one.costs for one in kept if one.stage == stage and one.costs is not None]
        if watts := mean_watts(tables, use_gpu):
            found.watts[stage] = watts
    for stage, key in {(one.stage, one.key): None for one in kept if one.amount}:
        same = [one for one in kept if (one.stage, one.key) == (stage, key)]
        rate = sum(one.seconds - one.start for one in same) / sum(one.amount for one in same)
        found.rate.setdefault(stage, {})[key] = max(rate, 0.0)
    return found


@dataclass(frozen=True)
class _Measurement:
    """A finished job: its seconds in all and to start, its work, whether a model ran on a GPU (None without one), and
    its timing table.
    """

    stage: str
    key: str
    seconds: float
    start: float
    amount: float
    on_gpu: bool | None
    costs: pd.DataFrame | None = None


def _measurements(
    run: RunPaths, paths: ResultPaths, record: Mapping[str, Any], sizes: Sizes, stages: Stages
) -> Iterator[_Measurement]:
    """Measurements of every job behind a run."""

    def measurement(
        stage: PlannedStage, seconds: float, start: float, costs: pd.DataFrame | None = None
    ) -> _Measurement:
        key, amount = stage.cost.rate_key(record), stage.cost.amount(record, sizes)
        on_gpu = gpu if stage.cost.rate_of == "model" else None
        return _Measurement(stage.name, key, seconds, start, amount, on_gpu, costs)

    starts: list[float] = []
    gpu = False
    for stage in stages.values():
        if stage.cost.timing is None:
            continue
        for folder in sorted(run.folder.glob("fold*")):
            table, n_jobs = stage.cost.timing(FoldPaths(folder), record)
            if not table.exists():
                continue
            rows = read_table(table, text=("device",))
            gpu |= "device" in rows and bool((rows["device"] != "cpu").any())
            seconds = float(rows["seconds"].sum()) / n_jobs
            fold = folder.name.removeprefix("fold")
            jobs = _benchmarks(paths, stage, {**record, "fold": fold, "study": folder.name})
            start = _seconds(jobs[0]) - seconds if jobs else 0.0
            starts += [start] if start > 0 else []
            yield measurement(stage, seconds + max(start, START_SECONDS), max(start, START_SECONDS), rows)
    # A job that loads a model takes as long to start as one that trains it.
    starts_of = {"model": statistics.median(starts or [START_SECONDS])}
    for stage in stages.values():
        if stage.cost.timing is not None:
            continue
        for path in _benchmarks(paths, stage, record):
            seconds = _seconds(path)
            start = seconds
            if stage.cost.work:
                start = min(starts_of.get(stage.cost.rate_of, START_SECONDS), 0.9 * seconds)
            yield measurement(stage, seconds, start)


def _benchmarks(paths: ResultPaths, stage: PlannedStage, wildcards: Mapping[str, Any]) -> list[Path]:
    """Snakemake's measurements of a stage's jobs; wildcards without a value match any."""
    known = defaultdict(lambda: "*", {name: value for name, value in wildcards.items() if isinstance(value, str)})
    pattern = paths.benchmark(stage.name, stage.job.format_map(known)).relative_to(paths.root).as_posix()
    return sorted(paths.root.glob(pattern))


def _seconds(benchmark: Path) -> float:
    """Seconds of a job as Snakemake measured it."""
    return float(read_table(benchmark)["s"].iloc[-1])
