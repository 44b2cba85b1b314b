"""Computing cost of a combination: time, energy, epochs and windows of each stage; each Optuna study counts once."""

from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from eegwf.models.registry import entry_of
from eegwf.report.data import ReportData
from eegwf.report.formats import count, defined, duration, energy
from eegwf.report.optuna_studies import studies
from eegwf.report.tables import Cell, Table
from eegwf.report.timing import stage_of
from eegwf.training.cost_record import ENERGY_COLUMNS

COLUMNS = ("stage", "jobs", "seconds", "gpu_seconds", *ENERGY_COLUMNS, "epochs", "windows")
COUNTS = ("jobs", "gpu_processes", "epochs", "windows")
ENERGY_NOTE = (
    "Energy is measured while a training runs: CPU energy is that of all processor packages of the machine, and GPU "
    "energy that of the whole card, including what other jobs used of them; of trainings that ran at the same time on "
    "one machine or one shared card, the sum contains the same energy several times."
)
NO_ENERGY = "Energy was not measured."
FLOATS = ("seconds", "gpu_seconds", "cpu_joules", "gpu_joules")
# Stages whose jobs write timing tables, and the stage under which their cost is counted.
MEASURED = {"tune": "tune", "select_best": "tune", "retrain": "retrain"}


def ledger(run: ReportData, timing: pd.DataFrame, stages: Sequence[str]) -> pd.DataFrame:
    """Sum the computing cost of each stage.

    Parameters
    ----------
    run
        Content of the report, with the timing tables of its folds.
    timing
        Measurements of Snakemake, `timing.tsv`.
    stages
        Names of the stages, in the order of the workflow.

    Returns
    -------
    DataFrame
        Columns `stage jobs seconds gpu_seconds cpu_joules gpu_joules gpu_processes epochs windows`, the last row
        `total`. Tuning (a job is a trial) and retraining (a job is a rank, or a further seed of rank 1) are sums of
        their timing tables, an energy only if it was measured for all of their rows. Other stages, and these two in
        results without timing tables, are Snakemake's measurements of whole jobs: their GPU time is their time if the
        jobs had a GPU, and missing if this is unknown; their energy is not measured. The total is the sum of the
        stages whose value is known.
    """
    measured = {
        "tune": _measured("tune", [study.first.tuning_cost for study in studies(run)], "trial"),
        "retrain": _measured("retrain", [fold.retrain_cost for fold in run.outer], "rank"),
    }
    rows = {stage: row for stage, row in measured.items() if row is not None}
    # The report is not part of the cost of a result, and its last time would be that of an earlier page.
    jobs = timing.assign(stage=[MEASURED.get(stage_of(job), stage_of(job)) for job in timing["job"]])
    for name, part in jobs.groupby("stage", sort=False):
        stage = str(name)
        if stage not in rows and stage != "report":
            seconds = float(part["seconds"].sum())
            used = _used_gpu(run, stage)
            gpu_seconds, gpu_joules = (None if used is None else seconds * used), (0.0 if used is False else None)
            rows[stage] = [stage, len(part), seconds, gpu_seconds, None, gpu_joules, None, None, None]
    order = {stage: position for position, stage in enumerate(stages)}
    table = pd.DataFrame(
        sorted(rows.values(), key=lambda row: order.get(str(row[0]), len(order))), columns=list(COLUMNS)
    ).astype(dict.fromkeys((*FLOATS, "gpu_processes"), float))
    totals = {name: table[name].sum() for name in COLUMNS[1:]} | {
        "cpu_joules": _known_sum(table["cpu_joules"]),
        "gpu_joules": _known_sum(table["gpu_joules"]),
        "gpu_processes": table["gpu_processes"].max(),
    }
    total = pd.DataFrame([{"stage": "total", **totals}])
    table = pd.concat([table, total], ignore_index=True) if len(table) else total
    return table.astype(dict.fromkeys(FLOATS, float) | dict.fromkeys(COUNTS, "Int64"))


def _known_sum(joules: pd.Series) -> float:
    """Sum of the known energies; NaN if it is 0 only because others are unknown."""
    known = float(joules.sum())
    return known if known or joules.notna().all() else float("nan")


def _measured(stage: str, costs: Iterable[pd.DataFrame], unit: str) -> list | None:
    costs = [cost for cost in costs if len(cost)]
    if not costs:
        return None
    rows = pd.concat(costs)
    gpu = rows.loc[rows["device"] != "cpu", "seconds"].sum()
    jobs = sum(len(cost[[unit, "seed"]].drop_duplicates()) for cost in costs)
    return [
        stage,
        jobs,
        float(rows["seconds"].sum()),
        float(gpu),
        float(rows["cpu_joules"].sum(skipna=False)),
        float(rows["gpu_joules"].sum(skipna=False)),
        float(rows["gpu_processes"].max()),
        int(rows["epochs"].sum()),
        int(rows["windows"].sum()),
    ]


