"""The page: tables and figures put into the template."""

from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from eegwf.models.registry import entry_of
from eegwf.report import (
    figures_folds,
    figures_maps,
    figures_scores,
    figures_training,
    ledger,
    statement,
    tables,
    tables_run,
    tuning,
    validity,
)
from eegwf.report.data import Run
from eegwf.report.drawing import Group
from eegwf.report.formats import listing, number
from eegwf.report.selection import TESTED, fold_scores, mean_optimism, monitored

FOLDER = Path(__file__).parent


def render(run: Run, about: dict[str, Any], timing: pd.DataFrame, cost: pd.DataFrame) -> str:
    """Write the page of one combination.

    Parameters
    ----------
    run
        What was collected.
    about
        The content of `run.json`.
    timing
        The content of `timing.tsv`.
    cost
        The content of `ledger.tsv`.

    Returns
    -------
    str
        HTML that needs no other file and makes no request.
    """
    template = environment().get_template("template.html")
    shown = statement.cards(run)
    return template.render(
        style=(FOLDER / "style.css").read_text(encoding="utf-8"),
        run=run,
        kind="report",
        title=f"{run.model} · {run.spectrogram} · {run.class_set}",
        member=statement.MEMBER_NAMES.get(run.primary, run.primary),
        sentence=statement.study_sentence(run),
        cards=shown,
        level=tables.level(run),
        banners=validity.banners(run, [fold.best[0]["value"] if fold.best else None for fold in run.outer]),
        verdict=statement.verdict(run),
        cautions=statement.cautions(run, shown),
        synthetic=run.config["dataset"]["kind"] == "synthetic",
        smaller=statement.smaller_than_study(run),
        listing=listing,
        about=about,
        config=tables_run.parameters_of(run.config),
        **_scores(run),
        **_folds(run),
        **tuning.parts(run),
        **_training(run),
        **_explanation(run),
        **_data(run),
        run_table=tables_run.run_table(run, about),
        repeatability=validity.repeatability(run),
        time_table=tables_run.time_table(timing) if len(timing) else None,
        ledger_table=ledger.ledger_table(cost) if len(cost) > 1 else None,
        cost=ledger.cost_sentence(run, cost),
    )


def environment() -> jinja2.Environment:
    """The templates of this folder; what is put into them is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _scores(run: Run) -> dict[str, Any]:
    confusion = figures_scores.confusion_figure(run.metrics["confusion"][run.primary], run.classes, run.primary)
    curves = "Counts and row shares, and curves of each class against the rest; pooled test folds, primary member."
    members = (
        f"Dots with {tables.level(run)} patient-bootstrap intervals; the diamond is the primary member, dashed lines "
        "are the floors."
    )
    return {
        "class_figures": Group(curves, [confusion, *figures_scores.curve_figures(run)]),
        "class_table": tables.class_table(run),
        "member_figures": Group(members, figures_scores.member_figures(run.metrics)),
        "member_table": tables.member_table(run),
        "event_table": tables.event_table(run),
        "events": tables.event_summary(run),
        "why_no_events": statement.why_no_events(run),
    }


def _folds(run: Run) -> dict[str, Any]:
    folds = fold_scores(run)
    confidence = run.config["evaluation"]["confidence"]
    optimism = mean_optimism(folds, confidence)
    level, compared = f"{number(round(100 * confidence, 6))} %", TESTED[monitored(run)]
    return {
        "fold_figures": Group("", [figures_folds.fold_figure(run, folds, optimism), figures_folds.patient_figure(run)]),
        "fold_table": tables.fold_table(run, folds, optimism),
        "patient_table": tables.patient_table(run),
        "optimism": validity.optimism_claim(run, optimism, level, compared),
        "bounded": optimism.low is not None,
        "monitor": run.config["training"]["monitor"],
    }


def _training(run: Run) -> dict[str, Any]:
    training = [figure for figure in map(figures_training.training_figure, run.outer) if figure is not None]
    return {
        "training_figures": Group(
            "Retraining by epoch: rank1 thick, the other ranks thin; diamonds mark the epochs that were kept.",
            training,
            small=True,
        ),
        "fitted": not entry_of(run.model, run.config["models"][run.model]["fixed"]).by_steps,
    }


def _explanation(run: Run) -> dict[str, Any]:
    parts = []
    for part in figures_maps.pool_maps(run):
        channels = figures_maps.channel_figure(part, run.classes)
        parts.append(
            {
                "name": part.spectrogram,
                "maps": figures_maps.map_figures(part, run.classes),
                "channels": [channels] if channels else [],
            }
        )
    return {"maps": parts, "map_table": tables_run.map_table(run)}


def _data(run: Run) -> dict[str, Any]:
    return {
        "window_table": tables_run.window_table(run),
        "split_table": tables_run.split_table(run),
        "gate_table": tables_run.gate_table(run),
        "recording_table": tables_run.recording_table(run),
    }
