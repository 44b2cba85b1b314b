"""Section of the page on tuning: figures, tables, and why a figure is missing."""

import math
from collections.abc import Mapping
from typing import Any

from eegwf.config.tuning import Choices, Range
from eegwf.report import figures_tuning, tables_run
from eegwf.report.data import ReportData
from eegwf.report.drawing import Group
from eegwf.report.formats import count, listing
from eegwf.report.optuna_studies import OptunaStudy, complete_trials, importances, search_space, studies

ROUGH = 50  # complete trials; the best tenth of fewer is below the 5 trials that PED-ANOVA needs


def parts(run: ReportData) -> dict[str, Any]:
    """Variables of the template for the section on tuning."""
    optuna_studies, searched, monitor = studies(run), search_space(run), run.study.training.monitor
    history = [figures_tuning.history_figure(study, monitor, str(study.first.number)) for study in optuna_studies]
    parallel = figures_tuning.parallel_figure(optuna_studies, searched, monitor)
    best, parameters = tables_run.parameter_tables(run)
    return {
        "tuning_figures": Group(
            "Validation value of each trial by trial number; the line is the best value so far. Marks at the bottom: "
            "ticks are pruned trials, crosses are failed trials.",
            [figure for figure in history if figure is not None],
            small=True,
        ),
        **_importances(optuna_studies, searched),
        "parallel": Group(
            "Each line is a complete trial; it connects the values of the hyperparameters with the validation value "
            "(last axis). The axes show the searched ranges. Thick lines with dots are the retrained parameter sets.",
            [parallel] if parallel else [],
            wide=True,
        ),
        "searched": len(searched),
        "trial_table": tables_run.trial_table(run),
        "best_table": best,
        "parameter_table": parameters,
    }


def _importances(optuna_studies: list[OptunaStudy], searched: Mapping[str, Range | Choices]) -> dict[str, Any]:
    results = {study.name: importances(study, searched) for study in optuna_studies if len(study.trials)}
    computed = {name: result for name, result in results.items() if not isinstance(result, str)}
    reasons = [(name, result) for name, result in results.items() if isinstance(result, str)]
    figure = figures_tuning.importance_figure(computed)
    caption = _caption([study for study in optuna_studies if study.name in computed], searched)
    return {
        "importance_figures": Group(caption, [figure]) if figure else Group(""),
        "no_importances": _why_not(reasons),
    }


def _caption(computed: list[OptunaStudy], searched: Mapping[str, Range | Choices]) -> str:
    if not computed:
        return ""
    sizes = sorted({len(complete_trials(study, searched)) for study in computed})
    n = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    each = " in each Optuna study" if len(computed) > 1 else ""
    dots = "Bars are the mean over the Optuna studies of the folds, dots the studies. " if len(computed) > 1 else ""
    sample = (
        f"Computed from {n} complete trials{each}. This is a rough estimate: the best tenth is "
        f"{count(math.ceil(sizes[0] / 10), 'trial')}, and at least 5 are recommended."
        if sizes[0] < ROUGH
        else f"Computed from {n} complete trials{each}."
    )
    return (
        f"{dots}Importance by PED-ANOVA: difference between the distribution of a hyperparameter in the best tenth of "
        f"the complete trials and in all complete trials. {sample} Importances apply to the searched ranges only."
    )


def _why_not(reasons: list[tuple[str, str]]) -> str:
    if not reasons:
        return ""
    names: dict[str, list[str]] = {}
    for name, reason in reasons:
        names.setdefault(reason, []).append(name[0].lower() + name[1:])
    text = "; ".join(f"{reason} ({listing(studies)})" for reason, studies in names.items())
    return f"Hyperparameter importance was not computed: {text}."
