"""The report of the test of a combination on an external data set."""

from typing import Any

from eegwf.evaluation.external_predictions import FINAL
from eegwf.evaluation.intervals import FEW_PATIENTS, MIN_PATIENTS
from eegwf.report import external_tables as tables
from eegwf.report.drawing import Group
from eegwf.report.external_data import ExternalReportData
from eegwf.report.figures_calibration import reliability_figures
from eegwf.report.figures_external import comparison_figures
from eegwf.report.figures_scores import confusion_figure
from eegwf.report.formats import count, defined, difference, difference_interval, duration, listing, score
from eegwf.report.page import FOLDER, environment


def render_external(report: ExternalReportData) -> str:
    """Render the page of an external test.

    Returns
    -------
    str
        HTML without references to other files or servers, except the link to the report of the combination.
    """
    found = report.metrics["calibration"]["members"][report.shown]
    shown = report.shown_title
    return (
        environment()
        .get_template("external.html")
        .render(
            style=(FOLDER / "style.css").read_text(encoding="utf-8"),
            kind="external test",
            title=f"{' · '.join(report.combination)} on {report.name}",
            sentence=sentence(report),
            verdict=verdict(report),
            limits=limits(report),
            score_table=tables.score_table(report),
            comparison=Group(
                "The dashed line is chance level of the balanced accuracy. External: mean of the folds' models.",
                comparison_figures(report),
            ),
            member_table=tables.member_table(report),
            confusion=Group(
                f"Windows of {report.name}, predicted by {shown}.",
                [confusion_figure(report.metrics["confusion"][report.shown], report.classes, shown)],
            ),
            mapping_table=tables.mapping_table(report),
            data_table=tables.data_table(report),
            calibration=Group(
                f"Windows of {report.name}, predicted by {shown}; bins with equal numbers of windows.",
                reliability_figures(found, report.classes, f"{shown}, windows of {report.name}"),
            ),
            calibration_table=tables.calibration_table(report),
            patient_table=tables.patient_table(report),
            leakage_table=tables.leakage_table(report),
        )
    )


def sentence(report: ExternalReportData) -> str:
    """Describe what was tested on which data."""
    data, metrics = report.data["external"], report.metrics
    windows = listing([f"{n:,d} {name}" for name, n in report.class_windows("external").items()])
    final = (
        "; the final models, which are trained on all patients, predicted it too" if FINAL in metrics["members"] else ""
    )
    return (
        f"The models of {report.combination.name}, tuned and trained in the study {report.study}, were tested on the "
        f"external data set {report.name}: {count(metrics['n_patients'], 'patient')}, "
        f"{count(len(data.recordings), 'recording')}, {duration(data.recordings['duration'].sum())}, scored windows "
        f"{windows}. The models of each of {count(len(report.folds), 'fold')} predicted the whole data set once, with "
        f"their own calibration and operating point{final}. Nothing was chosen on it."
    )


def verdict(report: ExternalReportData) -> str:
    """The main score, internal and external, in a sentence."""
    kind, metrics = "balanced_accuracy", report.metrics
    change, internal, mean = (metrics[part][kind] for part in ("difference", "internal", "mean_of_folds"))
    if not defined(change["value"]):
        return "The balanced accuracy is undefined in one of the data sets."
    bounds = difference_interval(change["low"], change["high"])
    text = (
        f"The balanced accuracy is {tables.describe(mean)} on {report.name} and {tables.describe(internal)} in the "
        f"cross-validation: a difference of {difference(change['value'])}"
        + (f" ({report.level} confidence interval {bounds})." if bounds else ", without an interval.")
    )
    if bounds and change["low"] <= 0 <= change["high"]:
        text += " The interval contains 0, so that the test shows no difference; it does not show that there is none."
    if FINAL in metrics["members"]:
        text += f" The final models have {tables.describe(metrics['members'][FINAL][kind])}."
    chance = metrics["baselines"]["chance"][kind]
    return f"{text} Chance level is {score(chance)}."


def limits(report: ExternalReportData) -> list[str]:
    """What restricts the conclusions from the test."""
    metrics = report.metrics
    found: list[str] = []
    few = [f"{name} ({values['n_patients']})" for name, values in metrics["members"][report.shown]["per_class"].items()
           if values["n_patients"] < FEW_PATIENTS]  # fmt: skip
    if few:
        found.append(
            f"Fewer than {FEW_PATIENTS} external patients have windows of {listing(few)}: intervals of scores that "
            f"depend on them are uncertain, and with fewer than {MIN_PATIENTS} there are none."
        )
    left_out = report.mapping[report.mapping["class"] == ""]
    if len(left_out):
        types = listing(left_out["event_type"].tolist())
        found.append(f"{int(left_out['n_windows'].sum()):,d} windows of {types} have no class and are left out.")
    own, other = (_positive_share(report, part) for part in tables.DATA_SETS)
    found.append(
        f"The share of windows that are not {report.classes[0]} is {100 * other:.1f} % in {report.name} and "
        f"{100 * own:.1f} % in the study; scores that depend on it can't be compared directly."
    )
    if report.metrics["events"]:
        found += [f"Events of {report.name}: {reason}." for reason in report.metrics["events"]["unsuitable"]]
    else:
        found.append("Events were not scored, because the study has no event scores.")
    found.append(
        "The intervals describe further patients of the same two data sets. One external data set is one hospital, one "
        "amplifier and one annotation practice; a difference can have any of these causes."
    )
    return found


def _positive_share(report: ExternalReportData, part: str) -> float:
    counts: Any = list(report.class_windows(part).values())
    return sum(counts[1:]) / sum(counts)
