"""What a combination cost: computing time, epochs and windows of each stage, each study counted once."""

from collections.abc import Iterable

import pandas as pd

from eegwf.models.registry import entry_of
from eegwf.report.data import Run
from eegwf.report.formats import count, defined, duration
from eegwf.report.optuna_studies import studies
from eegwf.report.provenance import STAGES, stage_of
from eegwf.report.tables import Cell, Table

COLUMNS = ("stage", "jobs", "seconds", "gpu_seconds", "epochs", "windows")
COUNTS = ("jobs", "epochs", "windows")
# Jobs of these rules, measured from within where there are timing tables.
MEASURED = {"search": "tune", "tune": "tune", "retrain": "retrain"}


def ledger(run: Run, timing: pd.DataFrame) -> pd.DataFrame:
    """Add up what each stage took.

    Parameters
    ----------
    run
        With the timing tables of its folds.
    timing
        Snakemake's measurements, `timing.tsv`.

    Returns
    -------
    DataFrame
        Columns `stage jobs seconds gpu_seconds epochs windows`, the last row `total`. Tuning (a job: a trial) and
        retraining (a job: a rank) are their timing tables' sums. Of the others, and of those two in results from before
        these tables, Snakemake's measurements of whole jobs: all of it is a GPU's if the job had one, and empty where
        that isn't known.
    """
    rows = {
        "tune": _measured("tune", [study.first.tuning_cost for study in studies(run)], "trial"),
        "retrain": _measured("retrain", [fold.retrain_cost for fold in run.outer], "rank"),
    }
    rows = {stage: row for stage, row in rows.items() if row is not None}
    # Reports are not part of what a result costs, and the last one's time would be that of an earlier page.
    jobs = timing.assign(stage=[MEASURED.get(stage_of(job), stage_of(job)) for job in timing["job"]])
    for stage, own in jobs.groupby("stage", sort=False):
        if stage not in rows and stage != "report":
            seconds = float(own["seconds"].sum())
            used = _used_gpu(run, str(stage))
            rows[stage] = [stage, len(own), seconds, None if used is None else seconds * used, None, None]
    order = {stage: at for at, stage in enumerate(STAGES)}
    table = pd.DataFrame(
        sorted(rows.values(), key=lambda row: order.get(row[0], len(order))), columns=list(COLUMNS)
    ).astype({"seconds": float, "gpu_seconds": float})
    total = pd.DataFrame([["total", *(table[name].sum() for name in COLUMNS[1:])]], columns=list(COLUMNS))
    table = pd.concat([table, total], ignore_index=True) if len(table) else total
    return table.astype({"seconds": float, "gpu_seconds": float} | dict.fromkeys(COUNTS, "Int64"))


def _measured(stage: str, costs: Iterable[pd.DataFrame], what: str) -> list | None:
    costs = [cost for cost in costs if len(cost)]
    if not costs:
        return None
    rows = pd.concat(costs)
    gpu = rows.loc[rows["device"] != "cpu", "seconds"].sum()
    jobs = sum(cost[what].nunique() for cost in costs)
    return [
        stage,
        jobs,
        float(rows["seconds"].sum()),
        float(gpu),
        int(rows["epochs"].sum()),
        int(rows["windows"].sum()),
    ]


def _used_gpu(run: Run, stage: str) -> bool | None:
    """Whether a stage's jobs had a GPU; None if that can't be told."""
    if stage == "spectrogram":
        return False if run.config["spectrograms"].get("device", "cpu") == "cpu" else None
    if stage not in ("tune", "retrain", "explain") or run.config["device"] == "cpu":
        return False
    if not entry_of(run.model, run.config["models"][run.model]["fixed"]).by_steps:
        return False
    devices = {fold.maps.about.get("device") for fold in run.outer if fold.maps}
    if stage == "explain" and len(devices) == 1 and None not in devices:
        return devices != {"cpu"}
    return None


def ledger_table(table: pd.DataFrame) -> Table:
    """The ledger as it stands on the page."""
    rows: list[list[Cell]] = []
    for row in table.to_dict("records"):
        gpu = row["gpu_seconds"]
        counts = [f"{row[name]:,d}" if not pd.isna(row[name]) else "" for name in ("epochs", "windows")]
        of_gpu = (duration(gpu) if gpu else "0") if defined(gpu) else "not known"
        rows.append([row["stage"], f"{row['jobs']:,d}", duration(row["seconds"]), of_gpu, *counts])
    unknown = bool(table["gpu_seconds"].isna().any())
    if unknown:
        rows[-1][3] = f"at least {rows[-1][3]}"
    return Table(
        "Compute ledger",
        ["stage", "jobs", "time", "of it on a GPU", "epochs", "windows trained on"],
        rows,
        "Tuning and retraining: seconds of training, broken-off runs included; a job is a trial or a rank, and a "
        "study that serves several folds is counted once. Other stages: Snakemake's measurements of whole jobs"
        + (", which don't always tell a GPU's part" if unknown else "")
        + "; data and spectrograms serve other combinations as well. The same stands in ledger.tsv.",
        strong={len(rows) - 1},
    )


def cost_sentence(run: Run, table: pd.DataFrame) -> str:
    """What one outer result cost; empty if the timing tables are not there."""
    own = table[table["stage"].isin(["tune", "retrain"]) & table["epochs"].notna()].set_index("stage")
    if own.empty:
        return ""
    n = len(run.outer)
    parts = [f"{name} {duration(own.loc[stage, 'seconds'] / n)}" for stage, name in
             (("tune", "tuning"), ("retrain", "retraining")) if stage in own.index]  # fmt: skip
    gpu = own["gpu_seconds"].sum()
    on = f", {duration(gpu)} of it on a GPU" if gpu else ", all of it on the CPU"
    shared = f"; the one study is divided among the {n} folds" if run.mode != "per_fold" and n > 1 else ""
    return (
        f"Tuning and retraining took {duration(own['seconds'].sum())} of computing{on}: "
        f"{count(int(own['epochs'].sum()), 'epoch')} over {count(int(own['windows'].sum()), 'window')}. One outer "
        f"result, that of one of {count(n, 'fold')}, cost {duration(own['seconds'].sum() / n)} "
        f"({', '.join(parts)}{shared})."
    )
