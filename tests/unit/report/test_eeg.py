"""Seizure by seizure: table, EEG, galleries and timelines of a report."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eegwf.config.data_paths import DataPaths
from eegwf.config.report import Report
from eegwf.data.context import without_context
from eegwf.errors import InputError
from eegwf.evaluation.detector import Timeline
from eegwf.evaluation.events import primary_points
from eegwf.report import svg
from eegwf.report.detected import detected_recordings
from eegwf.report.eeg import parts
from eegwf.report.eeg_samples import cut_snippet, quantize, read_samples, unpacked
from eegwf.report.eeg_snippets import MAX_DATA, viewer_data
from eegwf.report.figures_eeg import eeg_figure
from eegwf.report.figures_timelines import timeline_bounds
from eegwf.report.galleries import galleries
from eegwf.report.page import environment
from eegwf.storage.files import read_json, read_table, write_array
from tests.helpers.eeg_samples import CH_NAMES, write_samples
from tests.helpers.report_page import column, report_data, table_of, tables_of, text_of, write_report
from tests.helpers.report_study import changed, write_study

SFREQ = 64.0
CONTEXT = 16


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder, configuration, samples of the windows, and page and tables of a study with EEG."""
    results = tmp_path_factory.mktemp("study")
    study = write_study(results)
    samples = without_context(write_samples(results, SFREQ, context=CONTEXT), CONTEXT)
    return results, study, samples, *section(study, results)


def section(study, results):
    """The section of the report, and its tables."""
    found = parts(report_data(study, results)) | {"why_no_events": "no events"}
    page = environment().get_template("eeg.html").render(found)
    return page, tables_of(page)


def embedded(page):
    """Data of the viewer in a page."""
    found = re.search(r'<script type="application/json" id="eeg-data">(.*?)</script>', page)
    return json.loads(found[1]) if found else {}


def predictions_of(results):
    """Rows of the ensemble, with the probability of a seizure and the threshold of the fold."""
    folder = results / "vit_mel_2class"
    table = pd.read_csv(folder / "predictions.tsv", sep="\t", keep_default_na=False)
    table = table[table["member"] == "ensemble"]
    points = read_json(folder / "metrics.json")["events"]["operating_points"]
    threshold = {point["fold"]: math.inf if point["threshold"] is None else point["threshold"] for point in points}
    return table.assign(p=1 - table["p_background"].astype(float), threshold=table["fold"].map(threshold))


def test_embedded_samples_are_those_of_the_windows(finished):
    results, _, samples, page, _ = finished
    windows = read_table(results / "data/windows.tsv", text=("recording", "patient", "label"))
    snippets = embedded(page)
    assert len(snippets) == Report().max_snippets
    for entry in snippets.values():
        assert entry["sfreq"] == SFREQ and entry["channels"] == CH_NAMES
        values = unpacked(entry["data"], 3)
        assert values.shape == (3, 30 * SFREQ)
        voltage = np.full((3, 200 * int(SFREQ)), np.nan)
        for row in windows[windows["recording"] == entry["recording"]].itertuples():
            first = round(row.onset * SFREQ)
            voltage[:, first : first + samples.shape[-1]] = samples[row.window]
        first = round(entry["start"] * SFREQ)
        expected = voltage[:, first : first + values.shape[1]]
        assert np.isfinite(expected).all()
        assert np.abs(values * entry["step"] - expected).max() <= 0.5001 * entry["step"]
        assert entry["step"] <= 0.03 * expected.std()


def test_galleries_are_the_most_extreme_windows_apart_from_each_other(finished):
    results, _, _, page, _ = finished
    table = predictions_of(results)
    table = table[table["label"] != ""]
    above, seizure = table["p"] > table["threshold"], table["label"] == "seizure"
    finite = table[np.isfinite(table["threshold"])]
    expected = {
        "misses": table[seizure & ~above].sort_values(["p", "window"]),
        "false-alarms": table[~seizure & above].sort_values(["p", "window"], ascending=[False, True]),
        "borderline": finite.iloc[np.argsort((finite["p"] - finite["threshold"]).abs().to_numpy(), kind="stable")],
    }
    for name, rows in expected.items():
        titles = re.findall(rf'<details id="eeg-{name}-\d+".*?<summary>(.*?)</summary>', page, flags=re.DOTALL)
        kept = []
        for row in rows.itertuples():
            if all(row.recording != other.recording or abs(row.onset - other.onset) >= 30 for other in kept):
                kept.append(row)
        assert len(titles) == min(3, len(kept))
        for title, row in zip(titles, kept, strict=False):
            assert f"{row.recording}, window from {row.onset:g} s: {row.label}" in title
            assert title.endswith(f"probability of a seizure {row.p:.3f}")
    assert len(expected["misses"]) > 3


