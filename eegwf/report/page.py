"""The page: the template filled with tables, figures and text."""

from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from eegwf.models.registry import entry_of
from eegwf.report import (
    attribution,
    calibration,
    eeg,
    events,
    figures_events,
    figures_folds,
    figures_scores,
    figures_training,
    interval_notes,
    labels,
    ledger,
    patients,
    spread,
    statement,
    subgroups,
    tables,
    tables_run,
    threshold,
    tuning,
    validity,
)
from eegwf.report.data import ReportData
from eegwf.report.drawing import Group
from eegwf.report.formats import listing, number
from eegwf.report.judgment import Judgment
from eegwf.report.paper import section
from eegwf.report.scripts import inline_scripts
from eegwf.report.selection import TESTED, fold_scores, monitored, selection_optimism

FOLDER = Path(__file__).parent


def content(
    run: ReportData,
    about: dict[str, Any],
    timing: pd.DataFrame,
    cost: pd.DataFrame,
    compared: str = "",
    judged: Judgment | None = None,
) -> dict[str, Any]:
    """Collect what the page of a combination shows: its texts, tables and figures.

    Parameters
    ----------
    run
        Content of the report.
    about
        Content of `run.json`.
    timing
        Content of `timing.tsv`.
    cost
        Content of `ledger.tsv`.
    compared
        The classical baseline, and the comparison with it; empty without one.
    judged
        Evidence and verdicts of the attribution methods; None to compute them.

    Returns
    -------
    dict
        Variables of the template.
    """
    shown = statement.cards(run)
    return dict(
        style=(FOLDER / "style.css").read_text(encoding="utf-8"),
        run=run,
        kind="report",
        title=f"{run.model} · {run.spectrogram} · {run.class_set}",
        member=statement.MEMBER_NAMES.get(run.primary, run.primary),
        sentence=statement.study_sentence(run),
        cards=shown,
        level=tables.level(run),
        interval_method=interval_notes.interval_method(run),
        banners=validity.banners(run, [fold.best[0]["value"] if fold.best else None for fold in run.outer]),
        verdict=statement.verdict(run),
        compared=compared,
        cautions=statement.cautions(run, shown) + events.cautions(run) + labels.cautions(run),
        synthetic=run.study.dataset.kind == "synthetic",
        smaller=statement.smaller_than_study(run),
        listing=listing,
        external=run.study.external_sets(run.class_set),
        about=about,
        config=tables_run.configuration_text(run.study),
        **_scores(run),
        **_folds(run),
        **patients.parts(run),
        **subgroups.parts(run),
        **calibration.parts(run),
        **threshold.parts(run),
        **eeg.parts(run),
        **tuning.parts(run),
        **_training(run),
        **attribution.parts(run, judged),
        **_data(run),
        **section.parts(run, about),
        run_table=tables_run.run_table(run, about),
        repeatability=validity.repeatability(run),
        time_table=tables_run.time_table(timing) if len(timing) else None,
        ledger_table=ledger.ledger_table(cost) if len(cost) > 1 else None,
        cost=ledger.cost_sentence(run, cost),
    )


def render(shown: dict[str, Any]) -> str:
    """HTML of the page of a combination, without references to other files or servers, from its `content`."""
    return environment().get_template("template.html").render(**shown)


def environment() -> jinja2.Environment:
    """Environment of the templates in this folder; inserted values are escaped."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["inline_scripts"] = inline_scripts
    return templates


def _scores(run: ReportData) -> dict[str, Any]:
    confusion = figures_scores.confusion_figure(run.metrics["confusion"][run.primary], run.classes, run.primary)
    curves = (
        "Primary member, pooled test folds. Confusion matrix with counts and percentages of each row; one-versus-rest "
        "curves of each class."
    )
    members = (
        f"Scores with {tables.level(run)} confidence intervals. The diamond is the primary member; "
        "dashed lines are the baselines."
    )
    return {
        "class_figures": Group(curves, [confusion, *figures_scores.curve_figures(run)]),
        "class_table": tables.class_table(run),
        "member_figures": Group(members, figures_scores.member_figures(run.metrics)),
        "member_table": tables.member_table(run),
        "seed_spread": spread.seed_sentence(run),
        "mean_table": tables.mean_table(run),
        **_events(run),
    }


def _events(run: ReportData) -> dict[str, Any]:
    if not run.metrics.get("events"):
        return {"events": None, "event_headline": "", "why_no_events": statement.why_no_events(run)}
    curve = figures_events.curve_figure(run)
    caption = (
        "By threshold, pooled over the test folds, each with the smoothing and minimum duration of its operating "
        "point. The curve describes the test folds; no point was chosen on it. The diamond is the result, with "
        "confidence intervals."
    )
    return {
        "events": {
            "result": events.result(run),
            "joined": events.joined(run),
            "latency": events.latency(run),
            "detectors": events.detector_table(run),
            "points": events.point_table(run),
            "patients": events.patient_table(run),
            "curve": Group(caption, [curve]) if curve else None,
        },
        "event_headline": events.headline(run),
    }


def _folds(run: ReportData) -> dict[str, Any]:
    folds = fold_scores(run)
    confidence = run.study.evaluation.confidence
    optimism = selection_optimism(run, folds, confidence)
    level, compared = f"{number(round(100 * confidence, 6))} %", TESTED[monitored(run)]
    return {
        "fold_figures": Group("", [figures_folds.fold_figure(run, folds, optimism)]),
        "fold_table": tables.fold_table(run, folds, optimism),
        "optimism": validity.optimism_claim(run, optimism, level, compared),
        "bounded": optimism.low is not None,
        "why_undefined": validity.why_no_optimism(run),
    }


def _training(run: ReportData) -> dict[str, Any]:
    training = [figure for figure in map(figures_training.training_figure, run.outer) if figure is not None]
    return {
        "training_figures": Group(
            "Retraining by epoch: rank1 with thick lines, other ranks with thin lines. Diamonds mark the best epoch, "
            "whose weights are used.",
            training,
            small=True,
        ),
        "closed_form": not entry_of(run.model, run.study.models[run.model].fixed).gradient_trained,
    }


def _data(run: ReportData) -> dict[str, Any]:
    return {
        "window_table": tables_run.window_table(run),
        "split_table": tables_run.split_table(run),
        "leakage_table": tables_run.leakage_table(run),
        "label_table": labels.label_table(run),
        "recording_table": tables_run.recording_table(run),
    }
