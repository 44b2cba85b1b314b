"""EEG of a report in a browser: interactive with scripts, drawn without."""

import re

import numpy as np
import pytest

from eegwf.report.eeg import parts
from eegwf.report.page import FOLDER, environment
from tests.helpers.browser import console, dump, run_script
from tests.helpers.eeg_samples import write_samples
from tests.helpers.report_page import report_data
from tests.helpers.report_study import write_study

TEMPLATE = (
    '{% set script_names = ["eeg_viewer"] %}{% extends "base.html" %}{% block main %}{% include "eeg.html" %}'
    "{% endblock %}"
)
OPEN = """
const details = document.querySelector("details.snippet");
const id = details.id;
details.open = true;
details.querySelector("button.view").click();
const root = async () => {
  for (let n = 0; n < 200 && !details.querySelector(".eeg-view"); n++) await new Promise((r) => setTimeout(r, 10));
  return details.querySelector(".eeg-view");
};
const view = await root(), canvas = view.querySelector("canvas"), status = () => view.querySelector("output").value;
const picture = () => canvas.toDataURL();
const press = (key) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const button = (text) => [...view.querySelectorAll("button")].find((item) => item.textContent === text);
"""
LATER = "--virtual-time-budget=20000"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Page with the section, its snippets by key, and the folder of the study."""
    results = tmp_path_factory.mktemp("study")
    study = write_study(results)
    write_samples(results)
    found = parts(report_data(study, results))
    style = (FOLDER / "style.css").read_text()
    values = found | {"title": "a", "kind": "b", "sentence": "c", "style": style, "why_no_events": ""}
    path = results / "page.html"
    path.write_text(environment().from_string(TEMPLATE).render(values))
    eeg = found["eeg"]
    snippets = [*eeg["onsets"], *(one for *_, entries in eeg["galleries"] for one in entries)]
    return path, {one.key: one.snippet for one in snippets}


def test_the_view_shows_the_samples_of_the_snippet(browser, shown, tmp_path):
    """Voltages that the view tells at the pointer are those of the snippet."""
    page, snippets = shown
    script = (
        OPEN
        + """
    const box = canvas.getBoundingClientRect(), told = [];
    for (const [fraction, row] of [[0.1, 0], [0.5, 1], [0.83, 2]]) {
      canvas.dispatchEvent(new PointerEvent("pointermove", {
        clientX: box.left + 76 + fraction * (box.width - 136), clientY: box.top + 6 + (row + 0.5) * 30 }));
      told.push(status().split("; ")[1]);
    }
    return { id, told, focused: document.activeElement === canvas, drawing: details.querySelector(".scroll").hidden };
    """
    )
    found = run_script(browser, tmp_path, page, script, LATER)
    snippet = snippets[found["id"]]
    assert found["focused"] and found["drawing"]
    for row, told in enumerate(found["told"]):
        time, name, voltage = re.fullmatch(r"([\d.]+) s, (.*): (\S+) µV", told).groups()
        index = (float(time) - snippet.start) * snippet.sfreq
        near = snippet.voltage()[row, [int(np.floor(index)), int(np.ceil(index))]]
        assert name == snippet.ch_names[row]
        assert np.abs(near - float(voltage.replace("−", "-"))).min() <= 0.06


def test_keys_and_buttons_change_the_view_and_escape_restores_the_drawing(browser, shown, tmp_path):
    page, _ = shown
    script = (
        OPEN
        + """
    const first = picture(), texts = [status()];
    for (const key of ["ArrowUp", "+", "ArrowLeft", "Home", "ArrowDown"]) { press(key); texts.push(status()); }
    const same = picture() === first;
    const high = view.querySelectorAll("select")[0];
    high.value = "5";
    high.dispatchEvent(new Event("change"));
    const filtered = picture() !== first;
    button("Zoom in").click();
    texts.push(status());
    press("Escape");
    return { texts, same, filtered, gone: !details.querySelector(".eeg-view"),
      drawing: !details.querySelector(".scroll").hidden, focus: document.activeElement.textContent,
      label: canvas.getAttribute("aria-label") };
    """
    )
    found = run_script(browser, tmp_path, page, script, LATER)
    spans = [re.match(r"([\d.]+) s to ([\d.]+) s, gain ([\d.]+)", text).groups() for text in found["texts"]]
    start = float(spans[0][0])
    relative = [(float(low) - start, float(high) - start, float(gain)) for low, high, gain in spans]
    assert relative == [(0, 30, 1), (0, 30, 1.4), (7.5, 22.5, 1.4), (3.75, 18.75, 1.4), (0, 30, 1.4), (0, 30, 1),
                        (7.5, 22.5, 1)]  # fmt: skip
    assert found["same"] and found["filtered"] and found["gone"] and found["drawing"]
    assert found["focus"] == "Interactive view" and found["label"].startswith("Interactive EEG of ")


def test_without_scripts_all_snippets_are_drawn(browser, shown, tmp_path):
    page, snippets = shown
    silent = tmp_path / "silent.html"
    silent.write_text(re.sub(r"script-src '[^;]*'", "script-src 'none'", page.read_text()))
    dom, log, _ = dump(browser, tmp_path, silent)
    assert all("Content Security Policy" in line for line in console(log))
    assert dom.count('class="snippet"') == len(snippets) == 12 and "<button" not in dom
    assert len(re.findall(r'<svg role="img" aria-label="(?:EEG|Onset)[^"]*\d', dom)) == 12


@pytest.mark.parametrize("width", [390, 1200])
def test_the_view_fits_the_screen_and_is_drawn_in_the_colors_of_the_page(browser, shown, tmp_path, width):
    page, _ = shown
    script = (
        OPEN
        + """
    const pen = canvas.getContext("2d"), { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    let opaque = 0;
    for (let n = 3; n < data.length; n += 4) opaque += data[n] > 128;
    return { width: canvas.clientWidth, opaque, scroll: document.documentElement.scrollWidth, inner: innerWidth };
    """
    )
    found = run_script(browser, tmp_path, page, script, LATER, f"--window-size={width},1000")
    assert found["opaque"] > 1000 and found["scroll"] <= found["inner"] and found["width"] <= found["inner"]
