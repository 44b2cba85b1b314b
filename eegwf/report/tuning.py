"""What the page shows of tuning: figures, tables, and why a figure is missing."""

import math
from typing import Any

from eegwf.report import figures_tuning, tables_run
from eegwf.report.data import Run
from eegwf.report.drawing import Group
from eegwf.report.formats import count, listing
from eegwf.report.optuna_studies import Study, drawn, importances, space, studies

ROUGH = 50  # complete trials, below which the best tenth are fewer than the 5 that PED-ANOVA wants


def parts(run: Run) -> dict[str, Any]:
    """Tuning's part of what the template is given."""
    found, searched, monitor = studies(run), space(run), run.config["training"]["monitor"]
    history = [figures_tuning.history_figure(study, monitor, str(study.first.number)) for study in found]
    parallel = figures_tuning.parallel_figure(found, searched, monitor)
    best, parameters = tables_run.parameter_tables(run)
    return {
        "tuning_figures": Group(
            "Validation value of every trial, in their order; the line is the best so far. Ticks at the bottom are "
            "pruned trials, crosses failed ones.",
            [figure for figure in history if figure is not None],
            small=True,
        ),
        **_importances(found, searched),
        "parallel": Group(
            "Every complete trial is a line from parameter to parameter to its validation value (last axis). Each axis "
            "has the range that was searched. Strong lines with dots are the sets that were retrained.",
            [parallel] if parallel else [],
            wide=True,
        ),
        "searched": len(searched),
        "trial_table": tables_run.trial_table(run),
        "best_table": best,
        "parameter_table": parameters,
    }


def _importances(found: list[Study], searched) -> dict[str, Any]:
    results = {study.name: importances(study, searched) for study in found if len(study.trials)}
    kept = {name: own for name, own in results.items() if not isinstance(own, str)}
    reasons = [(name, own) for name, own in results.items() if isinstance(own, str)]
    figure = figures_tuning.importance_figure(kept)
    return {
        "importance_figures": Group(_caption([study for study in found if study.name in kept], searched), [figure])
        if figure
        else Group(""),
        "no_importances": _why_not(reasons),
    }


def _caption(kept: list[Study], searched) -> str:
    if not kept:
        return ""
    sizes = sorted({len(drawn(study, searched)) for study in kept})
    n = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    each = " in each study" if len(kept) > 1 else ""
    dots = "Bars are the mean over the folds' studies, dots the studies. " if len(kept) > 1 else ""
    rough = (
        f"With {n} complete trials{each} this is rough: the best tenth is "
        f"{count(math.ceil(sizes[0] / 10), 'trial')}, and at least 5 are advised."
        if sizes[0] < ROUGH
        else f"From {n} complete trials{each}."
    )
    return (
        f"{dots}Importance by PED-ANOVA: how far a parameter's values among the best tenth of the complete trials "
        f"differ from those among all. {rough} It tells what mattered inside the searched ranges, not outside."
    )


def _why_not(reasons: list[tuple[str, str]]) -> str:
    if not reasons:
        return ""
    names: dict[str, list[str]] = {}
    for name, reason in reasons:
        names.setdefault(reason, []).append(name[0].lower() + name[1:])
    told = "; ".join(f"{reason} ({listing(own)})" for reason, own in names.items())
    return f"No parameter importances where {told}."
