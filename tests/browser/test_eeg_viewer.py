"""EEG of a report in a browser: interactive with scripts, drawn without."""

import json
import re

import numpy as np
import pytest
from scipy.signal import butter, filtfilt

from eegwf.report.eeg import parts
from eegwf.report.eeg_samples import packed
from eegwf.report.page import FOLDER, environment
from eegwf.report.scripts import data_block
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


# From 5 to 10 s, in two columns: only of the second channel, for the class and then against it.
RELEVANCE = [[5, 10, [[0, 0], [100, -50], [0, 0], [0, 0], [0, 0]]]]
CHANNELS = ["Fp1-Ref", "F7-Ref", "T7-Ref", "P7-Ref", "O1-Ref"]


@pytest.fixture(scope="module")
def signal():
    """Five referential channels, 20 s at 128 Hz, quantized."""
    rng = np.random.default_rng(4)
    return np.cumsum(rng.normal(0, 30, (5, 20 * 128)), axis=1).clip(-30000, 30000).astype(np.int16)


def read_voltages(browser, folder, signal, names, changes):
    """Text that the view shows at three places after changes of its selectors (label: value)."""
    entry = {
        "recording": "a", "start": 0, "sfreq": 128, "step": 0.5, "spacing": 100, "channels": names, "seizures": [],
        "detections": [], "p": [], "threshold": None, "relevance": RELEVANCE, "data": packed(signal),
    }  # fmt: skip
    source = (
        '{% set script_names = ["eeg_viewer"] %}{% extends "base.html" %}{% block main %}<details class="snippet" '
        'id="e"><summary>s</summary><div class="scroll">drawing</div></details>{{ data }}{% endblock %}'
    )
    values = {"title": "a", "kind": "b", "sentence": "c", "style": (FOLDER / "style.css").read_text()}
    page = folder / "one.html"
    page.write_text(environment().from_string(source).render(values | {"data": data_block("eeg-data", {"e": entry})}))
    script = (
        OPEN
        + f"const changes = {json.dumps(changes)};"
        + """
    const fields = [...view.querySelectorAll("label")];
    const options = {};
    fields.forEach((label) => {
      const field = label.querySelector("select"), name = label.firstChild.textContent.trim();
      options[name] = [...field.options].map((option) => option.textContent);
      if (name in changes) { field.value = changes[name]; field.dispatchEvent(new Event("change")); }
    });
    const ratio = devicePixelRatio, cells = {};
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    for (const [name, time, row] of [["for", 6, 1], ["against", 8.5, 1], ["none", 6, 2], ["outside", 12, 1]]) {
      const x = 76 + (time / 20) * (canvas.clientWidth - 136), y = 6 + row * 30 + 1;
      const place = 4 * (Math.round(y * ratio) * canvas.width + Math.round(x * ratio));
      cells[name] = [...pixels.slice(place, place + 4)];
    }
    const box = canvas.getBoundingClientRect(), told = [];
    for (const [fraction, row] of [[0.3, 0], [0.5, 1], [0.7, 3]]) canvas.dispatchEvent(new PointerEvent("pointermove", {
      clientX: box.left + 76 + fraction * (box.width - 136), clientY: box.top + 6 + (row + 0.5) * 30 })),
      told.push(status().split("; ")[1]);
    return { told, options, cells };
    """
    )
    found = run_script(browser, folder, page, script, LATER)
    readings = [re.fullmatch(r"([\d.]+) s, (.*): (\S+) µV", told).groups() for told in found["told"]]
    told = [(float(t), name, float(v.replace("−", "-"))) for t, name, v in readings]
    return told, found["options"], found["cells"]


def agrees(expected, time, voltage):
    """Whether a voltage is that of one of the samples around a time, which is told with two decimals."""
    index = time * 128
    near = expected[[int(index - 0.65), int(index), int(index + 0.65)]]
    return np.abs(near - voltage).min() <= 0.06


@pytest.mark.parametrize(("change", "kind", "edge"), [("High-pass", "highpass", 5), ("Low-pass", "lowpass", 15)])
def test_filters_are_those_of_scipy(browser, signal, tmp_path, change, kind, edge):
    readings, _, _ = read_voltages(browser, tmp_path, signal, CHANNELS, {change: edge})
    coefficients = butter(2, edge, kind, fs=128)
    for row, (time, _, voltage) in zip((0, 1, 3), readings, strict=True):
        assert agrees(filtfilt(*coefficients, signal[row] * 0.5), time, voltage)
        assert not agrees(signal[row] * 0.5, time, voltage)


def test_montages_are_computed_from_referential_channels_only(browser, signal, tmp_path):
    voltage = signal * 0.5
    readings, options, cells = read_voltages(browser, tmp_path, signal, CHANNELS, {"Montage": "longitudinal bipolar"})
    # Relevance is of the channels of the study: there are no colors but those of the traces.
    assert all(abs(red - blue) < 20 for red, _, blue, _ in cells.values())
    assert options["Montage"] == ["as in the study", "average reference", "longitudinal bipolar"]
    for row, (time, name, value) in zip((0, 1, 3), readings, strict=True):
        assert name == ["Fp1-F7", "F7-T7", "T7-P7", "P7-O1"][row] and agrees(
            voltage[row] - voltage[row + 1], time, value
        )
    readings, _, _ = read_voltages(browser, tmp_path, signal, CHANNELS, {"Montage": "average reference"})
    assert all(
        agrees((voltage - voltage.mean(axis=0))[row], time, value)
        for row, (time, _, value) in zip((0, 1, 3), readings, strict=True)
    )
    _, options, _ = read_voltages(browser, tmp_path, signal, ["Fp1-F7", *CHANNELS[1:]], {})
    assert "Montage" not in options and options["Low-pass"] == ["off", "15 Hz", "30 Hz", "50 Hz"]


def test_relevance_is_behind_its_channel(browser, signal, tmp_path):
    quiet = np.zeros_like(signal)
    _, _, cells = read_voltages(browser, tmp_path, quiet, CHANNELS, {})
    assert cells["for"] == pytest.approx([217, 119, 6, 190], abs=2)
    assert cells["against"] == pytest.approx([37, 99, 235, 95], abs=2)
    assert cells["none"] == cells["outside"] == [0, 0, 0, 0]
