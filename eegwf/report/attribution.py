"""Section of the page on attribution maps: maps and evidence side by side."""

from typing import Any

import numpy as np

from eegwf.attribution.methods import CONTROLS
from eegwf.attribution.verdicts import Verdict
from eegwf.report.data import ReportData
from eegwf.report.drawing import Figure, Group
from eegwf.report.evidence import (
    difference_table,
    evidence_table,
    measured,
)
from eegwf.report.examples import example_parts
from eegwf.report.figures_evidence import cascade_figure
from eegwf.report.figures_profiles import band_figure, mean_figure
from eegwf.report.figures_scalp import MIN_POSITIONS, channel_positions, scalp_figure
from eegwf.report.formats import capitalized, count, listing, score
from eegwf.report.judgment import Judgment, judge
from eegwf.report.map_drawing import scale_of
from eegwf.report.map_files import Maps, all_evidence
from eegwf.report.pooled_maps import Part, PooledMaps, pool, varies

UNITS = {
    "mel": "dB re 1 µV²/Hz",
    "stft": "dB re 1 µV²/Hz",
    "cwt": "dB re 1 µV²",
    "acf": "autocorrelation",
    "raw": "µV, root mean square",
}
N_OPEN = 3  # methods whose maps are shown without a click
GRAYED = "Drawn in gray: this method is not supported by its controls."


def parts(run: ReportData, judged: Judgment | None = None) -> dict[str, Any]:
    """Values of the template for the section.

    Parameters
    ----------
    run
        Content of the report.
    judged
        Evidence and verdicts; None to compute them from the maps.

    Returns
    -------
    dict
        The key `attribution`, None without maps.
    """
    folds = [fold.maps for fold in run.outer if fold.maps is not None]
    if not folds:
        return {"attribution": None}
    judged = judged or judge(all_evidence(folds), run.classes[0], run.study.evaluation.confidence)
    pooled = pool(folds)
    about = pooled.about
    section = {
        "member": about["member"].replace("rank", "rank "),
        "windows": window_sentence(pooled, folds),
        "evidence_table": evidence_table(judged, folds),
        "difference_table": difference_table(judged, about),
        "verdicts": [
            (capitalized(about["titles"][one.method]), one.word, one.sentence, further_reasons(one))
            for one in judged.verdicts
        ],
        "cascade": cascade_figure(judged, about),
        "refused": list(about["refused"].values()),
        "measures": measured(judged, about),
        "truth": about["truth"],
        "signal": about["signal"],
        "examples": example_parts(run, folds, judged),
        "spectrograms": [spectrogram_parts(pooled, part, judged) for part in pooled.parts],
    }
    return {"attribution": section}


def further_reasons(verdict: Verdict) -> list[str]:
    """Reasons of a verdict that its sentence does not contain."""
    return [reason for reason in verdict.reasons if reason.lower() not in verdict.sentence.lower()]


def window_sentence(pooled: PooledMaps, folds: list[Maps]) -> str:
    """Number of explained windows of each class.

    Parameters
    ----------
    pooled
        Pooled maps.
    folds
        Maps of the folds.

    Returns
    -------
    str
        Sentence.
    """
    of_classes = [
        f"{count(int(numbers.sum()), 'window')} of {label} ({numbers[0]:,d} answered correctly)"
        for label, numbers in zip(pooled.about["classes"], pooled.n_windows, strict=True)
    ]
    return f"Explained are {listing(of_classes)} from the test patients of {count(len(folds), 'fold')}."


def spectrogram_parts(pooled: PooledMaps, part: Part, judged: Judgment) -> dict[str, Any]:
    """Figures of the mean maps of a spectrogram.

    Parameters
    ----------
    pooled
        Pooled maps.
    part
        The spectrogram.
    judged
        Evidence and verdicts.

    Returns
    -------
    dict
        `name`, figures `inputs`, and the methods in the order of the ranking: `shown`, `hidden`.
    """
    methods = judged.ranked(pooled.about["methods"])
    controls = [name for name in CONTROLS if name in pooled.about["methods"]]
    entries = [_method(pooled, part, name, judged) for name in [*methods, *controls]]
    return {
        "name": part.spectrogram,
        "inputs": Group("", [one for one in [_input_figure(pooled, part)] if one], wide=True),
        "scalp_note": scalp_note(part),
        "shown": entries[:N_OPEN],
        "hidden": entries[N_OPEN:],
    }


