"""Comparison of all combinations of a study: a table, and a page with figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from eegwf.config.paths import Combination, ResultPaths
from eegwf.evaluation.compared_runs import RunComparison, compare_runs
from eegwf.report.against_baseline import NO_CHOICE, choice_sentence
from eegwf.report.drawing import Group
from eegwf.report.evidence import ranking_table
from eegwf.report.formats import count, listing
from eegwf.report.judgment import Judgment, judge
from eegwf.report.map_files import read_evidence, scored_folds
from eegwf.report.page import environment
from eegwf.report.split_by_window import split_section
from eegwf.report.summary_comparison import (
    comparison_columns,
    comparison_table,
    pair_table,
    skipped_sentence,
    ties_sentence,
)
from eegwf.report.summary_costs import NOTE, cost_figure
from eegwf.report.summary_data import Finished, read_finished
from eegwf.report.summary_external import external_columns, external_matrix
from eegwf.report.summary_scores import SCORES, heat_map, interval_figure, matrix_table, score_table
from eegwf.report.validity import MEANINGS
from eegwf.storage.files import read_json, write_table, write_text

MANY = 24  # combinations of a class set from which on the figure of the intervals is folded up
HEAT_MAP = (
    "Balanced accuracy of the primary member, with its confidence interval over patients; stronger colors are higher. "
    "Framed: group 1 of the ties. Models and spectrograms are sorted by their highest test score; choosing by this "
    "order would bias the score upward."
)
INTERVALS = (
    "Scores with confidence intervals over patients. The filled diamond is the primary member, the circle is rank 1, "
    "and the dashed line is the higher of the two baselines (chance, and the most frequent class). Combinations are "
    "sorted by their test score; choosing a model by this order would bias its score upward."
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
    finished = [read_finished(paths, one, external.get(one.classes, ())) for one in combinations]
    compared = {
        classes: compare_runs({one.name: (paths.run(one.combination).predictions, one.metrics) for one in found})
        for classes, found in _by_classes(finished).items()
    }
    rows = []
    for one in finished:
        classes = one.combination.classes
        chosen = choices.get(classes, NO_CHOICE)["baseline"]
        differences = {"training_seconds": one.cost.seconds, "training_gpu_seconds": one.cost.gpu_seconds}
        differences |= comparison_columns(one.name, chosen, compared[classes]) | external_columns(one.tests)
        for member in one.members:
            # Only primary members are compared: a choice of the member by its score would be a selection.
            cells = differences if member == one.metrics["primary"] else dict.fromkeys(differences)
            rows.append(_row(one, member) | cells | {"caution": one.caution})
    write_table(table, pd.DataFrame(rows).astype({"tie_group": "Int64"}))
    pairs = [one.table().assign(classes=classes) for classes, one in compared.items()]
    every = pd.concat(pairs, ignore_index=True)
    write_table(comparison, every[["classes", *(name for name in every if name != "classes")]])
    write_text(page, _render(paths, finished, compared, choices))


def _by_classes(finished: list[Finished]) -> dict[str, list[Finished]]:
    """Combinations of each class set, by descending score."""
    names = dict.fromkeys(one.combination.classes for one in finished)
    ordered = sorted(finished, key=lambda one: one.order)
    return {classes: [one for one in ordered if one.combination.classes == classes] for classes in names}


def _row(one: Finished, member: str) -> dict[str, Any]:
    row: dict[str, Any] = one.combination._asdict()
    row |= {"member": member, "primary": member == one.metrics["primary"], "n_weights": one.n_weights}
    row |= {key: one.metrics[key] for key in ("n_patients", "n_windows")}
    for kind in SCORES:
        entry = one.metrics["members"][member][kind]
        row |= {kind: entry["value"], f"{kind}_low": entry["low"], f"{kind}_high": entry["high"]}
    return row | {"baseline": one.baseline}


def _render(
    paths: ResultPaths,
    finished: list[Finished],
    compared: dict[str, RunComparison],
    choices: Mapping[str, dict[str, Any]],
) -> str:
    template = environment().get_template("summary.html")
    study, n_patients = paths.root.name, max(one.metrics["n_patients"] for one in finished)
    return template.render(
        style=Path(__file__).with_name("style.css").read_text(encoding="utf-8"),
        script_names=["sort_tables"],
        kind="summary",
        title=f"{study}: {count(len(finished), 'combination')}",
        sentence=(
            f"Comparison of models on the same folds of {count(n_patients, 'patient')}. Each combination has a report."
        ),
        parts=[
            _part(paths, classes, found, compared[classes], choices.get(classes, NO_CHOICE))
            for classes, found in _by_classes(finished).items()
        ],
        cautions=_cautions(finished),
    )


def _part(
    paths: ResultPaths, classes: str, found: list[Finished], compared: RunComparison, choice: dict[str, Any]
) -> dict[str, Any]:
    """Section of a class set."""
    labels = {one.name: one.label for one in found}
    groups = compared.tie_groups
    scores, costs = {one.name: one.score for one in found}, {one.name: one.cost for one in found}
    classical = [one["combination"] for one in choice["candidates"]]
    cost = cost_figure(classes, scores, costs, labels, classical)
    split = paths.split_by_window(classes)
    judgments, titles = _judge(paths, found)
    return {
        "name": classes,
        "heat_map": Group(HEAT_MAP, [heat_map(classes, found, groups)], wide=True),
        "matrix": matrix_table(found, groups),
        "ties": ties_sentence(compared, labels),
        "table": score_table(found, groups),
        "intervals": Group(INTERVALS, [interval_figure(classes, found)]),
        "folded": len(found) > MANY,
        "costs": Group(NOTE, [cost] if cost else []),
        "comparison": comparison_table(compared, choice["baseline"], labels) if found[1:] else None,
        "baseline": choice_sentence(choice),
        "pairs": pair_table(compared, labels),
        "skipped": skipped_sentence(compared),
        "split": split_section(read_json(split)) if split.exists() else None,
        "external": external_matrix(
            paths.root.name,
            {one.name: one.tests for one in found},
            {one.name: one.metrics for one in found},
            labels,
        ),
        "ranking": ranking_table({labels[name]: one for name, one in judgments.items()}, titles),
    }


def _judge(paths: ResultPaths, found: list[Finished]) -> tuple[dict[str, Judgment], dict[str, str]]:
    """Verdicts on the attribution methods of each combination with maps, and the titles of the methods."""
    judgments: dict[str, Judgment] = {}
    titles: dict[str, str] = {}
    for one in found:
        if maps := read_evidence(scored_folds(paths.run(one.combination))):
            about, evidence = maps
            titles |= about["titles"]
            judgments[one.name] = judge(evidence, about["classes"][0], one.metrics["interval"]["confidence"])
    return judgments, titles


def _cautions(finished: list[Finished]) -> list[str]:
    """Meaning of the marks in the column `caution`, and the combinations that have them."""
    sentences = []
    for mark, meaning in MEANINGS.items():
        names = [one.name for one in finished if mark in one.caution.split(", ")]
        if names:
            sentences.append(f"{mark} ({'all' if len(names) == len(finished) else listing(names)}): {meaning}.")
    return sentences
