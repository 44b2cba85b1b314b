"""Every combination of a study side by side: a table, and a page with its figure."""

from pathlib import Path
from typing import Any

import pandas as pd
from safetensors import safe_open

from eegwf.dag.combinations import Combination
from eegwf.report.drawing import ACCENT, ALARM, INK, Figure, Group, drawing, short
from eegwf.report.formats import count, defined, interval, listing, score, with_interval
from eegwf.report.page import environment
from eegwf.report.tables import Table
from eegwf.report.validity import MEANINGS, marks
from eegwf.storage.files import read_json, write_table, write_text

SCORES = ("balanced_accuracy", "macro_f1", "auroc", "auprc")
TITLES = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "auroc": "AUROC", "auprc": "AUPRC"}
SHOWN = ("rank1", "ensemble")


def summarise(results: str | Path, combinations: list[Combination], table: str | Path, page: str | Path) -> None:
    """Write the summary of finished combinations.

    Parameters
    ----------
    results
        Output folder of the study.
    combinations
        Model, spectrogram and class set of each.
    table
        `summary.tsv` to write: a row for each combination and member (rank 1, the ensemble, and what the study declared
        as primary), scores with the bounds of their intervals, the higher floor of the balanced accuracy, how many
        weights fold 1's rank 1 has, and under `caution` what keeps the row from being a result.
    page
        `summary.html` to write.

    Raises
    ------
    InputError
        If a file is broken.
    """
    results = Path(results)
    found = {"_".join(one): read_json(results / "_".join(one) / "metrics.json") for one in combinations}
    sizes = {"_".join(one): n_weights(results / "_".join(one)) for one in combinations}
    warnings = {"_".join(one): caution(results / "_".join(one)) for one in combinations}
    rows = [
        _row(one, member, found["_".join(one)], sizes["_".join(one)]) | {"caution": warnings["_".join(one)]}
        for one in combinations
        for member in members(found["_".join(one)])
    ]
    write_table(table, pd.DataFrame(rows))
    write_text(page, _render(results, combinations, found, sizes, warnings))


def caution(folder: Path) -> str:
    """What keeps a combination from being quoted as a result, by the configuration in its `run.json`; mostly empty."""
    return ", ".join(marks(read_json(folder / "run.json")["config"]))


def members(metrics: dict[str, Any]) -> list[str]:
    """The members that a summary shows."""
    return [name for name in metrics["members"] if name in (*SHOWN, metrics["primary"])]


def n_weights(folder: Path) -> int:
    """Numbers in the weights file of fold 1's rank 1, the statistics of norms included."""
    total = 0
    with safe_open(folder / "fold1" / "retrain" / "rank1" / "model.safetensors", "np") as file:
        for name in file.keys():  # noqa: SIM118 (safe_open is no mapping)
            size = 1
            for length in file.get_slice(name).get_shape():
                size *= length
            total += size
    return total


def floor(metrics: dict[str, Any]) -> float:
    """The higher floor of the balanced accuracy."""
    return max(one["balanced_accuracy"] for one in metrics["floors"].values())


def _row(combination: Combination, member: str, metrics: dict[str, Any], size: int) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(("model", "spectrogram", "classes"), combination, strict=True))
    row |= {"member": member, "primary": member == metrics["primary"], "n_weights": size}
    row |= {key: metrics[key] for key in ("n_patients", "n_windows")}
    for kind in SCORES:
        entry = metrics["members"][member][kind]
        row |= {kind: entry["value"], f"{kind}_low": entry["low"], f"{kind}_high": entry["high"]}
    return row | {"floor": floor(metrics)}