def _input_figure(pooled: PooledMaps, part: Part) -> Figure | None:
    values = pooled.inputs[:, :, part.channels]
    finite = values[np.isfinite(values)]
    scale = scale_of(values, part.is_correlation, False)
    if not scale.signed:  # power in dB has no natural zero
        scale = type(scale)("viridis", float(finite.min()), float(finite.max()), 1.0, False)
    unit = f"mean input ({UNITS.get(part.spectrogram, 'unit of the input')})"
    return mean_figure(
        pooled, part, values, scale, f"Mean input, {part.spectrogram}", f"{part.spectrogram}-input", unit
    )


def _method(pooled: PooledMaps, part: Part, method: str, judged: Judgment) -> dict[str, Any]:
    about = pooled.about
    values = pooled.means[about["methods"].index(method)][:, :, part.channels]
    title, grayed, signed = about["titles"][method], method in judged.grayed, about["signed"][method]
    key = f"{part.spectrogram}-{method}"
    name = f"{capitalized(title)}, {part.spectrogram}{', grayed out' if grayed else ''}"
    means = mean_figure(pooled, part, values, scale_of(values, signed, grayed), name, key)
    bands = band_figure(pooled, part, values, scale_of(values, signed, grayed), name, f"{key}-bands")
    by_channel = scale_of(values.mean(axis=-1), signed, grayed)
    scalp = scalp_figure(pooled, part, values, by_channel, name, f"{key}-scalp")
    return {
        "title": f"{capitalized(title)}: {_word(method, judged)}".removesuffix(": "),
        "text": " ".join(filter(None, [_sentence(method, judged), evidence_sentence(method, judged)])),
        "note": " ".join([GRAYED] * grayed + _constant(values)),
        "means": Group("", [means] if means else [], wide=True),
        "others": Group("", [one for one in (bands, scalp) if one]),
    }


def _word(method: str, judged: Judgment) -> str:
    return "control" if method in CONTROLS else judged.word(method)


def _sentence(method: str, judged: Judgment) -> str:
    return next((verdict.sentence for verdict in judged.verdicts if verdict.method == method), "")


def evidence_sentence(method: str, judged: Judgment) -> str:
    """Deletion and insertion of a method beside those of the controls.

    Parameters
    ----------
    method
        Name of the method.
    judged
        Evidence and verdicts.

    Returns
    -------
    str
        Sentence; empty for a control.
    """
    if method in CONTROLS:
        return ""
    texts = []
    for measure in ("deletion", "insertion"):
        values = [judged.cell(name, measure) for name in (method, *CONTROLS)]
        if all(values):
            own, chance, energy = (score(value["value"]) for value in values if value)
            texts.append(f"{measure} {own} (random map {chance}, energy of the input {energy})")
    return f"{capitalized(listing(texts))}." if texts else ""


def _constant(values: np.ndarray) -> list[str]:
    """Sentence on the axes along which the maps do not vary."""
    axes = [name for axis, name in ((2, "channels"), (3, "frequencies")) if not varies(values, axis)]
    if len(axes) == 2:
        return [
            "Averaged over time, the maps vary neither over the channels nor over the frequencies: nothing to draw."
        ]
    if axes and values.shape[3] > 1:
        return [f"The maps are equal at all {axes[0]}."]
    return []


def scalp_note(part: Part) -> str:
    """What is drawn on the scalp, and what is left out."""
    n_known, n_channels = len(channel_positions(part.ch_names)), len(part.ch_names)
    if n_known < MIN_POSITIONS:
        return f"No maps on the scalp: the electrodes of {n_known} of {count(n_channels, 'channel')} are known."
    text = (
        "Heads show the correctly answered windows, seen from above, the nose at the top. Dots are "
        "electrodes; a bipolar derivation is a dot at the midpoint of the line between its electrodes. Colors between "
        "the dots are interpolated."
    )
    left_out = n_channels - n_known
    verb = "is" if left_out == 1 else "are"
    return text + (f" {count(left_out, 'channel')} without known electrodes {verb} left out." if left_out else "")
