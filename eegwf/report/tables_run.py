"""Tables of the page: of tuning, data, leak gate, computing time and versions."""

import json
from typing import Any

import numpy as np
import pandas as pd

from eegwf.report.data import Run
from eegwf.report.formats import count, defined, duration, listing, number, score
from eegwf.report.optuna_studies import studies
from eegwf.report.provenance import stage_of
from eegwf.report.tables import Cell, Table

KNOWN_CHECK = ("check", "looked_at", "leaks")


def trial_table(run: Run) -> Table:
    """How the trials of every study ended."""
    rows: list[list[Cell]] = []
    states = ("complete", "pruned", "fail")
    for study in studies(run):
        trials = study.trials
        counts = [int((trials["state"] == state).sum()) for state in states]
        reasons = sorted(set(trials.loc[trials["state"] == "fail", "reason"])) if "reason" in trials else []
        name = str(study.first.number) if run.mode == "per_fold" else study.name
        ended = [str(len(trials)), *map(str, counts), str(len(trials) - sum(counts))]
        rows.append([name, *ended, "; ".join(reason for reason in reasons if reason)])
    totals = [sum(int(row[at]) for row in rows) for at in range(1, 6)]
    if len(rows) != 1:
        rows.append(["all", *map(str, totals), ""])
    return Table(
        "Trials of every fold" if run.mode == "per_fold" else "Trials of the study",
        [
            "fold" if run.mode == "per_fold" else "study",
            "trials",
            "complete",
            "pruned",
            "failed",
            "other",
            "why they failed",
        ],
        rows,
        text={6},
        strong={len(rows) - 1} if len(rows) != 1 else set(),
    )


def parameter_tables(run: Run) -> tuple[Table, Table]:
    """The best parameter set of every fold, and all that were retrained."""
    entries = [(fold, one) for fold in run.outer for one in fold.best]
    names = list(dict.fromkeys(name for _, one in entries for name in one["params"]))
    columns = ["fold", "rank", "trial", "value", "chosen epoch", *(name.replace("_", " ") for name in names)]
    rows: list[list[Cell]] = []
    for fold, one in entries:
        rank = fold.ranks.get(one["rank"])
        epoch = rank.model.get("best_epoch") if rank else None
        params = [number(one["params"][name]) if name in one["params"] else "" for name in names]
        values = [str(one["rank"]), str(one["trial"]), score(one["value"]), "" if epoch is None else str(epoch)]
        rows.append([str(fold.number), *values, *params])
    best = [[row[0], *row[2:]] for row in rows if row[1] == "1"]
    return (
        Table("Best parameter set of every fold (rank1)", [columns[0], *columns[2:]], best),
        Table("All retrained parameter sets", columns, rows),
    )


def window_table(run: Run) -> Table:
    """How many windows carry which event type, and what became of them."""
    reserved = run.windows["patient"].isin(run.reserved)
    windows, kept_back = run.windows[~reserved], run.windows[reserved]
    rows: list[list[Cell]] = []
    seconds = windows["duration"].to_numpy(dtype=float)
    for event_type in sorted(set(windows["label"]) - {""}):
        mask = (windows["label"] == event_type).to_numpy()
        label = run.class_of(event_type)
        fate = f"scored as {label}" if label else "left out by this class set"
        rows.append([event_type, f"{mask.sum():,d}", duration(float(seconds[mask].sum())), fate])
    border = (windows["label"] == "").to_numpy()
    if border.any():
        told = "predicted, neither trained on nor scored"
        rows.append(["borderline", f"{border.sum():,d}", duration(float(seconds[border].sum())), told])
    if len(kept_back):
        time = duration(float(kept_back["duration"].sum()))
        rows.append(["of reserved patients", f"{len(kept_back):,d}", time, "in tuning alone, not scored"])
    rows.append(["all", f"{len(run.windows):,d}", duration(float(run.windows["duration"].sum())), ""])
    return Table(
        "Windows by event type", ["event type", "windows", "window time", "in this combination"], rows,
        "Borderline windows lie on the edge of an event, too near one, or where nothing is annotated.",
        text={3}, strong={len(rows) - 1},
    )  # fmt: skip


def split_table(run: Run) -> Table:
    """Patients and windows of each fold of the data."""
    labels = [name for name in run.folds.columns if name not in ("patient", "fold", "inner")]
    rows: list[list[Cell]] = []
    for number_of, own in run.folds.groupby("fold"):
        counts = [f"{int(own[name].sum()):,d}" for name in labels]
        name = str(number_of) if number_of else "reserved"
        rows.append([name, str(len(own)), *counts, ", ".join(map(str, own["patient"]))])
    if run.reserved:
        rows.append(rows.pop(0))
    return Table(
        "Folds, by patient; the same for every model, spectrogram and class set",
        ["fold", "patients", *labels, "who"],
        rows,
        "Reserved patients tuned, and are in no fold: no score is of them." if run.reserved else "",
        text={2 + len(labels)},
    )


