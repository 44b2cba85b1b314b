"""A plan as tables of text, and as JSON."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eegwf.plan.jobs import Job, longest_chain

COLUMNS = ("", "jobs", "repeated", "GPU-h requested", "GPU-h predicted", "CPU-h requested", "CPU-h predicted")


@dataclass(frozen=True)
class Cost:
    """Sums over jobs, in hours.

    Attributes
    ----------
    jobs, repeated, unknown
        Number of jobs, of those that repeat finished work, and of those without a prediction, which count as 0.
    gpu_requested, gpu_predicted, cpu_requested, cpu_predicted
        GPU-hours and CPU-hours.
    metered
        Number of jobs whose time is predicted and whose power was measured.
    gpu_kwh, cpu_kwh
        Predicted energy of these jobs: of the GPUs, and of all processor packages of the machines while the jobs run;
        None if it was not measured.
    """

    jobs: int
    repeated: int
    gpu_requested: float
    gpu_predicted: float
    cpu_requested: float
    cpu_predicted: float
    unknown: int
    metered: int
    gpu_kwh: float | None
    cpu_kwh: float | None


def cost(jobs: Iterable[Job]) -> Cost:
    """Sum of the cost of jobs."""
    jobs = list(jobs)
    return Cost(
        jobs=len(jobs),
        repeated=sum(bool(job.repeated) for job in jobs),
        gpu_requested=sum(job.gpu * job.minutes for job in jobs) / 60,
        gpu_predicted=sum(job.gpu * (job.seconds or 0) for job in jobs) / 3600,
        cpu_requested=sum(job.cpus * job.minutes for job in jobs) / 60,
        cpu_predicted=sum(job.cpus * (job.seconds or 0) for job in jobs) / 3600,
        unknown=sum(job.seconds is None for job in jobs),
        metered=sum(bool(job.watts) and job.seconds is not None for job in jobs),
        gpu_kwh=_kwh((job for job in jobs if job.gpu), "gpu"),
        cpu_kwh=_kwh(jobs, "cpu"),
    )


def _kwh(jobs: Iterable[Job], part: str) -> float | None:
    joules = [job.watts[part] * job.seconds for job in jobs if part in job.watts and job.seconds is not None]
    return sum(joules) / 3.6e6 if joules else None


def as_json(jobs: list[Job], disk: dict[str, int | None], calibrated: bool) -> dict[str, Any]:
    """The plan for a file.

    Parameters
    ----------
    jobs
        All jobs.
    disk
        Bytes on disk, as `eegwf.plan.forecast.Forecast.disk` returns them.
    calibrated
        Whether the predictions use runs in the results folder.

    Returns
    -------
    dict
        Totals, sums by rule and by combination, reasons of repeated work, the longest chain of jobs, and disk.
    """
    seconds, chain = longest_chain(jobs)
    return {
        "total": vars(cost(jobs)),
        "rules": {name: vars(cost(group)) for name, group in _groups(jobs, "rule").items()},
        "combinations": {name or "shared": vars(cost(group)) for name, group in _groups(jobs, "combination").items()},
        "repeated": dict(Counter(job.repeated for job in jobs if job.repeated).most_common()),
        "longest_chain": {"seconds": seconds, "rules": chain},
        "disk_bytes": disk,
        "calibrated": calibrated,
    }


def _groups(jobs: Iterable[Job], key: str) -> dict[str, list[Job]]:
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(getattr(job, key), []).append(job)
    return groups


def as_text(plan: dict[str, Any]) -> str:
    """The plan as tables."""
    total = plan["total"]
    if not total["jobs"]:
        return "Plan: no jobs to run."
    parts = [_table("by rule", plan["rules"]), _table("by combination", plan["combinations"] | {"total": total})]
    chain = plan["longest_chain"]
    parts.append(
        f"Longest chain of jobs: {_span(chain['seconds'])} ({' > '.join(chain['rules'])}).\n"
        f"{_disk(**plan['disk_bytes'])}"
    )
    if energy := _energy(total):
        parts[-1] += f"\n{energy}"
    if plan["repeated"]:
        reasons = "; ".join(f"{reason} ({number})" for reason, number in plan["repeated"].items())
        parts.append(f"Repeated work, {total['repeated']} of {total['jobs']} jobs: {reasons}.")
    source = (
        "from the runs in this results folder"
        if plan["calibrated"]
        else "from measurements on the CPU of another machine; after one small run here, from that run"
    )
    n_unknown = total["unknown"]
    unknown = f" {n_unknown} job{'s have' if n_unknown > 1 else ' has'} no prediction." if n_unknown else ""
    parts.append(f"Predicted {source}.{unknown}")
    return "\n\n".join(parts)


def _table(title: str, rows: dict[str, dict[str, Any]]) -> str:
    lines: list[tuple[str, ...]] = [(title, *COLUMNS[1:])]
    for name, row in rows.items():
        hours = (row[key] for key in ("gpu_requested", "gpu_predicted", "cpu_requested", "cpu_predicted"))
        lines.append((name, str(row["jobs"]), str(row["repeated"] or ""), *map(_hours, hours)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(cells))
        for cells in (list(zip(line, widths, strict=True)) for line in lines)
    )


def _hours(hours: float) -> str:
    if not hours:
        return ""
    return "< 0.01" if hours < 0.01 else f"{hours:.2f}" if hours < 10 else f"{hours:,.0f}"


def _energy(total: dict[str, Any]) -> str:
    """Predicted energy; empty if none was measured."""
    gpu, cpu = total["gpu_kwh"], total["cpu_kwh"]
    parts = [f"GPUs {_kilowatt_hours(gpu)}"] if gpu else []
    parts += [f"processors at most {_kilowatt_hours(cpu)}, including other jobs"] if cpu else []
    jobs = f"{total['metered']} of {total['jobs']} jobs"
    return f"Energy of {jobs}, from the power of earlier ones: {'; '.join(parts)}." if parts else ""


def _kilowatt_hours(value: float) -> str:
    return f"{value:{'.2g' if value < 99.5 else ',.0f'}} kWh"


def _disk(arrays: int | None, arrays_peak: int | None, runs: int | None) -> str:
    if arrays is None or arrays_peak is None:
        text = "Windows and spectrograms on disk: unknown before the data are read."
    else:
        text = (
            f"Windows and spectrograms on disk: {_size(arrays)}, at most {_size(arrays_peak)} while they are written."
        )
    return f"{text} Models, checkpoints and maps: {'unknown before one run' if runs is None else _size(runs)}."


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:{'.2g' if n_bytes < 1e11 else ',.0f'}} GB"


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else "under a minute"
