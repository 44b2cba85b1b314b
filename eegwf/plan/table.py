"""A plan as text, and as what goes into a JSON file."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eegwf.plan.jobs import Job, longest_chain

HEAD = ("", "jobs", "again", "GPU-h asked", "GPU-h predicted", "CPU-h asked", "CPU-h predicted")


@dataclass(frozen=True)
class Cost:
    """Sums over jobs, in hours; predictions are of the jobs of which something is known."""

    jobs: int
    again: int
    gpu_asked: float
    gpu_predicted: float
    cpu_asked: float
    cpu_predicted: float
    unknown: int


def cost(jobs: Iterable[Job]) -> Cost:
    """Add up what jobs cost."""
    jobs = list(jobs)
    return Cost(
        jobs=len(jobs),
        again=sum(bool(job.again) for job in jobs),
        gpu_asked=sum(job.gpu * job.minutes for job in jobs) / 60,
        gpu_predicted=sum(job.gpu * (job.seconds or 0) for job in jobs) / 3600,
        cpu_asked=sum(job.cpus * job.minutes for job in jobs) / 60,
        cpu_predicted=sum(job.cpus * (job.seconds or 0) for job in jobs) / 3600,
        unknown=sum(job.seconds is None for job in jobs),
    )


def as_json(jobs: list[Job], disk: dict[str, int | None], learnt: bool) -> dict[str, Any]:
    """The plan for a file: totals, sums by rule and by combination, and the longest chain.

    Parameters
    ----------
    jobs
        All jobs.
    disk
        Bytes on disk, as a forecast gives them.
    learnt
        Whether runs of this study were measured.
    """
    seconds, chain = longest_chain(jobs)
    return {
        "total": vars(cost(jobs)),
        "rules": {name: vars(cost(own)) for name, own in _groups(jobs, "rule").items()},
        "combinations": {name or "shared": vars(cost(own)) for name, own in _groups(jobs, "combination").items()},
        "again": dict(Counter(job.again for job in jobs if job.again).most_common()),
        "longest_chain": {"seconds": seconds, "rules": chain},
        "disk_bytes": disk,
        "calibrated": learnt,
    }


def _groups(jobs: Iterable[Job], key: str) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = {}
    for job in jobs:
        found.setdefault(getattr(job, key), []).append(job)
    return found


def as_text(plan: dict[str, Any]) -> str:
    """The plan as tables."""
    total = plan["total"]
    if not total["jobs"]:
        return "Plan: nothing is to be done."
    parts = [_table("by rule", plan["rules"]), _table("by combination", plan["combinations"] | {"total": total})]
    chain = plan["longest_chain"]
    parts.append(
        f"Longest chain of jobs: {_span(chain['seconds'])} ({' > '.join(chain['rules'])}).\n"
        f"{_disk(**plan['disk_bytes'])}"
    )
    if plan["again"]:
        reasons = "; ".join(f"{reason} ({number})" for reason, number in plan["again"].items())
        parts.append(f"Work repeated, {total['again']} of {total['jobs']} jobs: {reasons}.")
    source = (
        "by the runs in this results folder"
        if plan["calibrated"]
        else "by figures of another machine's CPU: one small run here makes them this machine's"
    )
    parts.append(f"Predicted {source}." + (f" Of {total['unknown']} jobs nothing is known." * bool(total["unknown"])))
    return "\n\n".join(parts)


def _table(title: str, rows: dict[str, dict[str, Any]]) -> str:
    lines = [(title, *HEAD[1:])]
    for name, own in rows.items():
        hours = (own[key] for key in ("gpu_asked", "gpu_predicted", "cpu_asked", "cpu_predicted"))
        lines.append((name, str(own["jobs"]), str(own["again"] or ""), *map(_hours, hours)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(cells))
        for cells in (list(zip(line, widths, strict=True)) for line in lines)
    )


def _hours(hours: float) -> str:
    if not hours:
        return ""
    return "< 0.01" if hours < 0.01 else f"{hours:.2f}" if hours < 10 else f"{hours:,.0f}"


def _disk(arrays: int | None, arrays_peak: int | None, runs: int | None) -> str:
    if arrays is None:
        text = "Windows and spectrograms on disk: not known before the data are read."
    else:
        text = f"Windows and spectrograms on disk: {_size(arrays)}, at most {_size(arrays_peak)} while they are made."
    left = "not known before one has run" if runs is None else _size(runs)
    return f"{text} Models, checkpoints and maps of these combinations: {left}."


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.2g} GB"


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min" if minutes else "under a minute"
    )
