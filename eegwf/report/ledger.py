"""Computing cost of a combination: time, epochs and windows of each stage; each Optuna study is counted once."""

from collections.abc import Iterable, Sequence

import pandas as pd

from eegwf.models.registry import entry_of
from eegwf.report.data import ReportData
from eegwf.report.formats import count, defined, duration
from eegwf.report.optuna_studies import studies
from eegwf.report.tables import Cell, Table
from eegwf.report.timing import stage_of

COLUMNS = ("stage", "jobs", "seconds", "gpu_seconds", "epochs", "windows")
COUNTS = ("jobs", "epochs", "windows")
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
        Columns `stage jobs seconds gpu_seconds epochs windows`, the last row `total`. Tuning (a job is a trial) and
        retraining (a job is a rank) are sums of their timing tables. Other stages, and these two in results without
        timing tables, are Snakemake's measurements of whole jobs: their GPU time is their time if the jobs had a GPU,
        and empty if this is unknown.
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
            rows[stage] = [stage, len(part), seconds, None if used is None else seconds * used, None, None]
    order = {stage: position for position, stage in enumerate(stages)}
    table = pd.DataFrame(
        sorted(rows.values(), key=lambda row: order.get(str(row[0]), len(order))), columns=list(COLUMNS)
    ).astype({"seconds": float, "gpu_seconds": float})
    total = pd.DataFrame([["total", *(table[name].sum() for name in COLUMNS[1:])]], columns=list(COLUMNS))
    table = pd.concat([table, total], ignore_index=True) if len(table) else total
    return table.astype({"seconds": float, "gpu_seconds": float} | dict.fromkeys(COUNTS, "Int64"))


def _measured(stage: str, costs: Iterable[pd.DataFrame], unit: str) -> list | None:
    costs = [cost for cost in costs if len(cost)]
    if not costs:
        return None
    rows = pd.concat(costs)
    gpu = rows.loc[rows["device"] != "cpu", "seconds"].sum()
    jobs = sum(cost[unit].nunique() for cost in costs)
    return [
        stage,
        jobs,
        float(rows["seconds"].sum()),
        float(gpu),
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
    rows: list[list[Cell]] = []
    for row in table.to_dict("records"):
        gpu = row["gpu_seconds"]
        counts = [f"{row[name]:,d}" if not pd.isna(row[name]) else "" for name in ("epochs", "windows")]
        gpu_time = (duration(gpu) if gpu else "0") if defined(gpu) else "unknown"
        rows.append([row["stage"], f"{row['jobs']:,d}", duration(row["seconds"]), gpu_time, *counts])
    unknown = bool(table["gpu_seconds"].isna().any())
    if unknown:
        rows[-1][3] = f"at least {rows[-1][3]}"
    return Table(
        "Computing cost by stage",
        ["stage", "jobs", "time", "GPU time", "epochs", "training windows"],
        rows,
        "Tuning and retraining: time of training, including interrupted runs; a job is a trial or a rank, and an "
        "Optuna study that several folds share is counted once. Other stages: Snakemake's measurements of whole jobs"
        + (", which do not always include the use of a GPU" if unknown else "")
        + "; data and spectrograms are also used by other combinations. The same table is in ledger.tsv.",
        strong={len(rows) - 1},
    )


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
