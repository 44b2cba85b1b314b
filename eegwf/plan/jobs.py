"""The jobs that Snakemake would run, as a plan."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Predict = Callable[[str, Mapping[str, str]], float | None]
NAMES = ("model", "spectrogram", "classes")


@dataclass(frozen=True)
class Job:
    """A job of a plan.

    Attributes
    ----------
    combination
        Such as `vit_mel_3class`; empty for what several share.
    gpu, cpus, minutes, mem_mb
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
    mem_mb: int
    seconds: float | None
    again: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def job(
    rule: str,
    wildcards: Mapping[str, str],
    resources: Any,
    reason: str,
    inputs: Iterable[Any],
    outputs: Iterable[Any],
    predict: Predict,
    folder: Path,
) -> Job:
    """A job as Snakemake tells of it.

    Parameters
    ----------
    rule, wildcards, resources, reason, inputs, outputs
        Of Snakemake.
    predict
        Gives the seconds of a job.
    folder
        In which it would run.
    """
    outputs = tuple(map(str, outputs))
    there = any((folder / path).exists() for path in outputs)
    return Job(
        rule=rule,
        combination="_".join(wildcards[name] for name in NAMES) if set(NAMES) <= set(wildcards) else "",
        gpu=int(resources.get("gpu", 0)),
        cpus=int(resources.get("cpus_per_task", 1)),
        minutes=int(resources.get("runtime", 0)),
        mem_mb=int(resources.get("mem_mb", 0)),
        seconds=predict(rule, wildcards),
        again=reason.partition(":")[0] if there else "",
        inputs=tuple(map(str, inputs)),
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
