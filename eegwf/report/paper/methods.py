"""Paragraph on methods: data, signals, windows, input, model and cross-validation."""

from typing import Any

from eegwf.config.spectrograms import Acf, Cwt, Grid, Mel, Stft
from eegwf.report.data import ReportData
from eegwf.report.formats import capitalized, count, duration, listing, number
from eegwf.report.paper import methods_training
from eegwf.report.statement import kept_recordings, scored_windows, window_length
from eegwf.report.validity import reserved_sentence

MODEL_NAMES = {
    "bandpower": "a logistic regression on log band power and related features",
    "boosting": "gradient boosting of decision trees on log band power and related features",
    "riemann": "a logistic regression on covariance matrices in the tangent space of their Riemannian mean",
    "lstm": "a long short-term memory network over the frames, pooled by attention",
    "transformer": "a Transformer encoder over the frames",
    "vit": "a Vision Transformer",
    "swin": "a Swin Transformer",
    "transcnn": "a convolutional network followed by a Transformer encoder",
    "inception": "the first stages of InceptionV3 followed by a Transformer encoder",
    "sharedcnn": "a convolutional network that shares its weights between the channels",
    "eegnet": "EEGNet",
}
MONTAGES = {
    "tcp20": "the 20 bipolar derivations of the TCP montage without those of the ears",
    "tcp22": "the 22 bipolar derivations of the TCP montage",
    "banana18": "the 18 bipolar derivations of the longitudinal (double banana) montage",
    "average": "19 electrodes of the 10-20 system against their average",
    "as recorded": "the channels as recorded",
}


def methods(run: ReportData, about: dict[str, Any]) -> str:
    """Write the paragraph on methods.

    Parameters
    ----------
    run
        Content of the report.
    about
        Content of `run.json`.

    Returns
    -------
    str
        Sentences in the past tense; every number is of the configuration, of the results or of `run.json`.
    """
    parts = (
        data_sentences(run),
        signal_sentences(run),
        window_sentences(run),
        input_sentence(run),
        fold_sentences(run),
    )
    return " ".join(filter(None, (*parts, methods_training.sentences(run, about))))


def dataset_name(run: ReportData) -> str:
    """Name of the data set; empty if the configuration gives none."""
    name = run.study.report.dataset_name
    if name:
        return f"the data set {name}"
    return "a synthetic data set" if run.study.dataset.kind == "synthetic" else ""


def data_sentences(run: ReportData) -> str:
    """Data set, patients, recordings, their duration, annotated seizures and excluded recordings."""
    kept = kept_recordings(run)
    name = dataset_name(run) or "[the data set; to be completed by the authors]"
    seconds = kept["duration"].sum()
    time = f" ({duration(float(seconds))})" if seconds > 0 else ""
    events = run.metrics.get("events")
    seizures = f" with {count(events['n_annotated'], 'annotated seizure')}" if events else ""
    text = (
        f"The analysis included {count(len(kept), 'recording')}{time} of "
        f"{count(run.metrics['n_patients'], 'patient')} of {name}{seizures}."
    )
    n_excluded = int((run.recordings["excluded"] != "").sum()) if "excluded" in run.recordings else 0
    if n_excluded:
        text += f" {capitalized(count(n_excluded, 'further recording'))} could not be used."
    return text


def signal_sentences(run: ReportData) -> str:
    """Montage, sampling rate and filters; empty for given arrays, whose signals are unknown."""
    if run.study.dataset.kind == "fold_arrays":
        return ""
    signals = run.study.signals
    rate = "kept at the recorded rate" if isinstance(signals.sfreq, str) else f"resampled to {number(signals.sfreq)} Hz"
    filters = []
    if signals.l_freq:
        filters.append(f"high-pass filtered at {number(signals.l_freq)} Hz")
    if signals.h_freq:
        filters.append(f"low-pass filtered at {number(signals.h_freq)} Hz")
    if signals.notch:
        filters.append(f"notch filtered at {listing([number(value) for value in signals.notch])} Hz")
    zero_phase = " (zero-phase FIR filters)" if filters else ""
    return f"Signals of {MONTAGES[signals.montage]} were {listing([*filters, rate])}{zero_phase}."


def window_sentences(run: ReportData) -> str:
    """Length, step, labels and number of the windows."""
    length = number(window_length(run))
    counts = listing([f"{n:,d} of {label}" for label, n in scored_windows(run).items()])
    n_windows = count(run.metrics["n_windows"], "labeled window")
    if run.study.dataset.kind == "fold_arrays":
        return f"The data were windows of {length} s; {n_windows} were scored ({counts})."
    settings = run.study.windows
    text = (
        f"They were cut into windows of {length} s with an onset every {number(settings.step)} s. A window had the "
        f"label of an event type that covered at least {number(100 * settings.min_overlap)} % of it"
    )
    if settings.min_event_overlap is not None:
        text += f", or of which it contained at least {number(100 * settings.min_event_overlap)} %"
    text += f"; {n_windows} were scored ({counts})."
    if settings.guard:
        text += f" No window within {number(settings.guard)} s of a seizure was labeled as background."
    if settings.context:
        text += f" The model also saw {number(settings.context)} s of signal before and after each window."
    return text


def input_sentence(run: ReportData) -> str:
    """The spectrograms of the input, and the model."""
    model = MODEL_NAMES.get(run.model, f"the network {run.model}")
    network = run.study.models[run.model].timm
    if network:
        model = f"the network {network} of the library timm"
    if run.spectrogram == "raw":
        return f"The time series of each window was classified by {model} into {listing(run.classes)}."
    grids = run.study.spectrograms.grids(run.spectrogram).by_name
    given = run.study.dataset.kind == "fold_arrays"
    inputs = listing([f"{name} spectrogram" if given else _grid(grid) for name, grid in grids.items()])
    return (
        f"Of each channel of a window, the {inputs} was the input of {model}, which classified the window into "
        f"{listing(run.classes)}."
    )


def _grid(grid: Grid) -> str:
    size = f"{grid.n_freqs} frequencies from {number(grid.f_min)} to {number(grid.f_max)} Hz, {grid.n_frames} frames"
    match grid:
        case Mel():
            return f"log-power mel spectrogram ({size}, Hann window of {number(grid.window)} s)"
        case Stft():
            return f"log-power short-time Fourier transform ({size}, Hann window of {number(grid.window)} s)"
        case Cwt():
            return f"log-power continuous wavelet transform ({size}, {_wavelet(grid)})"
        case Acf():
            return f"short-time autocorrelation ({size}, windows of {number(grid.window)} s)"
    raise TypeError(f"unknown spectrogram {grid!r}")


def _wavelet(grid: Cwt) -> str:
    if grid.wavelet == "morlet":
        return f"Morlet wavelet with a center frequency of {number(grid.cycles)} rad"
    return f"Morse wavelet with gamma {number(grid.gamma)} and time-bandwidth product {number(grid.cycles**2)}"


def fold_sentences(run: ReportData) -> str:
    """The cross-validation, and patients reserved for tuning."""
    n_folds = len(run.metrics["per_fold"])
    kind = "cross-validation" if run.mode == "once" else "nested cross-validation"
    text = (
        f"Performance was estimated by {kind} by patient in {n_folds} outer folds: all windows of a "
        "patient were in one fold, and each patient was tested once, by models trained without this patient."
    )
    if run.reserved:
        text += f" {reserved_sentence(run)}"
    return text
