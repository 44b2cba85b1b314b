"""Summary in a browser: opened quickly with many combinations, readable on a narrow screen and in the dark, usable."""

import pytest

from tests.helpers.browser import console, dump, run_script
from tests.helpers.measured_page import measured, requested, scheme
from tests.helpers.opened_report import opening_times
from tests.helpers.summary_study import write_matrix, write_summary

MODELS, SPECTROGRAMS = ("vit", "lstm", "swin"), ("mel", "cwt")
# Largest brightness of each component of paper and text, and of the cells of the heat map with their opacity.
COLORS = """
const heat = document.querySelector("section svg");
const numbers = (color) => color.match(/[\\d.]+/g).map(Number).slice(0, 3);
const shapes = [...heat.querySelectorAll("path")].map((item) => getComputedStyle(item));
return {
  paper: numbers(getComputedStyle(document.body).backgroundColor),
  ink: numbers(getComputedStyle(heat.querySelector("text")).fill),
  cells: shapes.filter((style) => style.fill !== "none" && style.opacity < 1)
    .map((style) => [...numbers(style.fill), Number(style.opacity)]),
};
"""
SORT_AND_FILTER = """
const table = document.querySelector("table.sortable");
const headers = [...table.tHead.rows[0].cells];
const column = headers.findIndex((cell) => cell.textContent === "CPU (hours)");
const button = headers[column].querySelector("button");
button.focus();
button.click();
const rows = [...table.tBodies[0].rows];
const values = rows.map((row) => row.cells[column].textContent);
const field = document.querySelector("label.filter input");
field.value = "lstm";
field.dispatchEvent(new Event("input"));
const shown = rows.filter((row) => row.getBoundingClientRect().height).map((row) => row.cells[0].textContent);
const focusable = [...document.querySelectorAll("a[href], button, input, summary, .scroll")];
return {values, shown, focused: document.activeElement === button,
  unreachable: focusable.filter((item) => item.tabIndex !== 0).length};
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Path of a summary of two class sets."""
    results = tmp_path_factory.mktemp("summary") / "results"
    write_summary(results, write_matrix(results, MODELS, SPECTROGRAMS, ("2class", "3class")))
    return results / "summary.html"


def test_280_combinations_open_in_two_seconds(browser, tmp_path):
    results = tmp_path / "results"
    models = [f"model{number:02d}" for number in range(28)]
    spectrograms = ("mel", "cwt", "stft", "concat", "raw")
    combinations = write_matrix(results, models, spectrograms, ("2class", "3class"), explained=False)
    assert len(combinations) == 280
    text = write_summary(results, combinations)
    assert len(text) < 1.5e6 and text.count("/report.html") == 280
    times = opening_times(browser, tmp_path, results / "summary.html")
    assert times["loaded"] < 2000 and times["painted"] < 1000


def test_summary_loads_without_errors_or_requests(browser, page, tmp_path):
    dom, log, network = dump(browser, tmp_path, page)
    assert console(log) == [] and requested(network) <= {page.as_uri()}
    assert dom.count('<button type="button" class="sort">') > 10


def test_summary_is_complete_without_scripts(browser, page, tmp_path):
    # The browser refuses a script of another digest.
    changed = tmp_path / "changed.html"
    changed.write_text(page.read_text().replace('"use strict";', '"use strict"; '))
    dom, log, _ = dump(browser, tmp_path, changed)
    assert "Content Security Policy" in " ".join(console(log)) and "<button" not in dom
    assert dom.count("/report.html") == 2 * len(MODELS) * len(SPECTROGRAMS)


@pytest.mark.parametrize("width", [390, 1200])
def test_summary_fits_the_screen(browser, page, tmp_path, width):
    values = measured(browser, tmp_path, page, width)
    assert values["width"] == width and values["scroll"] <= width and values["wide"] == []
    assert values["pictures"] == 6 and values["nameless"] == values["empty"] == 0
    assert values["captions"] and len(values["ids"]) == len(set(values["ids"]))
    assert values["headings"].count(1) == 1


def luminance(rgb):
    """Relative luminance of a color, as WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_text_in_the_heat_map_has_enough_contrast(browser, page, tmp_path, dark):
    found = run_script(browser, tmp_path, page, COLORS, scheme(dark))
    assert (luminance(found["paper"]) < 0.1) == dark
    assert len(found["cells"]) == len(MODELS) * len(SPECTROGRAMS)
    assert len({cell[3] for cell in found["cells"]}) > 3
    for *color, opacity in found["cells"]:
        cell = [opacity * one + (1 - opacity) * paper for one, paper in zip(color, found["paper"], strict=True)]
        low, high = sorted([luminance(cell), luminance(found["ink"])])
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_scores_are_sorted_and_filtered(browser, page, tmp_path):
    found = run_script(browser, tmp_path, page, SORT_AND_FILTER)
    assert found["values"] == sorted(found["values"], key=float) and len(set(found["values"])) > 1
    assert sorted(found["shown"]) == ["lstm · cwt", "lstm · mel"]
    assert found["focused"] and found["unreachable"] == 0