def test_table_of_seizures_agrees_with_the_event_scores(finished):
    results, _, _, page, tables = finished
    rows = table_of(tables, "Annotated seizures of the test folds: 96")
    table, events = predictions_of(results), read_json(results / "vit_mel_2class/metrics.json")["events"]
    assert events["n_annotated"] == len(rows) - 1 == 96
    found = [row for row in rows[1:] if row[6] == "yes"]
    assert len(found) == events["latency"]["n_detected"] and len(found) < 96
    delays = [float(row[7].replace("−", "-")) for row in found]
    np.testing.assert_allclose(np.quantile(delays, [0.25, 0.5, 0.75]), events["latency"]["quartiles"], atol=0.05)
    for number, patient, recording, onset, length, event_type, *_, largest in rows[1:]:
        own = table[(table["recording"] == recording) & (table["patient"] == patient)]
        inside = (own["onset"] < float(onset) + float(length)) & (own["onset"] + 5 > float(onset))
        assert largest == f"{own[inside]['p'].max():.3f}" and event_type == "sz"
        assert (f'href="#eeg-seizure-{number}"' in page) == (f'id="eeg-seizure-{number}"' in page)


def test_missed_seizures_with_the_smallest_probability_are_shown(finished):
    _, _, _, page, tables = finished
    rows = table_of(tables, "Annotated seizures of the test folds")[1:]
    missed = sorted((float(row[8]), int(row[0])) for row in rows if row[6] == "no")
    shown = re.findall(r'<details id="eeg-seizure-(\d+)"', page)
    n_windows = len(re.findall(r'<details id="eeg-[a-z-]+-\d+"', page)) - len(shown)
    assert len(shown) + n_windows == 12 and len(shown) < len(missed)
    assert sorted(map(int, shown)) == sorted(number for _, number in missed[: len(shown)])


def test_without_eeg_no_sample_is_in_the_page(finished, tmp_path):
    results, study, _, page, _ = finished
    private = changed(study, {"report": {"include_eeg": False}})
    other, tables = write_report(private, results, output=tmp_path / "report.html")
    assert embedded(other) == {} and embedded(page) != {}
    drawn = re.compile(r'aria-label="(EEG|Onset of seizure)[^"]*"')
    assert len(drawn.findall(page)) >= 12 and not drawn.search(other)
    assert "This report contains no EEG, as report.include_eeg of the configuration says." in text_of(other)
    assert len(table_of(tables, "Annotated seizures")) == 97 and other.count('class="timeline"') == 9
    run = report_data(private, results)
    assert isinstance(run.samples, str)
    # The time series would also be in the figures of the attribution of models of time series.
    assert "EEG" not in "".join(re.findall(r"<svg .*?</svg>", other, flags=re.DOTALL))


@pytest.mark.parametrize(("change", "reason"), [
    ({"report": {"max_snippets": 0}}, "report.max_snippets of the configuration is 0"),
    ({}, "windows.npy or windows.json was not in the data folder"),
])  # fmt: skip
def test_reasons_for_no_eeg_are_stated(tmp_path, change, reason):
    study = write_study(tmp_path)
    if change:
        write_samples(tmp_path)
    page, _ = section(changed(study, change), tmp_path)
    assert reason in text_of(page) and embedded(page) == {} and "<details id=" not in page


def test_an_array_of_other_windows_is_refused(finished, tmp_path):
    results, study, samples, *_ = finished
    for name in ("windows.tsv", "windows.json"):
        (tmp_path / name).write_text((results / "data" / name).read_text())
    write_array(tmp_path / "windows.npy", samples[:-1])
    table = read_table(tmp_path / "windows.tsv", text=("recording", "patient", "label"))
    with pytest.raises(InputError, match=r"windows.npy: 269 windows, but windows.tsv has 270; .* rerun the workflow"):
        read_samples(study, DataPaths(tmp_path), table)


def test_galleries_of_the_largest_probability_have_no_threshold(finished):
    """As in a study without validation predictions, for which no operating point can be chosen."""
    results, study, *_ = finished
    run = report_data(study, results)
    metrics = run.metrics | {"events": run.metrics["events"] | {"primary": "largest_probability"}}
    chosen = galleries(replace(run, metrics=metrics), {}, 3)
    table = predictions_of(results)
    missed = table[(table["label"] == "seizure") & (table["predicted"] == "background")].sort_values(["p", "window"])
    assert chosen["misses"][0].p == missed["p"].iloc[0] and chosen["false alarms"]
    found = parts(replace(run, metrics=metrics))["eeg"]
    assert "predicted as background" in found["galleries"][0][1]
    assert {entry["threshold"] for entry in embedded(found["data"]).values()} == {None}


@pytest.mark.parametrize("limit", [1, 3, 9])
def test_number_of_snippets_is_limited(finished, limit):
    results, study, *_ = finished
    found = parts(report_data(changed(study, {"report": {"max_snippets": limit}}), results))["eeg"]
    assert len(found["onsets"]) + sum(len(entries) for *_, entries in found["galleries"]) == limit


