"""Comparison of all combinations of a study: a table, and a page with figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
from safetensors import safe_open

from eegwf.config.load import validate_record
from eegwf.config.paths import Combination, ResultPaths, RunPaths
from eegwf.evaluation.compared_runs import RunComparison, compare_runs
from eegwf.report.against_baseline import NO_CHOICE, choice_sentence
from eegwf.report.drawing import ACCENT, INK, WARNING, Figure, Group, drawing, short
from eegwf.report.evidence import ranking_table
from eegwf.report.formats import count, defined, interval, listing, score, with_interval
from eegwf.report.judgment import Judgment, judge
from eegwf.report.map_files import read_evidence, scored_folds
from eegwf.report.page import environment
from eegwf.report.split_by_window import split_section
from eegwf.report.summary_comparison import (
    comparison_columns,
    comparison_table,
    cost_figure,
    pair_table,
    skipped_sentence,
    training_seconds,
)
from eegwf.report.summary_external import Tests, external_columns, external_matrix, read_tests
from eegwf.report.tables import Cell, Table
from eegwf.report.validity import MEANINGS, marks
from eegwf.storage.files import read_json, write_table, write_text

SCORES = ("balanced_accuracy", "macro_f1", "auroc", "auprc")
TITLES = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "auroc": "AUROC", "auprc": "AUPRC"}
SHOWN = ("rank1", "ensemble")
COSTS = (
    "Balanced accuracy of the primary member, with its confidence interval, against the time of tuning and retraining "
    "on a logarithmic scale; classical models are highlighted. Times of different devices can't be compared."
)


def summarize(
    paths: ResultPaths,
    combinations: list[Combination],
    table: Path,
    comparison: Path,
    page: Path,
    external: Mapping[str, Sequence[str]] = MappingProxyType({}),
    choices: Mapping[str, dict[str, Any]] = MappingProxyType({}),
) -> None:
    """Write the tables and the page that compare finished combinations.

    Parameters
    ----------
    paths
        Files of the study.
    combinations
        Model, spectrogram and class set of each.
    table
        `summary.tsv` to write: a row for each combination and member (rank 1, the ensemble and the primary member) with
        scores and the bounds of their intervals, the higher baseline of the balanced accuracy, the number of weights of
        rank 1 of fold 1, and in the column `caution` the reasons why the row is not a result. The row of the primary
        member also has the seconds of tuning and retraining, the differences from the best combination of its class set
        and from the classical baseline, with intervals and adjusted p-values, and the scores on each external data set.
    comparison
        `comparison.tsv` to write: a row for each pair of combinations of a class set.
    page
        `summary.html` to write.
    external
        Names of the external data sets on which the combinations of each class set were tested.
    choices
        Choice of the classical baseline of each class set that has one.

    Raises
    ------
    InputError
        If a file is invalid.
    """
    runs = {combination.name: paths.run(combination) for combination in combinations}
    metrics = {name: read_json(run.metrics) for name, run in runs.items()}
    sizes = {name: n_weights(run.fold(1).rank(1).weights) for name, run in runs.items()}
    warnings = {name: caution(run) for name, run in runs.items()}
    seconds = {name: training_seconds(run) for name, run in runs.items()}
    compared = {
        classes: compare_runs(
            {
                one.name: (runs[one.name].predictions, metrics[one.name])
                for one in combinations
                if one.classes == classes
            }
        )
        for classes in dict.fromkeys(one.classes for one in combinations)
    }
    tests = {one.name: read_tests(runs[one.name], external.get(one.classes, ())) for one in combinations}
    rows = []
    for combination in combinations:
        name = combination.name
        chosen = choices.get(combination.classes, NO_CHOICE)["baseline"]
        differences = comparison_columns(name, chosen, compared[combination.classes])
        differences = {"training_seconds": seconds[name]} | differences | external_columns(tests[name])
        for member in members(metrics[name]):
            primary = member == metrics[name]["primary"]
            # Only primary members are compared: a choice of the member by its score would be a selection.
            cells = differences if primary else dict.fromkeys(differences)
            rows.append(_row(combination, member, metrics[name], sizes[name]) | cells | {"caution": warnings[name]})
    write_table(table, pd.DataFrame(rows))
    pairs = [one.table().assign(classes=classes) for classes, one in compared.items()]
    every = pd.concat(pairs, ignore_index=True)
    write_table(comparison, every[["classes", *(name for name in every if name != "classes")]])
    splits = {classes: read_json(file) for classes in compared if (file := paths.split_by_window(classes)).exists()}
    ranked = _judge(runs, metrics)
    shared = (metrics, sizes, warnings, seconds, compared, choices, splits, tests)
    text = _render(paths.root.name, combinations, *shared, *ranked)
    write_text(page, text)


def caution(run: RunPaths) -> str:
    """Reasons why the scores of a combination are not a result, from its `run.json`; mostly empty."""
    return ", ".join(marks(validate_record(read_json(run.run_record)["config"], run.run_record)))


def members(metrics: dict[str, Any]) -> list[str]:
    """Members that the summary shows."""
    return [name for name in metrics["members"] if name in (*SHOWN, metrics["primary"])]


def n_weights(weights: Path) -> int:
    """Number of weights in a file of weights, including the statistics of normalization layers."""
    total = 0
    with safe_open(weights, "np") as file:
        for name in file.keys():  # noqa: SIM118 (safe_open is not a mapping)
            size = 1
            for length in file.get_slice(name).get_shape():
                size *= length
            total += size
    return total


def baseline(metrics: dict[str, Any]) -> float:
    """The higher baseline of the balanced accuracy."""
    return max(scores["balanced_accuracy"] for scores in metrics["baselines"].values())


def _row(combination: Combination, member: str, metrics: dict[str, Any], size: int) -> dict[str, Any]:
    row: dict[str, Any] = combination._asdict()
    row |= {"member": member, "primary": member == metrics["primary"], "n_weights": size}
    row |= {key: metrics[key] for key in ("n_patients", "n_windows")}
    for kind in SCORES:
        entry = metrics["members"][member][kind]
        row |= {kind: entry["value"], f"{kind}_low": entry["low"], f"{kind}_high": entry["high"]}
    return row | {"baseline": baseline(metrics)}


def _render(
    study: str,
    combinations: list[Combination],
    metrics: dict[str, Any],
    sizes: dict[str, int],
    warnings: dict[str, str],
    seconds: dict[str, float],
    compared: dict[str, RunComparison],
    choices: Mapping[str, dict[str, Any]],
    splits: dict[str, dict[str, Any]],
    tests: dict[str, Tests],
    judgments: dict[str, Judgment],
    titles: dict[str, str],
) -> str:
    parts = []
    for classes in dict.fromkeys(combination.classes for combination in combinations):
        names = [combination.name for combination in combinations if combination.classes == classes]
        names.sort(key=lambda name: -_headline(metrics[name]))
        labels = {name: _label(name) for name in names}
        primary = {name: metrics[name]["members"][metrics[name]["primary"]]["balanced_accuracy"] for name in names}
        choice = choices.get(classes, NO_CHOICE)
        classical = [one["combination"] for one in choice["candidates"]]
        costs = cost_figure(classes, primary, seconds, labels, classical)
        parts.append(
            {
                "name": classes,
                "reports": names,
                "comparison": comparison_table(compared[classes], choice["baseline"], labels) if names[1:] else None,
                "baseline": choice_sentence(choice),
                "pairs": pair_table(compared[classes], labels),
                "skipped": skipped_sentence(compared[classes]),
                "split": split_section(splits[classes]) if classes in splits else None,
                "external": external_matrix(study, {name: tests[name] for name in names}, metrics, labels),
                "costs": Group(COSTS, [costs] if costs else []),
                "table": _table(names, metrics, sizes, warnings),
                "ranking": ranking_table(
                    {labels[name]: judgments[name] for name in names if name in judgments}, titles
                ),
                "figures": Group(
                    "Scores with confidence intervals over patients. The filled diamond is the primary "
                    "member, the circle is rank 1, and the dashed line is the higher of the two baselines (chance, and "
                    "the most frequent class). Combinations are sorted by their test score; choosing a model by this "
                    "order would bias its score upward.",
                    [_figure(classes, names, metrics, warnings)],
                ),
            }
        )
    template = environment().get_template("summary.html")
    n_patients = max(scores["n_patients"] for scores in metrics.values())
    return template.render(
        style=Path(__file__).with_name("style.css").read_text(encoding="utf-8"),
        kind="summary",
        title=f"{study}: {count(len(metrics), 'combination')}",
        sentence=(
            f"Comparison of models on the same folds of {count(n_patients, 'patient')}. Each combination has a report."
        ),
        parts=parts,
        cautions=_cautions(warnings),
    )


def _judge(runs: dict[str, RunPaths], metrics: dict[str, Any]) -> tuple[dict[str, Judgment], dict[str, str]]:
    """Verdicts on the attribution methods of each combination with maps, and the titles of the methods."""
    judgments: dict[str, Judgment] = {}
    titles: dict[str, str] = {}
    for name, run in runs.items():
        if found := read_evidence(scored_folds(run)):
            about, evidence = found
            titles |= about["titles"]
            judgments[name] = judge(evidence, about["classes"][0], metrics[name]["interval"]["confidence"])
    return judgments, titles


def _headline(metrics: dict[str, Any]) -> float:
    value = metrics["members"][metrics["primary"]]["balanced_accuracy"]["value"]
    return value if defined(value) else -1.0


def _cautions(warnings: dict[str, str]) -> list[str]:
    """Meaning of the marks in the column `caution`, and the combinations that have them."""
    sentences = []
    for mark, meaning in MEANINGS.items():
        names = [name for name, present in warnings.items() if mark in present.split(", ")]
        if names:
            sentences.append(f"{mark} ({'all' if len(names) == len(warnings) else listing(names)}): {meaning}.")
    return sentences


def _table(names: list[str], metrics: dict[str, Any], sizes: dict[str, int], warnings: dict[str, str]) -> Table:
    rows: list[list[Cell]] = []
    for name in names:
        scores = metrics[name]["members"]
        primary = metrics[name]["primary"]
        cells = [with_interval(scores[primary][kind]) for kind in SCORES]
        first = with_interval(scores["rank1"]["balanced_accuracy"])
        rows.append([_label(name), *cells, first, f"{sizes[name]:,d}", warnings[name]])
    return Table(
        "Scores of the primary member on the pooled test folds, with confidence intervals",
        ["combination", *(TITLES[kind] for kind in SCORES), "balanced accuracy, rank 1", "weights", "caution"],
        rows,
        text={len(SCORES) + 3},
    )


def _label(name: str) -> str:
    """Model and spectrogram of the name of a combination."""
    return name.rpartition("_")[0].replace("_", " · ")


def _figure(classes: str, names: list[str], metrics: dict[str, Any], warnings: dict[str, str]) -> Figure:
    kind, parts = "balanced_accuracy", []
    with drawing(6.4, max(1.7, 0.8 + 0.34 * len(names))) as figure:
        axes = figure.axes
        for row, name in enumerate(names):
            scores, primary = metrics[name]["members"], metrics[name]["primary"]
            styles: tuple[tuple[str, dict[str, Any], str, float], ...] = (
                ("rank1", {"marker": "o", "fillstyle": "none"}, INK, 0.16),
                (primary, {"marker": "D"}, ACCENT, -0.16),
            )
            for member, style, color, offset in styles:
                entry = scores[member][kind]
                if not defined(entry["value"]):
                    continue
                if defined(entry["low"]):
                    axes.plot([entry["low"], entry["high"]], [row + offset] * 2, color=color, linewidth=1.4)
                axes.plot(entry["value"], row + offset, color=color, markersize=5, **style)
            entry = scores[primary][kind]
            parts.append(f"{name} {score(entry['value'])} ({interval(entry)})")
            if warnings[name]:
                parts[-1] += f", caution: {warnings[name]}"
                axes.text(0.01, row, warnings[name], color=WARNING, fontsize=8, va="center")
            x, y = [baseline(metrics[name])] * 2, [row - 0.4, row + 0.4]
            axes.plot(x, y, color=WARNING, linewidth=1.2, linestyle=(0, (2, 1)))
        axes.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.5), xlabel="balanced accuracy")
        axes.set_yticks(range(len(names)), [short(_label(name), 26) for name in names])
        axes.set_ylabel("combination")
        axes.grid(True, axis="x")
        return figure.finish(f"summary-{classes}", f"Balanced accuracy, {classes}: {'; '.join(parts)}.", "")
