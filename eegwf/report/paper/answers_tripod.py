"""Answers of a run to the items of TRIPOD+AI."""

from eegwf.report import interval_notes, statement, validity
from eegwf.report.calibration import calibration_sentence
from eegwf.report.data import ReportData
from eegwf.report.formats import count, listing
from eegwf.report.paper import methods, methods_training
from eegwf.report.paper.answers import About, Answer, Answers
from eegwf.report.paper.results import results
from eegwf.report.spread import seed_sentence


def _title(run: ReportData, about: About) -> Answer:
    """Item 1."""
    return Answer(
        f"Development and internal evaluation of a model that classifies windows of EEG into {listing(run.classes)}.",
        "a title with the target population",
    )


def _objectives(run: ReportData, about: About) -> Answer:
    """Item 4."""
    external = run.study.external_sets(run.class_set)
    evaluated = f"cross-validation by patient, and external tests on {listing(external)}" if external else (
        "cross-validation by patient"
    )  # fmt: skip
    return Answer(f"Development, and evaluation by {evaluated}.", "the objectives")


def _data_sources(run: ReportData, about: About) -> Answer:
    """Item 5a."""
    return Answer(methods.data_sentences(run), "how representative the data are")


def _eligibility(run: ReportData, about: About) -> Answer:
    """Item 6b."""
    excluded = getattr(run.study.dataset, "exclude", [])
    patients = f" Patients who were not read: {listing(excluded)}." if excluded else ""
    n = int((run.recordings["excluded"] != "").sum()) if "excluded" in run.recordings else 0
    return Answer(
        f"{count(n, 'recording')} could not be used; recordings.tsv has the reasons.{patients}",
        "the criteria of the data set",
    )


def _preparation(run: ReportData, about: About) -> Answer:
    """Item 7."""
    return Answer(
        f"{methods.signal_sentences(run)} {methods.window_sentences(run)} The quality of each recording (flat "
        "channels, line noise, correlation) is in recordings.tsv; no recording was excluded by it.".strip()
    )


def _outcome(run: ReportData, about: About) -> Answer:
    """Item 8a."""
    sets = run.study.classes[run.class_set]
    classes = "; ".join(f"{name}: {', '.join(types)}" for name, types in sets.items())
    return Answer(f"Class of a window by the event types of the annotations ({classes}).", "how events were annotated")


def _predictors(run: ReportData, about: About) -> Answer:
    """Items 9a and 9b."""
    return Answer(f"{methods.signal_sentences(run)} {methods.input_sentence(run)}".strip())


def _sample_size(run: ReportData, about: About) -> Answer:
    """Item 10."""
    patients = {label: found["n_patients"] for label, found in run.headline["per_class"].items()}
    shown = listing([f"{count(n, 'patient')} with {label}" for label, n in patients.items()])
    return Answer(f"All usable patients of the data set: {shown}.", "the reason of this size")


def _missing_data(run: ReportData, about: About) -> Answer:
    """Item 11."""
    if run.study.dataset.kind == "fold_arrays":
        return Answer()
    settings = run.study.signals
    electrodes = {"error": "refused", "interpolate": "interpolated", "exclude": "excluded from all recordings"}
    bad = {"stop": "stopped the run", "exclude": "were excluded and listed"}
    return Answer(
        f"Missing electrodes: {electrodes[settings.missing]}. Recordings that can't be read "
        f"{bad[settings.on_bad_recording]}. No window crosses a gap."
    )


def _partition(run: ReportData, about: About) -> Answer:
    """Item 12a."""
    return Answer(methods.fold_sentences(run))


def _scaling(run: ReportData, about: About) -> Answer:
    """Item 12b."""
    return Answer(f"{methods.input_sentence(run)} {methods_training.training(run)}")


def _building(run: ReportData, about: About) -> Answer:
    """Item 12c."""
    return Answer(f"{methods_training.tuning(run)} {methods_training.retraining(run)}")


