"""Tables of the page: tuning, data, leakage checks, computing time and provenance."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from eegwf.config.study import StudyDesign
from eegwf.errors import format_names
from eegwf.report.data import ReportData
from eegwf.report.formats import count, defined, duration, listing, number, score
from eegwf.report.interval_notes import interval_provenance
from eegwf.report.optuna_studies import studies
from eegwf.report.tables import Cell, Table, rank_name
from eegwf.report.timing import stage_of

# Channels that the table of recordings lists before it counts the others.
MAX_CHANNELS = 12
CHECK_COLUMNS = ("check", "examined", "leaks")


def trial_table(run: ReportData) -> Table:
    """Number of complete, pruned and failed trials of every Optuna study."""
    rows: list[list[Cell]] = []
    numbers: list[list[int]] = []
    states = ("complete", "pruned", "fail")
    for study in studies(run):
        trials = study.trials
        counts = [int((trials["state"] == state).sum()) for state in states]
        reasons = sorted(set(trials.loc[trials["state"] == "fail", "reason"])) if "reason" in trials else []
        name = str(study.first.number) if run.mode == "per_fold" else study.name
        numbers.append([len(trials), *counts, len(trials) - sum(counts)])
        rows.append([name, *map(str, numbers[-1]), "; ".join(reason for reason in reasons if reason)])
    if len(rows) != 1:
        rows.append(["all", *(str(sum(column)) for column in zip(*numbers, strict=True)), ""])
    return Table(
        "Number of trials by state",
        [
            "fold" if run.mode == "per_fold" else "Optuna study",
            "trials",
            "complete",
            "pruned",
            "failed",
            "other",
            "reason of failure",
        ],
        rows,
        text={6},
        strong={len(rows) - 1} if len(rows) != 1 else set(),
    )


def parameter_tables(run: ReportData) -> tuple[Table, Table]:
    """Tables of the best parameter set of each fold, and of all retrained parameter sets."""
    entries = [(fold, entry) for fold in run.outer for entry in fold.best]
    names = list(dict.fromkeys(name for _, entry in entries for name in entry["params"]))
    columns = ["fold", "rank", "trial", "validation value", "best epoch", *(name.replace("_", " ") for name in names)]
    rows: list[list[Cell]] = []
    for fold, entry in entries:
        rank = fold.ranks.get(entry["rank"])
        epoch = rank.model.get("best_epoch") if rank else None
        params = [number(entry["params"][name]) if name in entry["params"] else "" for name in names]
        values = [str(entry["trial"]), score(entry["value"]), "" if epoch is None else str(epoch)]
        rows.append([str(fold.number), rank_name(run, entry["rank"]), *values, *params])
    best = [[row[0], *row[2:]] for row, (_, entry) in zip(rows, entries, strict=True) if entry["rank"] == 1]
    return (
        Table("Best parameter set of each fold (rank1)", [columns[0], *columns[2:]], best),
        Table("All retrained parameter sets", columns, rows),
    )


def window_table(run: ReportData) -> Table:
    """Number of windows of each event type, and their use in this combination."""
    reserved = run.windows["patient"].isin(run.reserved)
    windows, reserved_windows = run.windows[~reserved], run.windows[reserved]
    rows: list[list[Cell]] = []
    seconds = windows["duration"].to_numpy(dtype=float)
    for event_type in sorted(set(windows["label"]) - {""}):
        mask = (windows["label"] == event_type).to_numpy()
        label = run.class_of(event_type)
        use = f"scored as {label}" if label else "excluded by this class set"
        rows.append([event_type, f"{mask.sum():,d}", duration(float(seconds[mask].sum())), use])
    borderline = (windows["label"] == "").to_numpy()
    if borderline.any():
        time = duration(float(seconds[borderline].sum()))
        rows.append(["borderline", f"{borderline.sum():,d}", time, "predicted, not used in training or scoring"])
    if len(reserved_windows):
        time = duration(float(reserved_windows["duration"].sum()))
        rows.append(["of reserved patients", f"{len(reserved_windows):,d}", time, "used in tuning only, not scored"])
    rows.append(["all", f"{len(run.windows):,d}", duration(float(run.windows["duration"].sum())), ""])
    return Table(
        "Windows by event type", ["event type", "windows", "total duration", "use in this combination"], rows,
        "Borderline windows contain the edge of an event, are close to an event, or are in time without annotation.",
        text={3}, strong={len(rows) - 1},
    )  # fmt: skip


def split_table(run: ReportData) -> Table:
    """Patients and windows of each fold, and of the reserved patients."""
    labels = [name for name in run.folds.columns if name not in ("patient", "fold", "inner")]
    rows: list[list[Cell]] = []
    for fold, patients in run.folds.groupby("fold"):
        counts = [f"{int(patients[name].sum()):,d}" for name in labels]
        name = str(fold) if fold else "reserved"
        rows.append([name, str(len(patients)), *counts, ", ".join(map(str, patients["patient"]))])
    if run.reserved:
        rows.append(rows.pop(0))
    return Table(
        "Patients and windows by fold, the same for every model, spectrogram and class set",
        ["fold", "patients", *labels, "patient names"],
        rows,
        "Reserved patients are used in tuning only: they are in no fold and are not scored." if run.reserved else "",
        text={2 + len(labels)},
    )


def leakage_table(run: ReportData) -> Table:
    """Results of the leakage checks."""
    rows: list[list[Cell]] = []
    for check in [*run.leakage["checks"], *(run.init["checks"] if run.init else [])]:
        details = [
            f"{key.replace('_', ' ')}: {number(value)}" for key, value in check.items() if key not in CHECK_COLUMNS
        ]
        rows.append([str(check["check"]), str(check["examined"]), str(check["leaks"]), "; ".join(details)])
    return Table("Results of the leakage checks", ["check", "examined", "leaks", "details"], rows, text={1, 3})


def recording_table(run: ReportData) -> Table:
    """All recordings; excluded recordings come first, with the reason."""
    table = run.recordings
    excluded = table["excluded"] if "excluded" in table else pd.Series([""] * len(table), index=table.index)
    table = table.assign(excluded=excluded, kept=(excluded == "")).sort_values("kept", kind="stable")
    dropped = _dropped(table[table["kept"]])
    shared = [name for name in next(iter(dropped.values()), []) if all(name in names for names in dropped.values())]
    rows: list[list[Cell]] = []
    for row in table.to_dict("records"):
        sizes = [number(row[name]) if defined(row[name]) else "" for name in ("sfreq", "n_chans", "n_events")]
        length = duration(row["duration"]) if defined(row["duration"]) else ""
        used = "used in tuning only" if row["patient"] in run.reserved else "used"
        unused = [name for name in dropped.get(row["recording"], []) if name not in shared]
        channels = f"in no derivation: {format_names(unused, MAX_CHANNELS)}" if unused else ""
        status = row["excluded"] or "; ".join(filter(None, (used, row.get("notes", ""), channels)))
        # Tables of earlier versions, and those of given arrays, lack the seizures.
        counted = defined(row.get("n_seizures"))
        seizures = f"{number(row['n_unlabeled'])} of {number(row['n_seizures'])}" if counted else ""
        rows.append([row["recording"], row["patient"], length, *sizes, seizures, _quality(row), status])
    n_excluded = int((~table["kept"]).sum())
    columns = ["recording", "patient", "duration", "sampling rate (Hz)", "channels", "annotated events"]
    columns += ["seizures in no window", "flat, line noise, correlation", "use, or reason of exclusion"]
    caption = f"Recordings: {len(table) - n_excluded:,d} used, {n_excluded:,d} excluded"
    note = ""
    if "n_seizures" in table and table["n_seizures"].notna().any():
        n_seizures, n_unlabeled = int(table["n_seizures"].sum()), int(table["n_unlabeled"].sum())
        caption += f"; {n_unlabeled:,d} of {n_seizures:,d} annotated seizures in no window"
        note = "A seizure is in no window if no window that contains a part of it has its event type."
    if any(row[7] for row in rows):
        note += (
            " Flat: seconds in which a channel is flat. Line noise: share of the power at 50 or 60 Hz, of the worst "
            "channel. Correlation: largest one with another channel, of the worst channel (docs/outputs.md). No "
            "recording was excluded by these."
        )
    if shared:
        note += f" Channels in no derivation, in all used recordings: {format_names(shared, MAX_CHANNELS)}."
    left_out = getattr(run.study.dataset, "exclude", [])
    if left_out:
        note += f" Patients who were not read (dataset.exclude): {listing(left_out)}."
    return Table(
        caption, columns, rows, note.strip(), text={1, 7, 8}, sortable=True, filter_label="Show recordings with"
    )


def _dropped(used: pd.DataFrame) -> dict[str, list[str]]:
    """Channels of the used recordings that no derivation contains, by name of the recording."""
    # Tables of earlier versions, and those of given arrays, lack the column.
    texts = used["dropped"].astype(object) if "dropped" in used else [""] * len(used)
    names = [list(dict.fromkeys(text.split("; "))) if isinstance(text, str) and text else [] for text in texts]
    return dict(zip(used["recording"], names, strict=True))


def _quality(row: Mapping[Hashable, Any]) -> str:
    """Quality of the channels; empty if it was not measured."""
    if not defined(row.get("flat")):
        return ""
    shares = [f"{row[name]:.0%}".replace("%", " %") if defined(row[name]) else "" for name in ("flat", "line_noise")]
    return ", ".join([*shares, number(row["correlation"]) if defined(row["correlation"]) else ""])


def time_table(timing: pd.DataFrame) -> Table:
    """Computing time and memory of each stage, from the benchmark files of Snakemake."""
    rows: list[list[Cell]] = []
    timing = timing.assign(stage=[stage_of(job) for job in timing["job"]])
    for stage, jobs in timing.groupby("stage", sort=False):
        rows.append(_time_row(str(stage), jobs))
    rows.append(_time_row("all", timing))
    return Table(
        "Job time and memory by stage",
        ["stage", "jobs", "total time", "CPU time", "maximum memory of a job"],
        rows,
        "Measured by Snakemake. Jobs may have run in parallel. Only the last run of a resumed job is counted. The job "
        "that wrote this report is not included. The times of all jobs are in timing.tsv.",
        strong={len(rows) - 1},
    )


def _time_row(stage: str, jobs: pd.DataFrame) -> list[Cell]:
    memory = jobs["max_rss_mb"].max()
    return [
        stage,
        str(len(jobs)),
        duration(float(jobs["seconds"].sum())),
        duration(float(jobs["cpu_seconds"].sum())),
        f"{memory:,.0f} MB" if defined(memory) else "not measured",
    ]


def run_table(run: ReportData, about: dict[str, Any]) -> Table:
    """Commit, container image, random seed, device, confidence intervals, date and versions.

    Parameters
    ----------
    run
        Content of the report.
    about
        Content of `run.json`.

    Returns
    -------
    Table
        The table.
    """
    study = run.study
    versions = [f"{name} {version}" for name, version in about["versions"].items()]
    changed = (about["commit"] or "").removesuffix("-dirty") != (about["commit"] or "")
    commit = (about["commit"] or "none (not run from a git checkout)").removesuffix("-dirty")
    rows: list[list[Cell]] = [
        ["commit (at the time of the report)", commit + (", with uncommitted changes" if changed else "")],
        ["container image", about["image"] or "none"],
        ["random seed", str(about["seed"])],
        ["device", f"{study.device}, {count(study.threads, 'thread')} per training"],
        ["initial weights", initial_weights(run)],
        ["confidence intervals", interval_provenance(run)],
        ["date and host", f"{about['finished']} on {about['host']}"],
        ["versions", listing(versions)],
    ]
    return Table("Provenance", ["item", "value"], rows, text={1})


def initial_weights(run: ReportData) -> str:
    """Source of the initial weights, its classes, number of patients and digest."""
    if run.init is None:
        return "random"
    source, classes = run.init, run.study.classes[run.class_set]
    name = source["run"] + (f" (bundle {source['source']})" if source["is_bundle"] else "")
    patients = f", trained on {count(source['n_patients'], 'patient')}"
    kept = list(source["classes"].items()) == list(classes.items())
    head = "kept" if kept else f"new, as its classes are {listing(list(source['classes']))}"
    return f"final model 1 of {name}{patients}; output layer {head}; SHA-256 {source['sha256'][:16]}"


def configuration_text(study: StudyDesign) -> str:
    """The configuration as YAML, in the order of its sections."""
    import yaml

    return yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110)
