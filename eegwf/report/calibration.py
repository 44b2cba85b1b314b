"""Section of the page on calibration: sentence, figures and tables."""

import math
from typing import Any

from eegwf.report import figures_calibration
from eegwf.report.data import ReportData
from eegwf.report.drawing import Group
from eegwf.report.formats import count, difference, difference_interval, number, score, share, with_interval
from eegwf.report.tables import Cell, Table, level


def parts(run: ReportData) -> dict[str, Any]:
    """Values of the template for the section."""
    caption = (
        f"Primary member, pooled test folds. {run.metrics['calibration']['n_bins']} bins with equal numbers of "
        f"windows; vertical lines are {level(run)} intervals of the bootstrap over patients, for each bin by itself. "
        "The error is that of the class of largest probability."
    )
    of_classes = figures_calibration.reliability_figures(
        run.metrics["calibration"], run.classes, f"{run.primary}, pooled test folds"
    )
    figures = [*of_classes, figures_calibration.risk_coverage_figure(run)]
    return {
        "calibration": calibration_sentence(run),
        "calibration_figures": Group(caption, figures),
        "calibration_table": calibration_table(run),
        "abstention_table": abstention_table(run),
        "conformal_table": conformal_table(run),
        "conformal_fold_table": conformal_fold_table(run),
        "conformal_patient_table": conformal_patient_table(run),
        "conformal_note": conformal_note(run),
    }


def calibration_sentence(run: ReportData) -> str:
    """Temperatures, and the log loss before and after calibration."""
    found = run.metrics["calibration"]
    temperatures = [model["temperature"] for model in found["models"]]
    low, high = min(temperatures), max(temperatures)
    values = number(low) if low == high else f"{number(low)} to {number(high)}"
    before, after = (score(found[name]["log_loss"]["value"]) for name in ("raw", "calibrated"))
    change = found["change"]["log_loss"]
    bounds = difference_interval(change["low"], change["high"])
    text = (
        f"The log loss is {before} before and {after} after calibration (change {difference(change['value'])}"
        + (f", {level(run)} confidence interval {bounds}" if bounds else "")
        + f"). The temperatures of {count(len(temperatures), 'model')} are {values}."
    )
    notes = sorted({model["note"] for model in found["models"] if model["note"]})
    for note in notes:
        n_models = sum(model["note"] == note for model in found["models"])
        text += f" For {count(n_models, 'model')} it is {note}."
    return text


def calibration_table(run: ReportData) -> Table:
    """Scores of the probabilities before and after calibration."""
    found = run.metrics["calibration"]
    rows: list[list[Cell]] = []
    for name in ("raw", "calibrated"):
        scores = found[name]
        terms = scores["brier_terms"]
        rows.append(
            [
                name,
                with_interval(scores["log_loss"]),
                with_interval(scores["brier"]),
                *(score(terms[term]) for term in ("reliability", "resolution", "uncertainty")),
                _signed(terms["within_bins"]),
                *(score(scores["ece"][kind]) for kind in ("equal_width", "equal_mass")),
                score(scores["ece_top_label"]["equal_width"]),
                score(scores["risk_coverage"]["aurc"]),
            ]
        )
    change = [
        (difference(entry["value"]), difference_interval(entry["low"], entry["high"]) or "no interval")
        for entry in (found["change"]["log_loss"], found["change"]["brier"])
    ]
    rows.append(["change", *change, *[""] * 8])
    return Table(
        f"Probabilities before and after calibration: {run.primary}, with {level(run)} confidence intervals",
        [
            "probabilities", "log loss", "Brier score", "reliability", "resolution", "uncertainty", "within bins",
            "ECE, equal width", "ECE, equal mass", "ECE of the top label", "AURC",
        ],
        rows,
        "The log loss is in nats. The Brier score is the sum over the classes, 0 to 2, and equals reliability "
        "\N{MINUS SIGN} resolution + uncertainty + within bins. The expected calibration error (ECE) is the mean over "
        "the classes, one versus rest; that of the top label uses the largest probability. It is biased upward in "
        "small samples. AURC is the area under the risk-coverage curve.",
    )  # fmt: skip


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def abstention_table(run: ReportData) -> Table:
    """Coverage and error with thresholds chosen on the validation patients."""
    rows: list[list[Cell]] = [
        [
            share(entry["target"]),
            share(entry["coverage"]),
            share(entry["error"]),
            *(share(entry["class_coverage"][label]) for label in run.classes),
        ]
        for entry in run.metrics["calibration"]["abstention"]
    ]
    return Table(
        f"Abstention: {run.primary}, calibrated probabilities",
        ["largest error on validation", "windows kept", "error, test", *(f"{label} kept" for label in run.classes)],
        rows,
        "A window is kept if its largest probability reaches the threshold of its fold: the smallest one whose error "
        "on the validation patients is not above the first column. If none is, all windows of the fold are left out. A "
        "low error may come from leaving out a class; the last columns show it.",
    )


