"""Figures of tuning: its history, which parameters decided, and all trials across all parameters."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from eegwf.config.tuning import Choices, Range
from eegwf.report.drawing import ACCENT, ALARM, INK, MARKERS, PAPER, SERIES, Figure, drawing, short
from eegwf.report.formats import count, listing, number, score
from eegwf.report.optuna_studies import Study, drawn

WIDTH = 2.15
Space = Mapping[str, Range | Choices]


def history_figure(study: Study, monitor: str, key: str) -> Figure | None:
    """Value of every trial, the best so far, and where trials were pruned or failed."""
    trials = study.trials
    if trials.empty:
        return None
    at, value = trials["trial"].to_numpy(dtype=float), trials["value"].to_numpy(dtype=float)
    state = trials["state"].to_numpy()
    done = (state == "complete") & ~np.isnan(value)
    wide = len(study.folds) > 1
    with drawing(2 * WIDTH if wide else WIDTH, 2.0) as figure:
        axes = figure.axes
        axes.plot(at[done], value[done], "o", color=INK, markersize=4, alpha=0.65, label="trial")
        if done.any():
            best = np.maximum.accumulate(value[done])
            axes.step(np.append(at[done], at.max()), np.append(best, best[-1]), where="post", color=ACCENT)
        for which, marker, colour in (("pruned", "|", INK), ("fail", "x", ALARM)):
            own = at[state == which]
            axes.plot(
                own, np.full(len(own), 0.03), marker, color=colour, transform=axes.get_xaxis_transform(), markersize=6
            )
        axes.set(xlabel="trial number", ylabel=monitor.replace("_", " "))
        axes.set_xlim(-0.5, at.max() + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.grid(True, axis="y")
        best = ""
        if done.any():
            best = f"; best {score(value[done].max())} in trial {int(at[done][value[done].argmax()])}"
        alt = (
            f"Tuning of {_whose(study)}: {count(len(trials), 'trial')}, {int(done.sum())} complete, "
            f"{int((state == 'pruned').sum())} pruned, {int((state == 'fail').sum())} failed{best}."
        )
        return figure.finish(f"tune-{key}", alt, study.name)


def _whose(study: Study) -> str:
    return study.name[0].lower() + study.name[1:]


def importance_figure(found: Mapping[str, Mapping[str, float]]) -> Figure | None:
    """Mean importance of each parameter as a bar, each study's as a dot; by name of the study."""
    if not found:
        return None
    names = list(next(iter(found.values())))
    table = np.array([[own[name] for name in names] for own in found.values()])
    means = table.mean(axis=0)
    order = sorted(range(len(names)), key=lambda at: (-means[at], names[at]))
    with drawing(5.2, 0.9 + 0.27 * len(names)) as figure:
        axes = figure.axes
        rows = np.arange(len(names))
        axes.barh(rows, means[order], height=0.62, color=ACCENT, alpha=0.35)
        # Dots side by side in a row, so that equal ones can be told apart.
        offsets = np.linspace(-0.22, 0.22, len(table))
        for own, offset in zip(table, offsets, strict=True) if len(table) > 1 else ():
            axes.plot(own[order], rows + offset, "o", color=INK, markersize=3.2, alpha=0.75)
        axes.set_yticks(rows, [short(names[at].replace("_", " ")) for at in order])
        axes.set(xlim=(0, max(1.02 * table.max(), 0.1)), ylim=(len(names) - 0.4, -0.6))
        axes.set(xlabel="importance (share, all parameters add up to 1)", ylabel="parameter")
        axes.grid(True, axis="x")
        axes.tick_params(axis="y", length=0)
        told = []
        for at in order:
            low, high = table[:, at].min(), table[:, at].max()
            spread = f" ({low:.2f} to {high:.2f})" if len(table) > 1 else ""
            told.append(f"{names[at].replace('_', ' ')} {means[at]:.2f}{spread}")
        of = f"mean of {len(table)} studies" if len(table) > 1 else "one study"
        return figure.finish("importances", f"Importance of each parameter, {of}: {'; '.join(told)}.")


