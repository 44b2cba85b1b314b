"""Relevance of explained windows behind the EEG of a report."""

import base64
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from eegwf.report.eeg import parts
from eegwf.report.figures_timelines import TimeAxis
from eegwf.report.shown_relevance import DECREASES, INCREASES, WindowRelevance, relevance_by_recording, shown_in
from tests.helpers.eeg_samples import CH_NAMES, write_samples
from tests.helpers.report_page import report_data
from tests.helpers.report_study import write_study


def relevance(onset=10.0, end=14.0, names=("a", "b"), n_columns=8):
    values = np.linspace(-1, 1, 2 * n_columns).reshape(2, n_columns)
    return WindowRelevance(onset, end, (onset, end), "seizure", names, values)


def test_columns_are_those_within_the_stretch():
    part = relevance().between(11.2, 12.8)
    # Columns have 0.5 s.
    assert (part.onset, part.end, part.window) == (11.5, 12.5, (10.0, 14.0))
    np.testing.assert_array_equal(part.values, relevance().values[:, 3:5])
    assert relevance().between(14.0, 20.0) is None and relevance().between(0.0, 10.2) is None
    assert relevance().between(10.0, 14.0).values.shape == (2, 8)


def test_sign_is_the_color_and_magnitude_the_opacity():
    pixels = replace(relevance(), values=np.array([[-1.0, 0.0, 0.5]])).pixels()[0]
    assert pixels[0, :3].tolist() == list(DECREASES) and pixels[2, :3].tolist() == list(INCREASES)
    assert pixels[:, 3].tolist() == [190, 0, 95]


def test_description_names_the_largest_magnitude():
    values = np.zeros((2, 8))
    values[1, 4] = -0.7
    assert replace(relevance(), values=values).description() == (
        "relevance for seizure from 10 s to 14 s, largest in b at 12.2 s"
    )


def test_windows_that_overlap_or_have_other_channels_are_not_shown():
    windows = [relevance(2, 6), relevance(4, 8), relevance(6, 10), relevance(11, 15, ("a", "c")), relevance(30, 34)]
    shown = shown_in(windows, 0.0, 20.0, ["a", "b"])
    assert [(one.onset, one.end) for one in shown] == [(2, 6), (6, 10)]
    shown = shown_in(windows, 0.0, 20.0, ["a", "b"], preferred=(4, 8))
    assert [(one.onset, one.end) for one in shown] == [(4, 8)]


def test_windows_that_follow_each_other_are_all_shown_also_with_rounded_onsets():
    windows = [relevance(0.1 * number * 3, 0.1 * number * 3 + 0.3, n_columns=1) for number in range(9)]
    assert len(shown_in(windows, 0.0, 20.0, ["a", "b"])) == 9


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Content of a report, whose explained windows have the channels of the EEG."""
    results = tmp_path_factory.mktemp("study")
    study = write_study(results)
    write_samples(results)
    run = report_data(study, results)
    rng = np.random.default_rng(0)
    folds = []
    for fold in run.outer:
        values = rng.uniform(-1, 1, (len(fold.maps.windows), len(CH_NAMES), 20)).astype(np.float16)
        about = fold.maps.about | {"signal_ch_names": CH_NAMES}
        folds.append(replace(fold, maps=replace(fold.maps, about=about, window_relevance=values)))
    return replace(run, outer=folds)


def test_windows_have_their_onset_and_length(run):
    maps = run.outer[0].maps
    found = relevance_by_recording([maps], run.samples.length)
    for row, onset in enumerate(maps.windows["onset"]):
        windows = found[maps.windows["recording"][row]]
        one = next(one for one in windows if one.onset == onset)
        assert one.window == (onset, onset + run.samples.length) == (one.onset, one.end)
        np.testing.assert_array_equal(one.values, maps.window_relevance[row].astype(float))


def test_maps_of_earlier_versions_have_no_relevance(tmp_path):
    study = write_study(tmp_path)
    for path in tmp_path.rglob("window_relevance.npy"):
        path.unlink()
    maps = [fold.maps for fold in report_data(study, tmp_path).outer]
    assert len(maps) == 3 and relevance_by_recording(maps, 5.0) == {}


def test_drawn_relevance_is_that_of_the_windows(run):
    found = parts(run)["eeg"]
    drawn = [*found["onsets"], *(one for *_, entries in found["galleries"] for one in entries)]
    assert any(one.explained for one in drawn) and "orange: increases" in found["note"]
    for one in drawn:
        images = re.findall(r'<image x="([\d.]+)"[^>]*width="([\d.]+)"[^>]*base64,([^"]*)"', one.figure.svg)
        assert len(images) == len(one.explained)
        axis = TimeAxis(one.snippet.start, one.snippet.end)
        for part, (x, width, data) in zip(one.explained, images, strict=True):
            assert float(x) == pytest.approx(axis.x(part.onset), abs=0.1)
            assert float(x) + float(width) == pytest.approx(axis.x(part.end), abs=0.2)
            pixels = np.rint(255 * imread(io.BytesIO(base64.b64decode(data)), format="png"))
            strong = np.abs(part.values) > 0.1
            np.testing.assert_allclose(pixels[..., 3], 190 * np.abs(part.values), atol=1)
            np.testing.assert_array_equal((pixels[..., 0] == INCREASES[0])[strong], (part.values > 0)[strong])
            assert f"relevance for {part.predicted} from" in one.figure.alt
    entries = json.loads(re.search(r">(.*)</script>", found["data"])[1])
    for one in drawn:
        assert len(entries[one.key]["relevance"]) == len(one.explained)
        for (onset, end, values), part in zip(entries[one.key]["relevance"], one.explained, strict=True):
            assert (onset, end) == (part.onset, part.end)
            np.testing.assert_allclose(values, 100 * part.values, atol=0.51)


def test_without_relevance_nothing_is_said_of_it(run):
    outer = [replace(fold, maps=replace(fold.maps, window_relevance=np.zeros((0, 0, 0)))) for fold in run.outer]
    found = parts(replace(run, outer=outer))["eeg"]
    assert "orange" not in found["note"] and not any(one.explained for one in found["onsets"])