def _render(
    results: Path,
    combinations: list[Combination],
    found: dict[str, Any],
    sizes: dict[str, int],
    warnings: dict[str, str],
) -> str:
    parts = []
    for classes in dict.fromkeys(one[2] for one in combinations):
        names = ["_".join(one) for one in combinations if one[2] == classes]
        names.sort(key=lambda name: -_headline(found[name]))
        parts.append(
            {
                "name": classes,
                "reports": names,
                "table": _table(names, found, sizes, warnings),
                "figures": Group(
                    "Dots with the intervals of the patient bootstrap; the filled diamond is the primary member, the "
                    "circle rank 1; the dashed line is the higher floor, chance or the most frequent class. The order "
                    "is that of the test folds' scores: it is no means of choosing a model.",
                    [_figure(classes, names, found, warnings)],
                ),
            }
        )
    template = environment().get_template("summary.html")
    n_patients = max(metrics["n_patients"] for metrics in found.values())
    return template.render(
        style=Path(__file__).with_name("style.css").read_text(encoding="utf-8"),
        kind="summary",
        title=f"{results.name}: {count(len(found), 'combination')}",
        sentence=(
            f"Models side by side on the same folds of {count(n_patients, 'patient')}; each row is a report of its own."
        ),
        parts=parts,
        cautions=_cautions(warnings),
    )


def _headline(metrics: dict[str, Any]) -> float:
    value = metrics["members"][metrics["primary"]]["balanced_accuracy"]["value"]
    return value if defined(value) else -1.0


def _cautions(warnings: dict[str, str]) -> list[str]:
    """What the marks mean, and which combinations have them."""
    told = []
    for mark, meaning in MEANINGS.items():
        names = [name for name, own in warnings.items() if mark in own.split(", ")]
        if names:
            told.append(f"{mark} ({'all' if len(names) == len(warnings) else listing(names)}): {meaning}.")
    return told


def _table(names: list[str], found: dict[str, Any], sizes: dict[str, int], warnings: dict[str, str]) -> Table:
    rows = []
    for name in names:
        of = found[name]["members"]
        primary = found[name]["primary"]
        cells = [with_interval(of[primary][kind]) for kind in SCORES]
        first = with_interval(of["rank1"]["balanced_accuracy"])
        rows.append([name.rpartition("_")[0].replace("_", " · "), *cells, first, f"{sizes[name]:,d}", warnings[name]])
    return Table(
        "Scores of the primary member on the pooled test folds, with intervals",
        ["", *(TITLES[kind] for kind in SCORES), "balanced accuracy, rank 1", "weights", "caution"],
        rows,
        text={len(SCORES) + 3},
    )


def _figure(classes: str, names: list[str], found: dict[str, Any], warnings: dict[str, str]) -> Figure:
    kind, told = "balanced_accuracy", []
    with drawing(6.4, max(1.7, 0.8 + 0.34 * len(names))) as figure:
        axes = figure.axes
        for row, name in enumerate(names):
            metrics = found[name]
            for member, style, colour, offset in (
                ("rank1", {"marker": "o", "fillstyle": "none"}, INK, 0.16),
                (metrics["primary"], {"marker": "D"}, ACCENT, -0.16),
            ):
                entry = metrics["members"][member][kind]
                if not defined(entry["value"]):
                    continue
                if defined(entry["low"]):
                    axes.plot([entry["low"], entry["high"]], [row + offset] * 2, color=colour, linewidth=1.4)
                axes.plot(entry["value"], row + offset, color=colour, markersize=5, **style)
            entry = metrics["members"][metrics["primary"]][kind]
            told.append(f"{name} {score(entry['value'])} ({interval(entry)})")
            if warnings[name]:
                told[-1] += f", caution: {warnings[name]}"
                axes.text(0.01, row, warnings[name], color=ALARM, fontsize=8, va="center")
            axes.plot([floor(metrics)] * 2, [row - 0.4, row + 0.4], color=ALARM, linewidth=1.2, linestyle=(0, (2, 1)))
        axes.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.5), xlabel="balanced accuracy")
        axes.set_yticks(range(len(names)), [short(name.rpartition("_")[0].replace("_", " · "), 26) for name in names])
        axes.set_ylabel("combination")
        axes.grid(True, axis="x")
        return figure.finish(f"summary-{classes}", f"Balanced accuracy, {classes}: {'; '.join(told)}.", "")
