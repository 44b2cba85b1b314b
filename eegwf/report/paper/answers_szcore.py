"""Answers of a run to the recommendations of SzCORE."""

from eegwf.report import events
from eegwf.report.data import ReportData
from eegwf.report.formats import count, duration
from eegwf.report.paper import methods, methods_training
from eegwf.report.paper.answers import About, Answer, Answers
from eegwf.report.statement import kept_recordings, why_no_events

MIN_PATIENTS, MIN_HOURS = 10, 100.0


def _size(run: ReportData, about: About) -> Answer:
    """Size of the data set."""
    seconds, n = float(kept_recordings(run)["duration"].sum()), run.metrics["n_patients"]
    met = n >= MIN_PATIENTS and seconds >= MIN_HOURS * 3600
    time = duration(seconds) if seconds > 0 else "unknown duration"
    return Answer(f"{'Met' if met else 'Not met'}: {count(n, 'patient')}, {time}.", "who annotated the data")


def _form(run: ReportData, about: About) -> Answer:
    """Format of recordings and annotations."""
    kinds = {
        "bids": "Met: BIDS with the event types of SzCORE.",
        "synthetic": "Met: BIDS with the event types of SzCORE.",
        "files": "Recordings in the folders of the data set; labels are mapped to the event types of SzCORE.",
        "fold_arrays": "Not met: given arrays.",
    }
    return Answer(kinds[run.study.dataset.kind])


def _channels(run: ReportData, about: About) -> Answer:
    """Channels and sampling rate."""
    if run.study.dataset.kind == "fold_arrays":
        return Answer()
    signals = run.study.signals
    met = signals.montage == "average" and signals.sfreq == 256
    return Answer(f"{'Met' if met else 'Different'}: {methods.signal_sentences(run)}")


def _population(run: ReportData, about: About) -> Answer:
    """Patients and their seizures."""
    return Answer(methods.data_sentences(run), "age, setting and types of epilepsy")


def _split(run: ReportData, about: About) -> Answer:
    """Patient-independent cross-validation."""
    checks = "passed" if run.leakage["passed"] else "failed"
    return Answer(f"Met: {methods.fold_sentences(run)} The leakage checks {checks}.")


def _folds(run: ReportData, about: About) -> Answer:
    """Number of folds."""
    n, patients = len(run.metrics["per_fold"]), run.metrics["n_patients"]
    return Answer(f"Met: {'leaving out one patient' if n == patients else f'{n} folds'}; all folds were tested.")


def _choices(run: ReportData, about: About) -> Answer:
    """Choices without the test data."""
    met = "Not met, tuning used test patients:" if run.mode == "once" else "Met:"
    return Answer(f"{met} {methods_training.tuning(run)}")


def _event_scores(run: ReportData, about: About) -> Answer:
    """Rules of the scores of events."""
    found = methods_training.detection(run)
    return Answer(f"Met: {found}") if found else Answer(f"Not met: {why_no_events(run)}")


def _sample_scores(run: ReportData, about: About) -> Answer:
    """Scores of seconds."""
    if not run.metrics.get("events"):
        return Answer(f"Not met: {why_no_events(run)}")
    return Answer("Met: sensitivity, precision and F1 of seconds are in the report.")


def _reported(run: ReportData, about: About) -> Answer:
    """The scores of events."""
    if not run.metrics.get("events"):
        return Answer(f"Not met: {why_no_events(run)}")
    return Answer(f"Met: {events.result(run)}")


def _patients(run: ReportData, about: About) -> Answer:
    """Scores of each patient."""
    with_events = " and events.tsv" if run.metrics.get("events") else ""
    return Answer(f"Met: per_patient.tsv{with_events}.")


def _code(run: ReportData, about: About) -> Answer:
    """Code and versions."""
    return Answer(methods_training.software(about), "where the code can be found")


ANSWERS: Answers = {
    "data": _size, "format": _form, "channels": _channels, "population": _population, "split": _split, "folds": _folds,
    "tuning": _choices, "events": _event_scores, "samples": _sample_scores, "reported": _reported,
    "patients": _patients, "code": _code,
}  # fmt: skip
