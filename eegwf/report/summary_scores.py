"""Scores of the combinations of a class set: heat map of models and spectrograms, tables, and intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from eegwf.report.drawing import ACCENT, INK, WARNING, Figure, drawing, short
from eegwf.report.drawn_intervals import draw_intervals, segments
from eegwf.report.formats import defined, interval, score, with_interval
from eegwf.report.summary_costs import hours
from eegwf.report.summary_data import Finished
from eegwf.report.tables import Cell, Table

SCORES = ("balanced_accuracy", "macro_f1", "auroc", "auprc")
TITLES = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "auroc": "AUROC", "auprc": "AUPRC"}
LINK = Markup('<a href="{}/report.html">{}</a>')
# Opacity of the lowest and of the highest score; the text in a cell stays readable, light and dark.
FAINTEST, STRONGEST = 0.04, 0.42


def score_table(found: Sequence[Finished], groups: Mapping[str, int]) -> Table:
    """Table of the scores and costs, with links to the reports.

    Parameters
    ----------
    found
        Combinations of a class set, in the order of the rows.
    groups
        Group of ties of each compared combination.

    Returns
    -------
    Table
        A row per combination.
    """
    cautions = any(one.caution for one in found)
    rows: list[list[Cell]] = []
    for one in found:
        cells: list[Cell] = [LINK.format(one.name, one.label), str(groups.get(one.name, ""))]
        cells += [with_interval(one.primary[kind]) for kind in SCORES]
        cells += [with_interval(one.metrics["members"]["rank1"]["balanced_accuracy"]), f"{one.n_weights:,d}"]
        cells += [hours(one.cost.gpu_seconds), hours(one.cost.cpu_seconds)]
        rows.append([*cells, one.caution] if cautions else cells)
    columns = ["combination", "group of ties", *(TITLES[kind] for kind in SCORES)]
    columns += ["balanced accuracy, rank 1", "weights", "GPU (hours)", "CPU (hours)"]
    columns += ["caution"] if cautions else []
    return Table(
        "Scores of the primary member on the pooled test folds, with confidence intervals",
        columns,
        rows,
        "The name of a combination links to its report. GPU and CPU: time of tuning and retraining on each.",
        text={len(columns) - 1} if cautions else set(),
        sortable=True,
        filter_label="Show the combinations whose row contains",
    )


def matrix_of(found: Sequence[Finished]) -> tuple[list[str], list[str], dict[tuple[str, str], Finished]]:
    """Arrange combinations of a class set as a matrix.

    Parameters
    ----------
    found
        The combinations.

    Returns
    -------
    models, spectrograms, cells : list of str, list of str, dict
        Rows and columns by their highest score, and the combination of each cell that is filled.
    """
    ordered = sorted(found, key=lambda one: one.order)
    models = list(dict.fromkeys(one.combination.model for one in ordered))
    spectrograms = list(dict.fromkeys(one.combination.spectrogram for one in ordered))
    return models, spectrograms, {(one.combination.model, one.combination.spectrogram): one for one in found}


def matrix_table(found: Sequence[Finished], groups: Mapping[str, int]) -> Table:
    """Table of the balanced accuracy by model and spectrogram: the values of the heat map.

    Parameters
    ----------
    found
        Combinations of a class set.
    groups
        Group of ties of each compared combination.

    Returns
    -------
    Table
        A row per model, a column per spectrogram.
    """
    models, spectrograms, cells = matrix_of(found)

    def cell(model: str, spectrogram: str) -> Cell:
        one = cells.get((model, spectrogram))
        if one is None:
            return ""
        group = f"; {groups[one.name]}" if one.name in groups else ""
        return score(one.score["value"]), f"{interval(one.score)}{group}"

    return Table(
        "Balanced accuracy by model and spectrogram: confidence interval; group of ties",
        ["model", *spectrograms],
        [[model, *(cell(model, spectrogram) for spectrogram in spectrograms)] for model in models],
    )


def heat_map(classes: str, found: Sequence[Finished], groups: Mapping[str, int]) -> Figure:
    """Draw the balanced accuracy by model and spectrogram.

    Parameters
    ----------
    classes
        Name of the class set.
    found
        Its combinations.
    groups
        Group of ties of each compared combination; the cells of the first one are framed.

    Returns
    -------
    Figure
        The figure.
    """
    models, spectrograms, cells = matrix_of(found)
    values = [one.score["value"] for one in found if defined(one.score["value"])]
    lowest, highest = min(values, default=0.0), max(values, default=0.0)
    with drawing(1.9 + 1.05 * len(spectrograms), 0.75 + 0.44 * len(models)) as figure:
        axes = figure.axes
        for (model, spectrogram), one in cells.items():
            value, place = one.score["value"], (spectrograms.index(spectrogram), models.index(model))
            part = (value - lowest) / (highest - lowest) if defined(value) and highest > lowest else 0
            _draw_cell(axes, place, one, part, groups.get(one.name) == 1)
        axes.set(xlim=(-0.5, len(spectrograms) - 0.5), ylim=(len(models) - 0.5, -0.5))
        axes.set_xticks(range(len(spectrograms)), [short(name, 14) for name in spectrograms])
        axes.set_yticks(range(len(models)), [short(name, 20) for name in models])
        axes.set(xlabel="spectrogram", ylabel="model")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        title = f"Balanced accuracy by model and spectrogram, {classes}"
        return figure.finish(f"matrix-{classes}", _in_words(title, found, groups))


def _draw_cell(axes: Axes, place: tuple[int, int], one: Finished, depth: float, framed: bool) -> None:
    """Draw a cell of the heat map, of a depth from 0 to 1."""
    x, y = place
    opacity = FAINTEST + (STRONGEST - FAINTEST) * depth
    axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, color=ACCENT, alpha=opacity, lw=0))
    if framed:
        axes.add_patch(Rectangle((x - 0.47, y - 0.44), 0.94, 0.88, fill=False, ec=INK, lw=1.4))
    color = WARNING if one.caution else INK
    axes.text(x, y - 0.1, score(one.score["value"]), ha="center", va="center", fontsize=9.5, color=color)
    axes.text(x, y + 0.27, interval(one.score), ha="center", va="center", fontsize=7)


def interval_figure(classes: str, found: Sequence[Finished]) -> Figure:
    """Draw the balanced accuracy of rank 1 and of the primary member, with intervals and the baseline.

    Parameters
    ----------
    classes
        Name of the class set.
    found
        Its combinations, in the order of the rows.

    Returns
    -------
    Figure
        The figure.
    """
    with drawing(6.4, max(1.7, 0.8 + 0.34 * len(found))) as figure:
        axes = figure.axes
        rows = np.arange(len(found))
        first = [one.metrics["members"]["rank1"]["balanced_accuracy"] for one in found]
        for entries, color, offset, style in (
            (first, INK, 0.16, {"marker": "o", "fillstyle": "none"}),
            ([one.score for one in found], ACCENT, -0.16, {"marker": "D"}),
        ):
            line = {"color": color, "linewidth": 1.4}
            draw_intervals(axes, entries, rows + offset, style | {"color": color}, line)
        baselines = segments([(one.baseline,) * 2 for one in found], np.column_stack([rows - 0.4, rows + 0.4]))
        axes.plot(*baselines, color=WARNING, linewidth=1.2, linestyle=(0, (2, 1)))
        for row, one in enumerate(found):
            if one.caution:
                axes.text(0.01, row, one.caution, color=WARNING, fontsize=8, va="center")
        axes.set(xlim=(0, 1), ylim=(len(found) - 0.5, -0.5), xlabel="balanced accuracy")
        axes.set_yticks(range(len(found)), [short(one.label, 26) for one in found])
        axes.set_ylabel("combination")
        axes.grid(True, axis="x")
        return figure.finish(f"summary-{classes}", _in_words(f"Balanced accuracy, {classes}", found, {}))


def _in_words(title: str, found: Sequence[Finished], groups: Mapping[str, int]) -> str:
    parts = []
    for one in found:
        tied = ", group 1" if groups.get(one.name) == 1 else ""
        caution = f", caution: {one.caution}" if one.caution else ""
        parts.append(f"{one.label} {score(one.score['value'])} ({interval(one.score)}{tied}{caution})")
    return f"{title}: {'; '.join(parts)}."
