"""Attribution maps of the report: drawn only where they vary, and with what the evidence says of them."""

import html
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eegwf.attribution import cells
from eegwf.attribution.verdicts import Verdict
from eegwf.config.paths import ResultPaths
from eegwf.report import attribution
from eegwf.report.evidence import difference_table, evidence_table, ranking_table
from eegwf.report.examples import annotated_seizures, example_parts, pooled_examples
from eegwf.report.figures_examples import Trace, _coarse, map_row, trace_figure
from eegwf.report.figures_profiles import band_figure, mean_figure
from eegwf.report.figures_scalp import channel_positions, electrode_positions, scalp_figure
from eegwf.report.judgment import Judgment, judge
from eegwf.report.map_drawing import scale_of, span_of_maximum
from eegwf.report.map_files import all_evidence
from eegwf.report.pooled_maps import Part, PooledMaps, band_means, fold_agreement, pool, varies
from eegwf.storage.files import read_table, write_array
from tests.helpers.explain_folder import METHODS, TITLES, write_explanation
from tests.helpers.report_page import report_data, text_of, write_report
from tests.helpers.report_study import CH_NAMES, write_study

RNG = np.random.default_rng(1)
FREQS = [2.0, 6.0, 10.0, 20.0, 40.0]
PART = Part("mel", slice(0, 4), ["F7-T3", "Cz", "P3-O1", "C4"], FREQS, [0.5, 1.5, 2.5])


