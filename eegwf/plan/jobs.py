"""The jobs that Snakemake would run, as a plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMES = ("model", "spectrogram", "classes")


@dataclass(frozen=True)
class Job:
    """A job of a plan.

    Attributes
    ----------
    combination
        Such as `vit_mel_3class`; empty for what several share.
    gpu, cpus, minutes
        What it asks for.
    seconds
        What it is predicted to take; None if nothing is known.
    again
        Why it repeats what is there already; empty for new work.
    inputs, outputs
        Files.
    """

    rule: str
    combination: str
    gpu: int
    cpus: int
    minutes: int
    seconds: float | None
    again: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def planned(told: Any, seconds: float | None) -> Job:
    """A job as Snakemake's log tells of it, in the folder in which it would run.

    Parameters
    ----------
    told
        Record with `rule_name`, `wildcards`, `resources`, `reason`, `input` and `output`.
    seconds
        What it is predicted to take.
    """
    wildcards, outputs = dict(told.wildcards or {}), tuple(map(str, told.output))
    there = any(Path(path).exists() for path in outputs)
    return Job(
        rule=told.rule_name,
        combination="_".join(wildcards[name] for name in NAMES) if set(NAMES) <= set(wildcards) else "",
        gpu=int(told.resources.get("gpu", 0) or told.resources.get("gres_gpus", 0)),
        cpus=int(told.resources.get("cpus_per_task", 1)),
        minutes=int(told.resources.get("runtime", 0)),
        seconds=seconds,
        again=told.reason.partition(":")[0] if there else "",
        inputs=tuple(map(str, told.input)),
        outputs=outputs,
    )


def longest_chain(jobs: Iterable[Job]) -> tuple[float, list[str]]:
    """Seconds and rules of the longest chain of jobs that wait for one another; what is not known counts as nothing."""
    jobs = list(jobs)
    maker = {path: number for number, job in enumerate(jobs) for path in job.outputs}
    best: dict[int, tuple[float, int | None]] = {}
    for start in range(len(jobs)):
        stack = [start]
        while stack:
            number = stack[-1]
            before = {maker[path] for path in jobs[number].inputs if path in maker} - {number}
            waiting = [other for other in before if other not in best]
            if waiting:
                stack += waiting
                continue
            stack.pop()
            last = max(before, key=lambda other: (best[other][0], other), default=None)
            best[number] = ((jobs[number].seconds or 0.0) + (best[last][0] if last is not None else 0.0), last)
    if not best:
        return 0.0, []
    at: int | None = max(best, key=lambda number: (best[number][0], -number))
    seconds, chain = best[at][0], []
    while at is not None:
        chain.append(jobs[at].rule)
        at = best[at][1]
    return seconds, chain[::-1]
