"""Figures of tuning: optimization history, hyperparameter importance and parallel coordinates."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from eegwf.config.tuning import Choices, Range
from eegwf.report.drawing import ACCENT, INK, MARKERS, PAPER, SERIES, WARNING, Figure, drawing, short
from eegwf.report.formats import count, listing, number, score
from eegwf.report.optuna_studies import OptunaStudy, complete_trials

WIDTH = 2.15
Space = Mapping[str, Range | Choices]
Line = tuple[dict[str, Any], float, bool]  # parameters, value, and whether the parameter set was retrained


def history_figure(study: OptunaStudy, monitor: str, key: str) -> Figure | None:
    """Draw the value of every trial, the best value so far, and pruned and failed trials.

    Parameters
    ----------
    study
        The Optuna study.
    monitor
        Name of the objective.
    key
        Suffix of the ids in the SVG.

    Returns
    -------
    Figure or None
        The figure; None without trials.
    """
    trials = study.trials
    if trials.empty:
        return None
    numbers, values = trials["trial"].to_numpy(dtype=float), trials["value"].to_numpy(dtype=float)
    state = trials["state"].to_numpy()
    complete = (state == "complete") & ~np.isnan(values)
    wide = len(study.folds) > 1
    with drawing(2 * WIDTH if wide else WIDTH, 2.0) as figure:
        axes = figure.axes
        axes.plot(numbers[complete], values[complete], "o", color=INK, markersize=4, alpha=0.65, label="trial")
        if complete.any():
            best_values = np.maximum.accumulate(values[complete])
            axes.step(
                np.append(numbers[complete], numbers.max()),
                np.append(best_values, best_values[-1]),
                where="post",
                color=ACCENT,
            )
        for name, marker, color in (("pruned", "|", INK), ("fail", "x", WARNING)):
            marked = numbers[state == name]
            bottom = np.full(len(marked), 0.03)
            axes.plot(marked, bottom, marker, color=color, transform=axes.get_xaxis_transform(), markersize=6)
        axes.set(xlabel="trial number", ylabel=monitor.replace("_", " "))
        axes.set_xlim(-0.5, numbers.max() + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.grid(True, axis="y")
        best = ""
        if complete.any():
            trial = int(numbers[complete][values[complete].argmax()])
            best = f"; best value {score(values[complete].max())} in trial {trial}"
        alt = (
            f"Tuning of {_lower(study.name)}: {count(len(trials), 'trial')}, {int(complete.sum())} complete, "
            f"{int((state == 'pruned').sum())} pruned, {int((state == 'fail').sum())} failed{best}."
        )
        return figure.finish(f"tune-{key}", alt, study.name)


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def importance_figure(importances: Mapping[str, Mapping[str, float]]) -> Figure | None:
    """Draw the importance of each hyperparameter: the mean as a bar, each Optuna study as a dot.

    Parameters
    ----------
    importances
        Importance of each hyperparameter, by name of the Optuna study.

    Returns
    -------
    Figure or None
        The figure; None without importances.
    """
    if not importances:
        return None
    names = list(next(iter(importances.values())))
    table = np.array([[values[name] for name in names] for values in importances.values()])
    means = table.mean(axis=0)
    order = sorted(range(len(names)), key=lambda column: (-means[column], names[column]))
    with drawing(5.2, 0.9 + 0.27 * len(names)) as figure:
        axes = figure.axes
        rows = np.arange(len(names))
        axes.barh(rows, means[order], height=0.62, color=ACCENT, alpha=0.35)
        # The dots of a row have different heights, so that equal values do not overlap.
        offsets = np.linspace(-0.22, 0.22, len(table))
        for values, offset in zip(table, offsets, strict=True) if len(table) > 1 else ():
            axes.plot(values[order], rows + offset, "o", color=INK, markersize=3.2, alpha=0.75)
        axes.set_yticks(rows, [short(names[column].replace("_", " ")) for column in order])
        axes.set(xlim=(0, max(1.02 * table.max(), 0.1)), ylim=(len(names) - 0.4, -0.6))
        axes.set(xlabel="importance (sum over all hyperparameters: 1)", ylabel="hyperparameter")
        axes.grid(True, axis="x")
        axes.tick_params(axis="y", length=0)
        parts = []
        for column in order:
            low, high = table[:, column].min(), table[:, column].max()
            spread = f" ({low:.2f} to {high:.2f})" if len(table) > 1 else ""
            parts.append(f"{names[column].replace('_', ' ')} {means[column]:.2f}{spread}")
        source = f"mean of {len(table)} Optuna studies" if len(table) > 1 else "one Optuna study"
        return figure.finish("importances", f"Importance of each hyperparameter, {source}: {'; '.join(parts)}.")


def parallel_figure(studies: list[OptunaStudy], searched: Space, monitor: str) -> Figure | None:
    """Draw parallel coordinates: a line for each complete trial across the hyperparameters to its value.

    Parameters
    ----------
    studies
        The Optuna studies.
    searched
        Search space.
    monitor
        Name of the objective.

    Returns
    -------
    Figure or None
        The figure, with strong lines for the retrained parameter sets; None without complete trials or search space.
    """
    lines: list[Line] = []
    for study in studies:
        retrained = {entry["trial"] for entry in study.first.best}
        lines += [(params, value, trial in retrained) for trial, params, value in complete_trials(study, searched)]
    if not lines or not searched:
        return None
    values = np.array([value for _, value, _ in lines])
    middle, low, high = float(np.median(values)), float(values.min()), float(values.max())
    scale = (high - low) or 1.0
    columns = [[_height(entry, params[name]) for params, _, _ in lines] for name, entry in searched.items()]
    heights = np.column_stack([*columns, (values - low) / scale if high > low else np.full(len(values), 0.5)])
    n_axes, n_strong = heights.shape[1], sum(strong for *_, strong in lines)
    # Lines are fainter the more there are, so that their density is visible.
    thin, alpha = (1, 0.6) if len(lines) < 60 else (0.6, 4.5 / len(lines) ** 0.5)
    width = 1.9 if n_strong <= 12 else 1.0
    with drawing(min(1.3 + 0.86 * n_axes, 11.2), 3.9) as figure:
        axes, x = figure.axes, np.arange(n_axes)
        for row in np.argsort(values, kind="stable"):
            upper, strong = values[row] > middle, lines[row][2]
            style: dict[str, Any]
            if strong:
                style = {"color": SERIES[1], "linewidth": width, "zorder": 3, "marker": MARKERS[0]}
                style |= {"markersize": 2.4 * width, "alpha": 1 if n_strong <= 12 else 0.75}
            else:
                style = {"color": ACCENT if upper else INK, "linewidth": thin, "alpha": alpha if upper else alpha / 2}
                style |= {"linestyle": "-" if upper else (0, (3, 1.5)), "zorder": 2 if upper else 1}
            axes.plot(x, heights[row], **style)
        for column, (name, entry) in enumerate(searched.items()):
            logged = isinstance(entry, Range) and entry.log
            _axis(axes, column, name.replace("_", " "), _marks(entry), n_axes, logged=logged)
        _axis(axes, n_axes - 1, monitor.replace("_", " "), _value_marks(low, high), n_axes, last=True)
        axes.set(xlim=(-0.25, n_axes - 0.3), ylim=(-0.06, 1.06), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        _legend(figure.canvas, middle)
        return figure.finish("parallel", _parallel_alt(lines, searched, monitor, len(studies)))


def _height(entry: Range | Choices, value: Any) -> float:
    """Height of a value on its axis, 0 to 1."""
    if isinstance(entry, Choices):
        index = next(
            index for index, choice in enumerate(entry.choices) if type(choice) is type(value) and choice == value
        )
        return index / (len(entry.choices) - 1) if len(entry.choices) > 1 else 0.5
    if entry.high == entry.low:
        return 0.5
    if entry.log:
        return float(np.log(value / entry.low) / np.log(entry.high / entry.low))
    return (value - entry.low) / (entry.high - entry.low)


def _marks(entry: Range | Choices) -> list[tuple[float, str]]:
    """Heights and labels of the marks of an axis: all choices, decades of a logarithmic range, or ends and middle."""
    if isinstance(entry, Choices):
        return [(_height(entry, choice), short(number(choice), 11)) for choice in entry.choices]
    inner: list[float]
    if entry.log:
        decades = [10.0**power for power in range(-12, 13) if entry.low * 1.5 < 10.0**power < entry.high / 1.5]
        inner = decades[:: max(1, -(-len(decades) // 4))]
    elif isinstance(entry.low, int) and isinstance(entry.high, int):
        inner = list(range(entry.low + 1, entry.high)) if entry.high - entry.low <= 7 else []
    else:
        inner = [(entry.low + entry.high) / 2]
    ends = [entry.low, entry.high] if entry.high > entry.low else [entry.low]
    return [(_height(entry, value), number(value)) for value in sorted({*ends, *inner})]


def _value_marks(low: float, high: float) -> list[tuple[float, str]]:
    if high <= low:
        return [(0.5, score(low))]
    ticks = [tick for tick in MaxNLocator(nbins=5).tick_values(low, high) if low <= tick <= high]
    return [((tick - low) / (high - low), f"{tick:.3g}") for tick in ticks]


def _axis(
    axes: Axes,
    column: int,
    name: str,
    marks: list[tuple[float, str]],
    n_axes: int,
    logged: bool = False,
    last: bool = False,
) -> None:
    axes.plot([column, column], [0, 1], color=INK, linewidth=1.6 if last else 1, zorder=4, solid_capstyle="butt")
    box = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.78, "pad": 0.8}
    for height, label in marks:
        axes.plot([column, column + 0.05], [height, height], color=INK, linewidth=1, zorder=4)
        axes.text(column + 0.08, height, label, fontsize=7.5, va="center", ha="left", zorder=5, bbox=box)
    title = short(name, 20) + (" (log)" if logged else "")
    steep = n_axes > 6
    axes.text(
        column, 1.07, title, rotation=30 if steep else 0, ha="left" if steep else "center", va="bottom",
        rotation_mode="anchor", fontsize=8.5, fontweight="bold" if last else "normal", clip_on=False,
    )  # fmt: skip


def _legend(canvas: Canvas, middle: float) -> None:
    handles = [
        Line2D(
            [], [], color=SERIES[1], linewidth=1.9, marker=MARKERS[0], markersize=4.5, label="retrained parameter set"
        ),
        Line2D([], [], color=ACCENT, label=f"trial above the median ({score(middle)})"),
        Line2D([], [], color=INK, alpha=0.5, linestyle=(0, (3, 1.5)), label="other trial"),
    ]
    canvas.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=2.2)


def _parallel_alt(lines: list[Line], searched: Space, monitor: str, n_studies: int) -> str:
    retrained = [params for params, _, strong in lines if strong]
    parts = []
    for name, entry in searched.items():
        values = [params[name] for params in retrained]
        if isinstance(entry, Choices):
            counts = [
                (choice, sum(_height(entry, value) == _height(entry, choice) for value in values))
                for choice in entry.choices
            ]
            chosen = listing([f"{number(choice)} in {n}" for choice, n in counts if n])
            parts.append(f"{name.replace('_', ' ')} {chosen}")
        elif values:
            parts.append(f"{name.replace('_', ' ')} {number(min(values))} to {number(max(values))}")
    best = max(value for _, value, _ in lines)
    source = f"{n_studies} Optuna studies" if n_studies > 1 else "one Optuna study"
    sets = f"{count(len(retrained), 'retrained parameter set')}: {'; '.join(parts) if retrained else 'none among them'}"
    return (
        f"{count(len(lines), 'complete trial')} of {source} across {count(len(searched), 'hyperparameter')} to "
        f"{monitor.replace('_', ' ')}, best value {score(best)}. {sets}."
    )