def gate_table(run: Run) -> Table:
    """Every check of the leak gate."""
    rows: list[list[Cell]] = []
    for check in run.leakage["checks"]:
        more = [f"{key.replace('_', ' ')}: {number(value)}" for key, value in check.items() if key not in KNOWN_CHECK]
        rows.append([str(check["check"]), str(check["looked_at"]), str(check["leaks"]), "; ".join(more)])
    return Table("Leak gate", ["check", "looked at", "leaks", "also found"], rows, text={1, 3})


def recording_table(run: Run) -> Table:
    """Every recording, those left out first, with the reason."""
    table = run.recordings
    excluded = table["excluded"] if "excluded" in table else pd.Series([""] * len(table), index=table.index)
    table = table.assign(excluded=excluded, kept=(excluded == "")).sort_values("kept", kind="stable")
    rows: list[list[Cell]] = []
    for row in table.to_dict("records"):
        sizes = [number(row[name]) if defined(row[name]) else "" for name in ("sfreq", "n_chans", "n_events")]
        length = duration(row["duration"]) if defined(row["duration"]) else ""
        used = "used in tuning alone" if row["patient"] in run.reserved else "used"
        told = row["excluded"] or "; ".join(filter(None, (used, row.get("notes", ""))))
        rows.append([row["recording"], row["patient"], length, *sizes, told])
    out = int((~table["kept"]).sum())
    columns = ["recording", "patient", "length", "rate (Hz)", "channels", "annotated events", "used, or why not"]
    return Table(f"Recordings: {len(table) - out:,d} used, {out:,d} left out", columns, rows, text={1, 6})


def map_table(run: Run) -> Table | None:
    """How many windows the maps average, and how many Grad-CAM maps say nothing."""
    found = [fold.maps.about for fold in run.outer if fold.maps is not None]
    if not found:
        return None
    windows = np.array([about["n_windows"] for about in found])
    zero = np.sum([about["n_zero_gradcam"] for about in found], axis=0)
    made = (windows * np.array([[about["n_classifiers"]] for about in found])).sum(axis=0)
    rows: list[list[Cell]] = [
        [label, f"{n:,d}", f"{of:,d}", f"{none:,d}", f"{none / of:.1%}".replace("%", " %") if of else "undefined"]
        for label, n, of, none in zip(run.classes, windows.sum(axis=0), made, zero, strict=True)
    ]
    columns = ["class", "windows", "Grad-CAM maps", "zero everywhere", "share"]
    note = "A map that is zero everywhere: nothing in the layer speaks for the class. It enters the mean as zero."
    return Table("What the maps average, all folds", columns, rows, note)


def time_table(timing: pd.DataFrame) -> Table:
    """Computing time of each stage, from Snakemake's benchmark files."""
    rows: list[list[Cell]] = []
    timing = timing.assign(stage=[stage_of(job) for job in timing["job"]])
    for stage, own in timing.groupby("stage", sort=False):
        rows.append(_time_row(str(stage), own))
    rows.append(_time_row("all", timing))
    return Table(
        "Computing time of each stage",
        ["stage", "jobs", "time, jobs added up", "CPU time", "largest memory of a job"],
        rows,
        "Jobs may have run side by side. A job that went on from saved work counts its last run alone; this report "
        "is not among them. Every job stands in timing.tsv.",
        strong={len(rows) - 1},
    )


def _time_row(stage: str, own: pd.DataFrame) -> list[Cell]:
    memory = own["max_rss_mb"].max()
    return [
        stage,
        str(len(own)),
        duration(float(own["seconds"].sum())),
        duration(float(own["cpu_seconds"].sum())),
        f"{memory:,.0f} MB" if defined(memory) else "not measured",
    ]


def run_table(run: Run, about: dict[str, Any]) -> Table:
    """Commit, seed, device and versions."""
    config = run.config
    versions = [f"{name} {version}" for name, version in about["versions"].items()]
    changed = (about["commit"] or "").removesuffix("-dirty") != (about["commit"] or "")
    commit = (about["commit"] or "none (not run from a git checkout)").removesuffix("-dirty")
    rows: list[list[Cell]] = [
        ["commit, when this page was written", commit + (", with uncommitted changes" if changed else "")],
        ["image", about["image"] or "none"],
        ["seed", str(about["seed"])],
        ["device", f"{config['device']}, {count(config['threads'], 'thread')} a training"],
        [
            "intervals",
            f"{run.metrics['bootstrap']['replicates']:,d} draws of patients, seed {run.metrics['bootstrap']['seed']}",
        ],
        ["written", f"{about['finished']} on {about['host']}"],
        ["versions", listing(versions)],
    ]
    return Table("Provenance", ["item", "value"], rows, text={1})


def parameters_of(config: dict[str, Any]) -> str:
    """The configuration as YAML, in its own order."""
    import yaml

    # Through JSON, so that nothing but plain values is written.
    return yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False, allow_unicode=True, width=110)