def _measures(run: ReportData, about: About) -> Answer:
    """Item 12e."""
    return Answer(
        "Balanced accuracy, macro F1, accuracy, AUROC, AUPRC, recall and precision by class, log loss, Brier score, "
        f"calibration error, and scores of events where there are recordings. {methods_training.statistics(run)}"
    )


def _recalibration(run: ReportData, about: About) -> Answer:
    """Items 12f and 24."""
    return Answer(f"{methods_training.calibration(run)} {calibration_sentence(run)}")


def _imbalance(run: ReportData, about: About) -> Answer:
    """Item 13."""
    counts = listing([f"{n:,d} of {label}" for label, n in statement.scored_windows(run).items()])
    return Answer(f"Windows: {counts}. {methods_training.training(run)} {methods_training.calibration(run)}")


def _fairness(run: ReportData, about: About) -> Answer:
    """Item 14."""
    columns = list((run.metrics.get("subgroups") or {"columns": {}})["columns"])
    if not columns:
        return Answer()
    return Answer(f"Scores by subgroup ({listing(columns)}) are in the report.", "approaches to fairness")


def _output(run: ReportData, about: About) -> Answer:
    """Item 15."""
    return Answer(
        f"Probability of each class ({listing(run.classes)}); the predicted class has the largest one before "
        f"calibration. {methods_training.detection(run)}".strip()
    )


def _differences(run: ReportData, about: About) -> Answer:
    """Item 16."""
    return Answer("None: development and evaluation use patients of one data set, divided by patient.")


def _code(run: ReportData, about: About) -> Answer:
    """Item 18f."""
    return Answer(methods_training.software(about), "where the code can be found")


def _flow(run: ReportData, about: About) -> Answer:
    """Item 20a."""
    n_all = run.recordings["patient"].nunique()
    text = f"{count(n_all, 'patient')} in the data set, {run.metrics['n_patients']} with scored windows"
    return Answer(f"{text}, {len(run.reserved)} reserved for tuning.")


def _participants(run: ReportData, about: About) -> Answer:
    """Item 21."""
    return Answer(f"{methods.data_sentences(run)} Patients and windows of each fold are in the report.")


def _specification(run: ReportData, about: About) -> Answer:
    """Item 22."""
    return Answer(
        "The configuration is in run.json, the weights and the description of each model in fold*/retrain/.",
        "where the models can be found",
    )


def _performance(run: ReportData, about: About) -> Answer:
    """Item 23a."""
    return Answer(results(run))


def _limitations(run: ReportData, about: About) -> Answer:
    """Item 26."""
    return Answer(" ".join(limitations(run)), "further limitations")


def limitations(run: ReportData) -> list[str]:
    """Sentences on properties of the run that limit its conclusions."""
    notes = [*interval_notes.few_patients(run), *run.metrics["sanity_warnings"]]
    notes += [f"The scores are not a result: {validity.MEANINGS[mark]}." for mark in validity.marks(run.study)]
    if run.study.dataset.kind == "synthetic":
        notes.append("The recordings are synthetic.")
    if not run.study.external_sets(run.class_set):
        notes.append("There was no external test on another data set.")
    return [*notes, *filter(None, (seed_sentence(run),))]


ANSWERS: Answers = {
    "1": _title, "4": _objectives, "5a": _data_sources, "6b": _eligibility, "7": _preparation, "8a": _outcome,
    "9a": _predictors, "9b": _predictors, "10": _sample_size, "11": _missing_data, "12a": _partition, "12b": _scaling,
    "12c": _building, "12e": _measures, "12f": _recalibration, "12g": _output, "13": _imbalance, "14": _fairness,
    "15": _output, "16": _differences, "18f": _code, "20a": _flow, "21": _participants, "22": _specification,
    "23a": _performance, "24": _recalibration, "26": _limitations,
}  # fmt: skip
