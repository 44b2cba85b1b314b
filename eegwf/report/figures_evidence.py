"""Figure of the cascading randomization of the weights."""

from typing import Any

import numpy as np

from eegwf.report.drawing import MARKERS, SERIES, Figure, drawing
from eegwf.report.judgment import Judgment


def cascade_figure(judged: Judgment, about: dict[str, Any]) -> Figure | None:
    """Draw how similar maps remain while more and more stages of the network are randomized.

    Parameters
    ----------
    judged
        Evidence and verdicts.
    about
        `maps.json`.

    Returns
    -------
    Figure or None
        A line for each method; None if the randomization was not measured.
    """
    stages = np.arange(1, about["stages"] + 1)
    lines = {}
    for method in judged.ranked(about["methods"]):
        cells = [judged.cell(method, f"cascade_{stage}") for stage in stages]
        if any(cells):
            lines[about["titles"][method]] = [cell["value"] if cell else np.nan for cell in cells]
    if not lines:
        return None
    with drawing(6.4, max(2.6, 0.8 + 0.2 * len(lines))) as figure:
        axes = figure.axes
        for number, (title, values) in enumerate(lines.items()):
            axes.plot(
                stages,
                values,
                marker=MARKERS[number % 8],
                color=SERIES[number % 8],
                linestyle=("-", "--")[number // 8 % 2],
                markersize=5,
                label=title,
            )
        axes.axhline(0, color=SERIES[7], linewidth=0.8)
        axes.set(
            xlabel=f"randomized stages, from the last (of {len(stages)})",
            ylabel="absolute rank correlation",
            ylim=(None, 1),
        )
        axes.set_xticks(stages)
        axes.grid(True)
        figure.canvas.legend(loc="outside right upper")
        texts = [f"{title} {', '.join(f'{value:.2f}' for value in values)}" for title, values in lines.items()]
        alt = f"Rank correlation with the map after 1 to {len(stages)} stages of the network are randomized: "
        return figure.finish("cascade", f"{alt}{'; '.join(texts)}.")