def test_size_is_bounded_for_many_channels_of_noise(finished):
    """64 channels of white noise at 512 Hz: 2 MB in a snippet before compression, which hardly helps."""
    results, study, *_ = finished
    drawn = parts(report_data(study, results))["eeg"]["onsets"][0]
    rng = np.random.default_rng(0)
    values, step = quantize(rng.normal(0, 20, (64, 30 * 512)).astype(np.float32))
    noisy = replace(
        drawn.snippet, sfreq=512.0, ch_names=[f"E{number}" for number in range(64)], values=values, step=step
    )
    shown = [replace(drawn, key=str(number), snippet=noisy) for number in range(Report().max_snippets)]
    data = viewer_data(shown)
    assert MAX_DATA / 2 < len(data) < MAX_DATA + 20_000
    drawing = len(eeg_figure(noisy, drawn.recording, "noise").svg)
    # With the other figures of the page, less than 3 MB, it is smaller than 8 MB.
    assert len(shown) * drawing + len(data) < 5e6


def test_time_without_a_window_is_marked(finished):
    results, study, *_ = finished
    run = report_data(study, results)
    first = detected_recordings(run, primary_points(run.metrics["events"]))[0]
    table = run.windows[~run.windows["onset"].between(10, 19) | (run.windows["recording"] != first.item.name)]
    snippet = cut_snippet(replace(run.samples, windows=table), first.item.name, 0.0, 30.0)
    missing = np.isnan(snippet.voltage()).all(axis=0)
    assert (np.flatnonzero(missing) == np.arange(10 * SFREQ, 20 * SFREQ)).all()
    whole = cut_snippet(run.samples, first.item.name, 0.0, 30.0)
    drawings = [eeg_figure(one, first, "x").svg for one in (snippet, whole)]
    assert [drawing.count("no window") for drawing in drawings] == [1, 0]


def test_recordings_without_times_have_no_section_but_a_reason(tmp_path):
    study = write_study(tmp_path, timed=False)
    write_samples(tmp_path)
    page, _ = section(study, tmp_path)
    assert "<p>no events</p>" in page and 'id="timelines"' not in page


def test_timeline_columns_have_the_range_of_the_segments_in_them():
    rng = np.random.default_rng(1)
    stop = np.cumsum(rng.integers(1, 40, 300))
    start = stop - rng.integers(1, 2, 300)
    value = rng.uniform(size=300)
    seconds = stop[-1] / 8
    bounds = timeline_bounds(Timeline(start, stop, value), 0.0, seconds, 97)
    for number in range(97):
        low, high = number * seconds / 97 * 8, (number + 1) * seconds / 97 * 8
        inside = value[(start < high) & (stop > low)]
        if len(inside):
            assert bounds[number].tolist() == [inside.min(), inside.max()]
        else:
            assert np.isnan(bounds[number]).all()


def test_paths_reach_the_bounds_of_every_column():
    rng = np.random.default_rng(2)
    signal = np.cumsum(rng.normal(0, 3, 5000))
    signal[1000:1500] = np.nan
    signal[3000:3600] = 17.0
    bounds = svg.column_bounds(signal[None], 250)[0]
    points = followed(svg.path_data(bounds))
    for number, (low, high) in enumerate(bounds):
        part = signal[number * 20 : number * 20 + 20]
        if np.isnan(part).all():
            assert number not in points
        else:
            assert (low, high) == (np.nanmin(part), np.nanmax(part))
            assert min(points[number]) <= round(low * 4) and max(points[number]) >= round(high * 4)


def followed(path):
    """Vertical positions that a path visits at each whole horizontal position."""
    visited, x, y = {}, 0, 0
    for command, numbers in re.findall(r"([Mlvh])([-\d ]+)", path):
        values = list(map(int, re.findall(r"-?\d+", numbers)))
        steps = {"v": [(0, values[0])], "h": [(1, 0)] * values[0], "l": [tuple(values)], "M": []}[command]
        if command == "M":
            x, y = values
        visited.setdefault(x, []).append(y)
        for across, down in steps:
            x, y = x + across, y + down
            visited.setdefault(x, []).append(y)
    return visited


def test_curves_with_few_samples_are_drawn_sample_by_sample():
    values = np.array([[1.0, 5.0, np.nan, 2.0]])
    assert svg.column_bounds(values, 700)[0, :, 0].tolist()[:2] == [1.0, 5.0]
    assert svg.path_data(svg.column_bounds(values, 700)[0]) == "M0 4h0l1 16M3 8h0"


def test_numbers_of_seizures_sort_by_number(finished):
    *_, tables = finished
    names = list(column(table_of(tables, "Annotated seizures"), "patient"))
    assert names == [str(number) for number in range(1, 97)]
