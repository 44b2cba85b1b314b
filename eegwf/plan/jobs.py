"""Jobs of a plan, and the longest chain of jobs that depend on one another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eegwf.config.paths import Combination
from eegwf.plan.forecast import Forecast


@dataclass(frozen=True)
class Job:
    """A job of a plan.

    Attributes
    ----------
    rule
        Name of its rule.
    combination
        Name such as `vit_mel_3class`; empty for a job that several combinations share.
    gpu, cpus, minutes
        Requested GPUs, CPU cores and time.
    seconds
        Predicted time; None if nothing is known.
    repeated
        Why the job repeats finished work; empty for new work.
    inputs, outputs
        Files.
    watts
        Mean power, as `eegwf.plan.forecast.Forecast.watts` returns it.
    """

    rule: str
    combination: str
    gpu: int
    cpus: int
    minutes: int
    seconds: float | None
    repeated: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    watts: Mapping[str, float] = field(default_factory=dict)


def planned_job(record: Any, forecast: Forecast) -> Job:
    """A job from Snakemake's log, in the folder in which it would run.

    Parameters
    ----------
    record
        Log record with `rule_name`, `wildcards`, `resources`, `reason`, `input` and `output`.
    forecast
        Predicts the time and the power of a job by its rule and wildcards.

    Returns
    -------
    Job
        The job.
    """
    wildcards, outputs = dict(record.wildcards or {}), tuple(map(str, record.output))
    exists = any(Path(path).exists() for path in outputs)
    of_combination = set(Combination._fields) <= set(wildcards)
    return Job(
        rule=record.rule_name,
        combination=Combination(*(wildcards[name] for name in Combination._fields)).name if of_combination else "",
        gpu=int(record.resources.get("gpu", 0) or record.resources.get("gres_gpus", 0)),
        cpus=int(record.resources.get("cpus_per_task", 1)),
        minutes=int(record.resources.get("runtime", 0)),
        seconds=forecast.seconds(record.rule_name, wildcards),
        repeated=record.reason.partition(":")[0] if exists else "",
        inputs=tuple(map(str, record.input)),
        outputs=outputs,
        watts=forecast.watts(record.rule_name, wildcards),
    )


def longest_chain(jobs: Iterable[Job]) -> tuple[float, list[str]]:
    """Seconds and rules of the longest chain of jobs that depend on one another; unknown times count as 0."""
    jobs = list(jobs)
    producer = {path: number for number, job in enumerate(jobs) for path in job.outputs}
    longest: dict[int, tuple[float, int | None]] = {}  # seconds up to the end of a job, and the job before it
    for start in range(len(jobs)):
        stack = [start]
        while stack:
            number = stack[-1]
            before = {producer[path] for path in jobs[number].inputs if path in producer} - {number}
            missing = [other for other in before if other not in longest]
            if missing:
                stack += missing
                continue
            stack.pop()
            last = max(before, key=lambda other: (longest[other][0], other), default=None)
            seconds = (jobs[number].seconds or 0.0) + (longest[last][0] if last is not None else 0.0)
            longest[number] = (seconds, last)
    if not longest:
        return 0.0, []
    end = max(longest, key=lambda number: (longest[number][0], -number))
    total, chain = longest[end][0], []
    current: int | None = end
    while current is not None:
        chain.append(jobs[current].rule)
        current = longest[current][1]
    return total, chain[::-1]
