"""How long jobs take: measured in earlier runs, and scaled by what there is to do."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eegwf.config.study import Study
from eegwf.errors import InputError
from eegwf.plan.sizes import Sizes, read_sizes
from eegwf.storage.files import read_json, read_table

SHIPPED = Path(__file__).with_name("calibration.json")
MILLION = 1e6
# What a job's time grows with besides its own work: the model, the spectrogram, or nothing.
KINDS = {"search": "model", "retrain": "model", "explain": "model", "spectrogram": "spectrogram"}


def work(rule: str, wildcards: Mapping[str, str], sizes: Sizes) -> float:
    """What a job has to do, in millions of values that pass through it; 0 if it takes as long whatever comes.

    A training passes its windows through the network once an epoch. Trials that are pruned and trainings that stop
    early make it less; since they did so in the runs that were measured too, their share is in the rate.
    """
    study = sizes.study
    if rule in ("windows", "spectrogram"):
        return sizes.n_windows * sizes.values("raw") / MILLION
    if rule not in KINDS:
        return 0.0
    tuning, retrain = study.tuning, study.retrain
    windows, values = sizes.labelled(wildcards["classes"]), sizes.values(wildcards["spectrogram"])
    if rule == "explain":
        n_classes = len(study.classes[wildcards["classes"]])
        each = min(study.explanation.windows, windows / sizes.n_folds / n_classes)
        return n_classes * each * retrain.top * values / MILLION
    trained = windows * max(sizes.n_folds - 2, 1) / sizes.n_folds
    if rule == "retrain":
        return retrain.top * (retrain.epochs or study.training.epochs) * trained * values / MILLION
    limits = [tuning.trials and tuning.trials * tuning.inner_folds * study.training.epochs, tuning.epochs]
    epochs = min((limit for limit in limits if limit), default=0)
    return epochs * trained * values / tuning.workers / MILLION


@dataclass
class Rates:
    """Seconds of a job: those of its start, and those of a million values, by rule and by model or spectrogram."""

    start: dict[str, float] = field(default_factory=dict)
    rate: dict[str, dict[str, float]] = field(default_factory=dict)

    def seconds(self, rule: str, what: str, amount: float) -> float | None:
        """Seconds of a job; None if nothing like it was measured."""
        rate = self.rate.get(rule, {}).get(what)
        if rule not in self.start or (amount and rate is None):
            return None
        return self.start[rule] + amount * (rate or 0.0)


class Calibration:
    """Rates of this study's machine where its results hold any, else the shipped ones, as fast as this machine is."""

    def __init__(self, shipped: Rates, own: Rates):
        self._shipped, self.own = shipped, own
        ratios = [
            rate / shipped.rate[rule][what]
            for rule, rates in own.rate.items()
            for what, rate in rates.items()
            if shipped.rate.get(rule, {}).get(what) and rule in KINDS
        ]
        self.speed = statistics.median(ratios) if ratios else 1.0

    def seconds(self, rule: str, wildcards: Mapping[str, str], sizes: Sizes) -> float | None:
        """Seconds of a job; None if nothing is known of it."""
        if rule == "search" and sizes.study.tuning.minutes and not sizes.study.tuning.trials:
            return 60 * sizes.study.tuning.minutes / sizes.study.tuning.workers
        what, amount = what_of(rule, wildcards), work(rule, wildcards, sizes)
        found = self.own.seconds(rule, what, amount)
        if found is None:
            found = self._shipped.seconds(rule, what, amount)
            found = None if found is None else found * self.speed
        return found

    def measured(self, rule: str, wildcards: Mapping[str, str]) -> bool:
        """Whether jobs like this one were measured on this machine."""
        return rule in self.own.start and (rule not in KINDS or what_of(rule, wildcards) in self.own.rate.get(rule, {}))


def what_of(rule: str, wildcards: Mapping[str, str]) -> str:
    """Model or spectrogram by which a rule's rates differ."""
    return str(wildcards[KINDS[rule]]) if rule in KINDS else ""


def shipped_rates() -> Rates:
    """The rates that come with the library."""
    return Rates(**{key: value for key, value in read_json(SHIPPED).items() if key in ("start", "rate")})


def measured_rates(results: Path, device: str | None = None) -> Rates:
    """Rates of the finished runs in a results folder, of those on one device if it is named; empty without any."""
    spent: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    starts: dict[str, list[float]] = defaultdict(list)
    for run in sorted(results.glob("*/run.json")):
        try:
            about = read_json(run)
            if device not in (None, about["config"]["device"]):
                continue
            sizes = read_sizes(Study.model_validate(about["config"]), results)
            measured = list(_measurements(run.parent, results, about))
        except (InputError, LookupError, ValueError, OSError):
            continue  # of another version, or being written at this moment: there are other figures
        for rule, seconds, start in measured:
            starts[rule].append(start)
            amount = work(rule, about, sizes)
            if amount:
                spent[rule, what_of(rule, about)].append((seconds - start, amount))
    found = Rates({rule: statistics.median(values) for rule, values in starts.items()})
    for (rule, what), pairs in spent.items():
        rate = sum(seconds for seconds, _ in pairs) / sum(amount for _, amount in pairs)
        found.rate.setdefault(rule, {})[what] = max(rate, 0.0)
    return found


# Seconds in which a job starts, where they can't be told from its work: imports, mostly.
START = 2.0


def _measurements(run: Path, results: Path, about: dict) -> Iterator[tuple[str, float, float]]:
    """Rule, seconds of a job, and those of its start, of every job of a run."""
    benchmarks, name = results / "benchmarks", run.name
    # A job that was killed has told its benchmark of its last part alone; what trained tells of all.
    workers = about["config"]["tuning"].get("workers", 1)
    starts = []
    for rule, folder, jobs in (("search", "tune", workers), ("retrain", "retrain", 1)):
        for path in sorted(run.glob(f"fold*/{folder}/timing.tsv")):
            seconds = float(read_table(path)["seconds"].sum()) / jobs
            own = sorted((benchmarks / rule).glob(f"{name}_{path.parts[-3]}*.tsv"))
            start = _benchmark(own[0]) - seconds if own else 0.0
            starts += [start] if start > 0 else []
            yield rule, seconds + max(start, START), max(start, START)
    # An explanation loads what a training loads, and does little besides.
    growing = {"windows": START, "spectrogram": START, "explain": statistics.median(starts or [START])}
    patterns = {"spectrogram": (f"spectrogram/{about['spectrogram']}.tsv",)}
    patterns |= {rule: (f"{rule}.tsv",) for rule in ("synthesise", "windows", "import_tables", "folds", "summary")}
    patterns |= {rule: (f"{rule}/{name}.tsv", f"{rule}/{name}_fold*.tsv") for rule in ("tune", "explain", *ENDS)}
    for rule, own in patterns.items():
        for path in (found for pattern in own for found in sorted(benchmarks.glob(pattern))):
            seconds = _benchmark(path)
            yield rule, seconds, min(growing.get(rule, seconds), 0.9 * seconds if rule in growing else seconds)


ENDS = ("evaluate", "report")


def _benchmark(path: Path) -> float:
    """Seconds of a job as Snakemake measured it."""
    return float(read_table(path)["s"].iloc[-1])