def _used_gpu(run: ReportData, stage: str) -> bool | None:
    """Whether the jobs of a stage used a GPU; None if this is unknown."""
    if stage == "spectrogram":
        return False if run.study.spectrograms.device == "cpu" else None
    if stage not in ("tune", "retrain", "explain") or run.study.device == "cpu":
        return False
    if not entry_of(run.model, run.study.models[run.model].fixed).gradient_trained:
        return False
    devices = {fold.maps.about.get("device") for fold in run.outer if fold.maps}
    if stage == "explain" and len(devices) == 1 and None not in devices:
        return devices != {"cpu"}
    return None


def ledger_table(table: pd.DataFrame) -> Table:
    """The computing cost as a table of the page."""
    unknown = bool(table["gpu_seconds"].isna().any())
    measured = bool(table["cpu_joules"].notna().any() or (table["gpu_joules"] > 0).any())
    columns = {
        "stage": table["stage"],
        "jobs": [f"{jobs:,d}" for jobs in table["jobs"]],
        "time": [duration(seconds) for seconds in table["seconds"]],
        "GPU time": _cells(table["gpu_seconds"], duration, "unknown"),
    }
    if measured:
        shared = ", shared GPU"
        gpu = zip(_cells(table["gpu_joules"], energy, "not measured"), table["gpu_processes"], strict=True)
        columns["CPU energy"] = _cells(table["cpu_joules"], energy, "not measured")
        columns["GPU energy"] = [
            f"{cell}{shared if not pd.isna(processes) and processes > 1 else ''}" for cell, processes in gpu
        ]
    for name, heading in (("epochs", "epochs"), ("windows", "training windows")):
        columns[heading] = ["" if pd.isna(value) else f"{value:,d}" for value in table[name]]
    rows: list[list[Cell]] = [list(row) for row in zip(*columns.values(), strict=True)]
    return Table(
        "Computing cost by stage",
        list(columns),
        rows,
        "Tuning and retraining: time of training, including interrupted runs; a job is a trial, a rank, or a further "
        "seed of rank 1, and an Optuna study that several folds share is counted once. Other stages: Snakemake's "
        "measurements of whole jobs"
        + (", which do not always include the use of a GPU" if unknown else "")
        + f"; data and spectrograms are also used by other combinations. {ENERGY_NOTE if measured else NO_ENERGY} "
        "The same table is in ledger.tsv.",
        strong={len(rows) - 1},
    )


def _cells(values: pd.Series, formatted: Callable[[float], str], missing: str) -> list[str]:
    """Cells of a column whose last value is the total."""
    cells = [(formatted(value) if value else "0") if defined(value) else missing for value in values]
    if values.iloc[:-1].isna().any() and defined(values.iloc[-1]):
        cells[-1] = f"at least {cells[-1]}"
    return cells


def cost_sentence(run: ReportData, table: pd.DataFrame) -> str:
    """Describe the computing cost of tuning and retraining.

    Parameters
    ----------
    run
        Content of the report.
    table
        The ledger.

    Returns
    -------
    str
        Total and mean per outer fold; empty without timing tables.
    """
    rows = table[table["stage"].isin(["tune", "retrain"]) & table["epochs"].notna()].set_index("stage")
    if rows.empty:
        return ""
    n = len(run.outer)
    seconds = {str(stage): float(value) for stage, value in rows["seconds"].items()}
    parts = [
        f"{name} {duration(seconds[stage] / n)}"
        for stage, name in (("tune", "tuning"), ("retrain", "retraining"))
        if stage in seconds
    ]
    gpu = float(rows["gpu_seconds"].sum())
    device = f", {duration(gpu)} of it on a GPU" if gpu else ", all of it on the CPU"
    shared = f"; the cost of the shared Optuna study is divided by {n}" if run.mode != "per_fold" and n > 1 else ""
    total = sum(seconds.values())
    epochs, windows = int(rows["epochs"].sum()), int(rows["windows"].sum())
    return (
        f"Tuning and retraining took {duration(total)} of computing time{device}: {count(epochs, 'epoch')}, "
        f"{count(windows, 'training window')}. Mean cost of an outer fold ({count(n, 'fold')}): {duration(total / n)} "
        f"({', '.join(parts)}{shared})."
    )