def parallel_figure(studies: list[Study], searched: Space, monitor: str) -> Figure | None:
    """Every complete trial as a line across the parameters to its value; the retrained sets drawn strong."""
    lines = []
    for study in studies:
        kept = {one["trial"] for one in study.first.best}
        lines += [(params, value, trial in kept) for trial, params, value in drawn(study, searched)]
    if not lines or not searched:
        return None
    values = np.array([value for _, value, _ in lines])
    middle, low, high = np.median(values), values.min(), values.max()
    scale = (high - low) or 1.0
    columns = [[_place(entry, params[name]) for params, _, _ in lines] for name, entry in searched.items()]
    heights = np.column_stack([*columns, (values - low) / scale if high > low else np.full(len(values), 0.5)])
    n_axes, n_strong = heights.shape[1], sum(strong for *_, strong in lines)
    # The more lines, the fainter each, so that their density shows.
    thin, alpha = (1, 0.6) if len(lines) < 60 else (0.6, 4.5 / len(lines) ** 0.5)
    width = 1.9 if n_strong <= 12 else 1.0
    with drawing(min(1.3 + 0.86 * n_axes, 11.2), 3.9) as figure:
        axes, x = figure.axes, np.arange(n_axes)
        for at in np.argsort(values, kind="stable"):
            upper, strong = values[at] > middle, lines[at][2]
            if strong:
                style = {"color": SERIES[1], "linewidth": width, "zorder": 3, "marker": MARKERS[0]}
                style |= {"markersize": 2.4 * width, "alpha": 1 if n_strong <= 12 else 0.75}
            else:
                style = {"color": ACCENT if upper else INK, "linewidth": thin, "alpha": alpha if upper else alpha / 2}
                style |= {"linestyle": "-" if upper else (0, (3, 1.5)), "zorder": 2 if upper else 1}
            axes.plot(x, heights[at], **style)
        for at, (name, entry) in enumerate(searched.items()):
            _axis(
                axes, at, name.replace("_", " "), _marks(entry), n_axes, logged=isinstance(entry, Range) and entry.log
            )
        _axis(axes, n_axes - 1, monitor.replace("_", " "), _value_marks(low, high), n_axes, last=True)
        axes.set(xlim=(-0.25, n_axes - 0.3), ylim=(-0.06, 1.06), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        _legend(figure.canvas, middle)
        return figure.finish("parallel", _parallel_alt(lines, searched, monitor, len(studies)))


def _place(entry: Range | Choices, value: Any) -> float:
    """Height of a value on its axis, 0 to 1."""
    if isinstance(entry, Choices):
        at = next(at for at, choice in enumerate(entry.choices) if type(choice) is type(value) and choice == value)
        return at / (len(entry.choices) - 1) if len(entry.choices) > 1 else 0.5
    if entry.high == entry.low:
        return 0.5
    if entry.log:
        return float(np.log(value / entry.low) / np.log(entry.high / entry.low))
    return (value - entry.low) / (entry.high - entry.low)


def _marks(entry: Range | Choices) -> list[tuple[float, str]]:
    """Heights and words of an axis: every choice, the decades of a logarithm, or ends and middle."""
    if isinstance(entry, Choices):
        return [(_place(entry, choice), short(number(choice), 11)) for choice in entry.choices]
    whole = isinstance(entry.low, int) and isinstance(entry.high, int)
    if entry.log:
        decades = [10.0**power for power in range(-12, 13) if entry.low * 1.5 < 10.0**power < entry.high / 1.5]
        inner = decades[:: max(1, -(-len(decades) // 4))]
    elif whole and entry.high - entry.low <= 7:
        inner = list(range(entry.low + 1, entry.high))
    else:
        inner = [] if whole else [(entry.low + entry.high) / 2]
    ends = [entry.low, entry.high] if entry.high > entry.low else [entry.low]
    return [(_place(entry, value), number(value)) for value in sorted({*ends, *inner})]


def _value_marks(low: float, high: float) -> list[tuple[float, str]]:
    if high <= low:
        return [(0.5, score(low))]
    ticks = [tick for tick in MaxNLocator(nbins=5).tick_values(low, high) if low <= tick <= high]
    return [((tick - low) / (high - low), f"{tick:.3g}") for tick in ticks]


def _axis(
    axes: Axes,
    at: int,
    name: str,
    marks: list[tuple[float, str]],
    n_axes: int,
    logged: bool = False,
    last: bool = False,
) -> None:
    axes.plot([at, at], [0, 1], color=INK, linewidth=1.6 if last else 1, zorder=4, solid_capstyle="butt")
    box = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.78, "pad": 0.8}
    for height, told in marks:
        axes.plot([at, at + 0.05], [height, height], color=INK, linewidth=1, zorder=4)
        axes.text(at + 0.08, height, told, fontsize=7.5, va="center", ha="left", zorder=5, bbox=box)
    told = short(name, 20) + (" (log)" if logged else "")
    steep = n_axes > 6
    axes.text(
        at, 1.07, told, rotation=30 if steep else 0, ha="left" if steep else "center", va="bottom",
        rotation_mode="anchor", fontsize=8.5, fontweight="bold" if last else "normal", clip_on=False,
    )  # fmt: skip


def _legend(canvas, middle: float) -> None:
    handles = [
        Line2D([], [], color=SERIES[1], linewidth=1.9, marker=MARKERS[0], markersize=4.5, label="retrained set"),
        Line2D([], [], color=ACCENT, label=f"trial above the median ({score(middle)})"),
        Line2D([], [], color=INK, alpha=0.5, linestyle=(0, (3, 1.5)), label="other trial"),
    ]
    canvas.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=2.2)


def _parallel_alt(lines, searched: Space, monitor: str, n_studies: int) -> str:
    kept = [params for params, _, strong in lines if strong]
    told = []
    for name, entry in searched.items():
        values = [params[name] for params in kept]
        if isinstance(entry, Choices):
            counts = [(choice, sum(_place(entry, value) == _place(entry, choice) for value in values))
                      for choice in entry.choices]  # fmt: skip
            told.append(f"{name.replace('_', ' ')} {listing([f'{number(one)} in {n}' for one, n in counts if n])}")
        elif values:
            told.append(f"{name.replace('_', ' ')} {number(min(values))} to {number(max(values))}")
    best = max(value for _, value, _ in lines)
    return (
        f"{count(len(lines), 'complete trial')} of {f'{n_studies} studies' if n_studies > 1 else 'one study'} across "
        f"{count(len(searched), 'parameter')} to {monitor.replace('_', ' ')}, best {score(best)}. The "
        f"{count(len(kept), 'retrained set')}: {'; '.join(told) if kept else 'none among them'}."
    )