VERDICTS = [
    Verdict("occlusion", "supported", "Deleting cells of occlusion beats both controls.", ()),
    Verdict(
        "saliency", "mixed", "Saliency beats the random map.", ("saliency beats the random map", "not the energy map")
    ),
    Verdict("gradcam", "unsupported", "Grad-CAM does not beat the random map.", ()),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder and content of a study of two classes."""
    results = tmp_path_factory.mktemp("study")
    study = write_study(results)
    return results, report_data(study, results)


def maps_of(run):
    """Maps of the folds of a study."""
    return [fold.maps for fold in run.outer]


def summary_of(run):
    """Evidence with differences from the controls."""
    table = judge(all_evidence(maps_of(run)), "background", 0.95).summary
    for control in ("random", "energy"):
        values = table[table["method"] == control].set_index("measure")["mean"]
        difference = table["mean"] - table["measure"].map(values)
        table[f"minus_{control}"] = difference
        table[f"minus_{control}_low"], table[f"minus_{control}_high"] = difference - 0.05, difference + 0.05
    return table


@pytest.fixture(scope="module")
def section(finished):
    """Values of the template with verdicts."""
    run = finished[1]
    return attribution.parts(run, Judgment(summary_of(run), VERDICTS))["attribution"]


def pooled(n_classes=2, bands=("delta", "theta", "alpha", "beta", "gamma")):
    """Pooled maps whose means are given to the figures separately."""
    about = {"classes": ["background", "seizure"][:n_classes], "bands": list(bands)}
    return PooledMaps(about, [PART], np.empty(0), np.empty(0), np.full((n_classes, 2), 7))


def drawn(values, signed=False, grayed=False):
    """Figure of mean maps."""
    return mean_figure(pooled(), PART, values, scale_of(values, signed, grayed), "Saliency", "key")


def images(figure):
    """Images embedded in a figure."""
    return re.findall(r"data:image/png;base64,([^\"]*)", figure.svg)


def axis_labels(figure):
    """Texts of a figure."""
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg)]


def test_means_are_weighted_by_the_number_of_windows_of_each_fold(finished):
    folds = maps_of(finished[1])
    means = pool(folds)
    counts = np.array(
        [
            [
                [
                    ((one.windows["label"] == label) & (one.windows["outcome"] == outcome)).sum()
                    for outcome in ("correct", "wrong")
                ]
                for label in one.about["classes"]
            ]
            for one in folds
        ]
    )
    np.testing.assert_array_equal(means.n_windows, counts.sum(axis=0))
    for label, outcome in np.argwhere(means.n_windows > 0):
        weights = counts[:, label, outcome]
        # The maps of each fold are scaled to a mean magnitude of 1.
        magnitudes = [np.nanmean(np.abs(one.means), axis=(1, 2, 3, 4))[:, None, None] for one in folds]
        values = [one.means[:, label, outcome] / size for one, size in zip(folds, magnitudes, strict=True)]
        values = np.nan_to_num(values)
        expected = np.average(values, axis=0, weights=weights)
        np.testing.assert_allclose(means.means[:, label, outcome], expected, rtol=1e-5)


def test_maps_are_drawn_along_the_axes_on_which_they_vary():
    full = RNG.uniform(1, 2, (2, 2, 4, 5))
    assert len(images(drawn(full))) == 4 + 1  # and the color bar
    assert "channel" in axis_labels(drawn(full)) and "frequency (Hz)" in axis_labels(drawn(full))
    by_frequency = drawn(np.broadcast_to(full[:, :, :1], full.shape))
    assert not images(by_frequency) and "channel" not in axis_labels(by_frequency)
    assert "equal at all channels" in by_frequency.alt and not any(name in by_frequency.alt for name in PART.ch_names)
    by_channel = drawn(np.broadcast_to(full[..., :1], full.shape))
    assert not images(by_channel) and "frequency (Hz)" not in axis_labels(by_channel)
    assert "Hz" not in by_channel.alt and "P3-O1" in axis_labels(by_channel)
    assert drawn(np.ones((2, 2, 4, 5))) is None
    assert not varies(1 + 1e-4 * full, 3) and varies(full, 3)


def test_maximum_of_equal_cells_is_one_place():
    assert span_of_maximum(np.array([1.0, 3, 3, 3, 2]), np.array([0, 1, 2, 4, 8, 16]), "Hz") == "1 to 8 Hz"
    values = np.ones((2, 2, 4, 5))
    values[:, :, 2, 3] = 5
    assert "background, correct (7 windows): largest at P3-O1, 14.1 to 28.3 Hz (5)" in drawn(values).alt


def test_map_that_is_constant_in_time_has_no_time_axis():
    scale = scale_of(np.array([0, 1.0]), False, False)
    values = RNG.uniform(0, 1, (5, 1))
    constant = map_row({"Grad-CAM": np.repeat(values, 3, axis=1)}, PART, {"Grad-CAM": scale}, "a hit", "key")
    assert "time (s)" not in axis_labels(constant) and not images(constant)
    assert "equal at all times" in constant.alt and not re.search(r"\d s\b", constant.alt)
    over_time = map_row({"Grad-CAM": np.repeat(values[:3].T, 5, axis=0)}, PART, {"Grad-CAM": scale}, "a hit", "key")
    assert "frequency (Hz)" not in axis_labels(over_time) and "Hz" not in over_time.alt
    both = map_row({"Grad-CAM": RNG.uniform(0, 1, (5, 3))}, PART, {"Grad-CAM": scale}, "a hit", "key")
    assert {"time (s)", "frequency (Hz)"} <= set(axis_labels(both))
    assert map_row({"Grad-CAM": np.ones((5, 3))}, PART, {"Grad-CAM": scale}, "a hit", "key") is None


def test_scale_of_a_row_contains_all_its_maps_and_is_symmetric_if_values_have_a_sign():
    values = np.array([[0.5, -3.0], [1.0, np.nan]])
    signed, unsigned = scale_of(values, True, False), scale_of(np.abs(values), False, False)
    assert (signed.low, signed.high, signed.colors) == (-3, 3, "RdBu_r")
    assert (unsigned.low, unsigned.high) == (0, 3)
    # A large value in one panel changes the colors of the others; there is one color bar.
    panels = RNG.uniform(1, 2, (2, 2, 4, 5))
    before = drawn(panels)
    panels[0, 0, 0, 0] = 100
    after = drawn(panels)
    assert len(images(before)) == len(images(after)) == 5 and not set(images(before)[:4]) & set(images(after)[:4])
    assert axis_labels(after).count("(relative units)") == 1


def test_unsupported_methods_are_grayed_out_and_say_so(section):
    (part,) = section["spectrograms"]
    entries = {entry["title"]: entry for entry in part["shown"] + part["hidden"]}
    assert list(entries) == [
        "Occlusion: supported", "Saliency: mixed", "Grad-CAM: unsupported", "Random map: control",
        "Energy of the input: control",
    ]  # fmt: skip
    gray = entries.pop("Grad-CAM: unsupported")
    assert "not supported by its controls" in gray["note"] and "equal at all channels" in gray["note"]
    for figure in gray["means"].figures + gray["others"].figures:
        assert "grayed out" in figure.alt and "var(--series0)" not in figure.svg
    for entry in entries.values():
        assert "not supported" not in entry["note"]
        assert all("grayed out" not in figure.alt for figure in entry["means"].figures + entry["others"].figures)
    grayed = scale_of(np.ones(3), True, True)
    assert grayed.colors == "gray" and grayed.opacity < 1 and grayed.grayed


def test_bands_are_those_of_the_cells():

    names, index = cells._bands([[1.0, 2, 9, 10, 50]])
    values = np.array([[1.0, 2, 3, 4, 5]])
    expected = [values[0, index[0] == number].mean() for number in range(len(names))]
    np.testing.assert_allclose(band_means(values, [1.0, 2, 9, 10, 50], list(names))[0], expected)


def test_mean_of_each_band_is_stated():
    values = np.broadcast_to([1.0, 2, 3, 4, 5], (2, 2, 4, 5))
    figure = band_figure(pooled(), PART, values, scale_of(values, False, False), "Saliency", "key")
    assert "seizure, wrong (7 windows): delta 1, theta 2, alpha 3, beta 4, gamma 5" in figure.alt
    assert band_figure(pooled(), PART, np.ones((2, 2, 4, 5)), scale_of(values, False, False), "Saliency", "key") is None


def test_bipolar_derivation_is_at_the_midpoint_of_its_electrodes():
    known = electrode_positions()
    places = channel_positions(["F7-T3", "Cz-Avg", "ECG", "X1-X2"])
    assert list(places) == [0, 1]
    np.testing.assert_allclose(places[0], [known["F7"], known["T7"]])
    np.testing.assert_allclose(places[1], [known["Cz"]])
    middle = places[0].mean(axis=0)
    assert known["T7"][0] < middle[0] < known["F7"][0] < 0 and known["T7"][1] < middle[1] < known["F7"][1]
    assert np.hypot(*known["Cz"]) < 0.02 and known["O1"][1] < 0 < known["Fp2"][0]


def test_scalp_needs_four_positions_and_maps_that_vary_over_the_channels():
    values = RNG.uniform(0, 1, (2, 2, 4, 5))
    scale = scale_of(values.mean(axis=-1), False, False)
    figure = scalp_figure(pooled(), PART, values, scale, "Saliency", "key")
    assert figure.alt.startswith("Saliency by channel on the scalp") and "background, correct: largest at" in figure.alt
    assert "wrong" not in figure.alt
    three = Part("mel", slice(0, 4), ["F7-T3", "Cz", "P3-O1", "ECG"], FREQS, [0.5])
    assert scalp_figure(pooled(), three, values, scale, "Saliency", "key") is None
    assert "No maps on the scalp: the electrodes of 3 of 4 channels are known" in attribution.scalp_note(three)
    assert scalp_figure(pooled(), PART, np.ones((2, 2, 4, 5)), scale, "Saliency", "key") is None
    names = Part("mel", slice(0, 9), CH_NAMES, FREQS, [0.5])
    assert "1 channel without known electrodes is left out" in attribution.scalp_note(names)
    # Two derivations at the same place have one dot.
    twice = Part("mel", slice(0, 5), ["F7-T3", "T3-F7", "Cz", "P3-O1", "C4"], FREQS, [0.5])
    assert scalp_figure(pooled(), twice, RNG.uniform(0, 1, (2, 2, 5, 5)), scale, "Saliency", "key") is not None


def test_examples_are_the_most_confident_windows_of_all_folds(finished):
    run = finished[1]
    chosen = {example.kind: example for example in pooled_examples(maps_of(run))}
    every = pd.concat([one.windows for one in maps_of(run)])
    assert list(chosen) == ["hit", "miss", "false alarm", "borderline"]
    for kind, example in chosen.items():
        p = every.loc[every["example"] == kind, "p"]
        assert example.row["p"] == (p.min() if kind == "borderline" else p.max())


def test_annotated_seizure_is_shown_within_the_window(finished):
    run = finished[1]
    events = run.annotations[run.annotations["label"] == "sz"]
    event = events.iloc[0]
    window = {"recording": event["recording"], "onset": event["onset"] - 2.0}
    found = annotated_seizures(run, window, 5.0)
    assert found[0] == (2.0, min(2.0 + event["duration"], 5.0), "sz")
    before = window | {"onset": event["onset"] + event["duration"] + 1.0}
    assert all(str(start)[0] != "-" for start, _, _ in annotated_seizures(run, before, 5.0))
    start, end, label = annotated_seizures(run, before, 5.0, 3.0)[0]
    assert (start, end) == pytest.approx((max(-3.0, -1.0 - event["duration"]), -1.0)) and label == "sz"
    assert annotated_seizures(run, window | {"recording": "none"}, 5.0) == []
    assert annotated_seizures(run, window | {"onset": float("nan")}, 5.0) == []


def test_figures_of_a_window_with_context_have_times_from_its_onset():
    """4 s with 2 s before and after them; the largest relevance is half a second before the onset."""
    relevance = np.zeros((2, 512))
    relevance[:, 96] = 1.0
    trace = Trace(["F7-T3", "Cz"], RNG.normal(size=(2, 512)), relevance, 64.0, [(-1.0, 3.0, "sz")], 2.0)
    assert trace.limits == (-2.0, 6.0)
    eeg = trace_figure(trace, "the hit", "key")
    assert "8 s, of which 2 s before and after the window" in eeg.alt and "F7-T3 at -0.50 s" in eeg.alt
    assert "sz annotated from -1 to 3 s" in eeg.alt
    part = replace(PART, times=[-1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
    values = np.zeros((5, 8))
    values[2, 1] = 1.0
    figure = map_row({"Occlusion": values}, part, {"Occlusion": scale_of(values, False, False)}, "a hit", "key", 4.0)
    assert "-1 to 0 s" in figure.alt


def test_example_has_the_eeg_with_units_and_the_maps_beside_each_other(section):
    by_title = {example["title"].split(":")[0]: example for example in section["examples"]}
    assert list(by_title) == ["Hit", "Miss", "False alarm", "Borderline"]
    eeg, row = by_title["Hit"]["figures"]
    assert "µV" in eeg.alt and "sz annotated from" in eeg.alt and "time in the window (s)" in axis_labels(eeg)
    assert [text for text in axis_labels(eeg) if text.endswith("µV")]
    assert re.findall(r"(Occlusion|Saliency|Grad-CAM)(?:, grayed out)?:", row.alt) == [
        "Occlusion",
        "Saliency",
        "Grad-CAM",
    ]
    assert "No annotated seizure overlaps the window." in by_title["False alarm"]["text"]
    assert "predicted class seizure" in by_title["False alarm"]["text"]
    assert axis_labels(row).count("relevance") <= 2  # one color bar, and the axis of the profile


def test_table_of_evidence_has_the_values_of_the_files(finished):
    run = finished[1]
    judged = Judgment(summary_of(run), VERDICTS)
    table = evidence_table(judged, maps_of(run))
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert list(rows) == [TITLES[name] for name in ("occlusion", "saliency", "gradcam", "random", "energy")]
    assert [row["verdict"] for row in rows.values()] == ["supported", "mixed", "unsupported", "control", "control"]
    evidence = all_evidence(maps_of(run))
    evidence = evidence[evidence["target"] != "background"]
    for method, measure, column in (
        ("occlusion", "deletion", "deletion"),
        ("gradcam", "cascade_3", "weights randomized"),
    ):
        chosen = evidence[(evidence["method"] == method) & (evidence["measure"] == measure)]
        totals = (
            chosen.assign(total=chosen["value"] * chosen["n_windows"]).groupby("patient")[["total", "n_windows"]].sum()
        )
        expected = (totals["total"] / totals["n_windows"]).mean()
        assert rows[TITLES[method]][column][0] == f"{expected:.3f}".replace("-", "\N{MINUS SIGN}")
    assert "completeness error" not in table.columns and "other class" not in table.columns
    assert float(rows["occlusion"]["seconds per window"]) == pytest.approx(
        3 * 4 / sum(map(len, (one.windows for one in maps_of(run)))), rel=1e-2
    )
    differences = difference_table(judged, maps_of(run)[0].about)
    column = differences.columns.index("deletion, minus random map (lower is better)")
    assert [row[0] for row in differences.rows] == ["occlusion", "saliency", "Grad-CAM"]
    assert differences.rows[0][column][0].startswith("\N{MINUS SIGN}0.")


def test_verdicts_have_their_reasons_once(section):
    verdicts = {title: (word, reasons) for title, word, _, reasons in section["verdicts"]}
    assert verdicts["Saliency"] == ("mixed", ["not the energy map"])
    assert section["refused"] == ["DeepLift is not defined for vit: its rules have no <attention>"]


def test_agreement_of_folds_is_the_mean_rank_correlation(finished):
    folds = maps_of(finished[1])
    found = fold_agreement(folds)
    frames = [
        pd.DataFrame({number: one.means[0, label, 0].ravel() for number, one in enumerate(folds)}) for label in (0, 1)
    ]
    expected = np.mean([frame.corr("spearman").to_numpy()[np.triu_indices(3, 1)].mean() for frame in frames])
    assert found["saliency"] == pytest.approx(expected)
    assert np.isnan(fold_agreement(folds[:1])["saliency"])


def test_ranking_of_combinations_has_the_words():
    table = ranking_table(
        {"vit · mel": Judgment(pd.DataFrame(), VERDICTS), "lstm · mel": Judgment(pd.DataFrame(), [])}, TITLES
    )
    assert table.rows == [["vit · mel", ("occlusion", "supported"), ("saliency", "mixed"), ("Grad-CAM", "unsupported")]]
    assert ranking_table({"lstm · mel": Judgment(pd.DataFrame(), [])}, TITLES) is None


def test_page_without_maps(tmp_path):
    study = write_study(tmp_path)
    for fold in (1, 2, 3):
        (tmp_path / f"vit_mel_2class/fold{fold}/explain/maps.json").unlink()
    page, _ = write_report(study, tmp_path)
    assert "There are no attribution maps of this combination." in page


def test_page_of_maps_without_time_series_truth_and_known_electrodes(tmp_path):
    study = write_study(tmp_path)
    arrays = [{"spectrogram": "mel", "ch_names": ["1", "2"], "freqs": [5.0, 15.0, 25.0], "times": [0.5, 1.5]}]
    for fold in (1, 2, 3):
        folder = ResultPaths(tmp_path).root / f"vit_mel_2class/fold{fold}"
        windows = read_table(folder / "retrain/rank1/test.tsv", text=("patient", "recording", "label", "predicted"))
        write_explanation(
            folder / "explain", ["background", "seizure"], arrays, windows, fold, signal=False, truth=False
        )
    page, tables = write_report(study, tmp_path)
    text = text_of(page)
    assert "There is no time series, so nothing was measured in the signal." in text
    assert "There is no time series of this window." in text and "EEG of the" not in page
    assert "the electrodes of 0 of 2 channels are known" in text
    assert "the localization was not measured" in text
    columns = tables["Attribution methods and controls by evidence"][0]
    assert "deletion" in columns and "signal: bands" not in columns and "pointing" not in columns


def test_long_profile_keeps_its_largest_values():
    part = Part("raw", slice(0, 1), ["Cz"], [0.0], list(np.arange(5000) / 250))
    values = RNG.normal(scale=0.01, size=(1, 5000))
    values[0, 1234] = -1
    scale = scale_of(values, True, False)
    figure = map_row({"Occlusion": values}, part, {"Occlusion": scale}, "a hit", "key")
    assert len(figure.svg) < 60_000 and "largest at 4.93 to 4.94 s" in figure.alt
    profile, bounds = _coarse(values[0], np.arange(5001) / 250)
    assert profile.min() == -1 and len(bounds) == len(profile) + 1 and bounds[-1] == 20


def test_page_of_a_time_series_has_no_frequency_axis(tmp_path):
    study = write_study(tmp_path, spectrogram="raw")
    page = attribution.parts(report_data(study, tmp_path, "raw"))["attribution"]
    (part,) = page["spectrograms"]
    figures = [figure for entry in part["shown"] for figure in entry["means"].figures + entry["others"].figures]
    figures += [figure for example in page["examples"] for figure in example["figures"]] + part["inputs"].figures
    assert figures and not [figure.alt for figure in figures if "Hz" in figure.alt]


def test_page_of_an_autocorrelation_has_its_unit_and_its_rates(tmp_path):
    study = write_study(tmp_path, spectrogram="acf")
    page = attribution.parts(report_data(study, tmp_path, "acf"))["attribution"]
    (part,) = page["spectrograms"]
    (mean,) = part["inputs"].figures
    assert mean.alt.startswith("Mean input, acf by channel and repetition rate, mean input (autocorrelation). ")
    figures = [mean, *(figure for entry in part["shown"] + part["hidden"] for figure in entry["means"].figures)]
    assert all("repetition rate (Hz)" in figure.svg or "Hz" not in figure.alt for figure in figures)
    figures += [figure for entry in part["shown"] + part["hidden"] for figure in entry["others"].figures]
    figures += [figure for example in page["examples"] for figure in example["figures"]]
    assert not [figure.alt for figure in figures if "frequency (Hz)" in figure.svg or "clinical band" in figure.alt]


def test_map_of_zeros_is_not_drawn(tmp_path):
    study = write_study(tmp_path)
    for fold in (1, 2, 3):
        path = tmp_path / f"vit_mel_2class/fold{fold}/explain/means.npy"
        means = np.load(path)
        means[METHODS.index("gradcam")] = 0
        write_array(path, means)
    (part,) = attribution.parts(report_data(study, tmp_path))["attribution"]["spectrograms"]
    entry = next(entry for entry in part["shown"] + part["hidden"] if entry["title"].startswith("Grad-CAM"))
    assert not entry["means"].figures and not entry["others"].figures and "nothing to draw" in entry["note"]


def test_page_without_a_method_that_is_valid_shows_the_controls(finished):
    run = finished[1]
    folds = [replace(maps, about={**maps.about, "methods": ["random", "energy"]}) for maps in maps_of(run)]
    evidence = all_evidence(folds)
    judged = judge(evidence[evidence["method"].isin(["random", "energy"])], "background", 0.95)
    parts = example_parts(run, folds, judged)
    assert parts and all("energy of the input" in str(part).lower() for part in parts)