def conformal_table(run: ReportData) -> Table:
    """Coverage and size of the conformal prediction sets."""
    found = run.metrics["calibration"]["conformal"]
    patients = found["patients"]
    rows: list[list[Cell]] = [
        ["coverage, mean of the patients", share(patients["mean"])],
        ["coverage, median of the patients", share(patients["median"])],
        ["coverage, lowest of a patient", share(patients["min"])],
        ["patients below the nominal coverage", share(patients["below"])],
        ["coverage of the windows", share(found["coverage"])],
        *_class_rows(found["class_coverage"]),
        ["mean number of classes", f"{found['mean_size']:.2f} of {len(run.classes)}"],
        ["sets of one class", share(found["one_class"])],
        ["sets of all classes", share(found["all_classes"])],
    ]
    return Table(
        f"Conformal prediction sets: {run.primary}, nominal coverage {share(1 - found['alpha'])}",
        ["quantity", "value"],
        rows,
    )


def _class_rows(coverage: dict[str, float | None]) -> list[list[Cell]]:
    return [[f"coverage of {label} windows", share(value)] for label, value in coverage.items()]


def conformal_note(run: ReportData) -> str:
    """Sentence on folds with too few validation patients; empty if there is none."""
    found = run.metrics["calibration"]["conformal"]
    lacking = [fold for fold in found["folds"] if fold["threshold"] is None]
    if not lacking:
        return ""
    needed = math.ceil(1 / found["alpha"] - 1 - 1e-9)
    sizes = sorted({fold["n_patients"] for fold in lacking})
    found_sizes = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return (
        f"In {len(lacking)} of {count(len(found['folds']), 'fold')} the sets contain all classes: a nominal coverage "
        f"of {share(1 - found['alpha'])} needs {needed} validation patients in a fold; there are {found_sizes}."
    )


def conformal_fold_table(run: ReportData) -> Table:
    """Calibration of the sets in each outer fold."""
    rows: list[list[Cell]] = [
        [
            str(fold["fold"]),
            str(fold["n_patients"]),
            share(1 - fold["smallest_alpha"]),
            "all classes" if fold["threshold"] is None else score(1 - fold["threshold"]),
        ]
        for fold in run.metrics["calibration"]["conformal"]["folds"]
    ]
    return Table(
        "Calibration of the sets by outer fold",
        ["fold", "validation patients", "largest possible coverage", "smallest probability in a set"],
        rows,
        "With so many validation patients, sets of a larger nominal coverage contain all classes.",
    )


def conformal_patient_table(run: ReportData) -> Table:
    """Coverage of every patient, in ascending order."""
    entries = sorted(
        run.metrics["calibration"]["conformal"]["per_patient"], key=lambda entry: (entry["coverage"], entry["patient"])
    )
    rows: list[list[Cell]] = [
        [
            entry["patient"],
            str(entry["fold"]),
            f"{entry['n_windows']:,d}",
            share(entry["coverage"]),
            f"{entry['mean_size']:.2f}",
        ]
        for entry in entries
    ]
    return Table(
        "Coverage of the sets by patient, in ascending order",
        ["patient", "fold", "windows", "coverage", "mean number of classes"],
        rows,
    )
