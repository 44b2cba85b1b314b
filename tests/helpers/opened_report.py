"""Requirements that the report of every study meets in a browser, with and without scripts."""

import json
import re
from itertools import pairwise
from pathlib import Path

from tests.helpers.browser import console, dump, run_script
from tests.helpers.measured_page import measured, requested, scheme, without_policy

LARGEST = 8_000_000
# Milliseconds from the start of the navigation until the first text is shown, and until the page is loaded.
TIMES = """
<script>
addEventListener("load", () => {
  document.documentElement.scrollHeight;
  const output = document.createElement("pre");
  output.id = "times";
  output.textContent = JSON.stringify({loaded: performance.now(),
    painted: performance.getEntriesByName("first-contentful-paint")[0].startTime});
  document.body.append(output);
});
</script>
"""
# Text whose contrast with what is behind it is below 4.5 (3 for large text), as WCAG 2 defines it. Text in a figure is
# compared with the page, except where the figure has an image below it.
CONTRAST = """
document.querySelectorAll("details").forEach((item) => { item.open = true; });
const parsed = (color) => {
  const parts = (color.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  if (color.startsWith("color(")) parts.splice(0, 3, ...parts.slice(0, 3).map((part) => part * 255));
  return parts.length < 4 ? [...parts, 1] : parts;
};
const over = (top, below) => [0, 1, 2].map((n) => top[n] * top[3] + below[n] * (1 - top[3]));
const luminance = (color) => {
  const [red, green, blue] = color.map((part) => part / 255).map(
    (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const paper = (item) => {
  if (!item) return [255, 255, 255];
  const color = parsed(getComputedStyle(item).backgroundColor);
  return color[3] === 1 ? color.slice(0, 3) : over(color, paper(item.parentElement));
};
const found = new Map();
let counted = 0;
for (const item of document.querySelectorAll("body *")) {
  const own = [...item.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || item.closest("script, style, option") || !item.getClientRects().length) continue;
  const style = getComputedStyle(item), figure = item.closest("svg");
  if (figure && figure.querySelector("image")) continue;
  const ink = parsed(figure ? style.fill : style.color);
  const behind = paper(figure || item), front = over(ink, behind);
  const [low, high] = [luminance(front), luminance(behind)].sort((one, other) => one - other);
  const ratio = (high + 0.05) / (low + 0.05), size = parseFloat(style.fontSize);
  counted += 1;
  const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  if (ratio < (large ? 3 : 4.5)) {
    const key = [ratio.toFixed(2), item.tagName, item.className.baseVal ?? item.className, style.color].join(" ");
    if (!found.has(key)) found.set(key, item.outerHTML.slice(0, 100));
  }
}
return {low: [...found], counted};
"""
LANDMARKS = """
return {main: document.querySelectorAll("main").length, header: document.querySelectorAll("header").length,
  nav: [...document.querySelectorAll("nav")].map((item) => item.getAttribute("aria-label")),
  lang: document.documentElement.lang, buttons: document.querySelectorAll("button").length,
  broken: [...document.querySelectorAll('a[href^="#"]')].filter(
    (item) => !document.getElementById(decodeURIComponent(item.hash.slice(1)))).map((item) => item.hash),
  unreachable: [...document.querySelectorAll("a[href], button, input, select, summary, .scroll")].filter(
    (item) => item.tabIndex !== 0).length};
"""


def check_report(browser: str, folder: Path, page: Path) -> None:
    """Open a report with scripts, without, on a narrow screen, in light and dark.

    Parameters
    ----------
    browser
        Path of Chromium.
    folder
        Folder for copies of the page.
    page
        The report.

    Raises
    ------
    AssertionError
        If it is larger than 8 MB, writes to the console, requests anything, lacks a landmark, a name of a figure or a
        caption, is wider than a screen of 390 pixels, or has text of little contrast.
    """
    assert page.stat().st_size < LARGEST
    dom, log, network = dump(browser, folder, page)
    assert console(log) == [] and requested(network) <= {page.as_uri()}
    _check_without_scripts(browser, folder, page, dom)
    _check_landmarks(run_script(browser, folder, page, LANDMARKS))
    narrow = measured(browser, folder, page, 390)
    assert narrow["scroll"] <= narrow["width"] == 390 and narrow["wide"] == []
    assert narrow["nameless"] == narrow["empty"] == 0 and narrow["pictures"] > 20 and narrow["captions"]
    assert len(narrow["ids"]) == len(set(narrow["ids"]))
    assert narrow["headings"][0] == 1 and narrow["headings"].count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(narrow["headings"]))
    for dark in (False, True):
        found = run_script(browser, folder, page, CONTRAST, scheme(dark))
        assert found["counted"] > 500 and found["low"] == []


def _check_without_scripts(browser: str, folder: Path, page: Path, with_scripts: str) -> None:
    silent = folder / "silent.html"
    silent.write_text(re.sub(r"script-src '[^;\"]*'", "script-src 'none'", page.read_text()))
    dom, log, network = dump(browser, folder, silent)
    assert all("Content Security Policy" in line for line in console(log))
    assert requested(network) <= {silent.as_uri()} and "<button" not in dom
    with_scripts, without = (re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL) for text in (with_scripts, dom))
    # Scripts add figures of their own, such as the dots of the threshold slider.
    assert 20 < without.count('<svg role="img"') <= with_scripts.count('<svg role="img"')
    for part in ("<table", 'class="snippet"', "<section", "<caption"):
        assert without.count(part) == with_scripts.count(part) > 0, part


def _check_landmarks(found: dict) -> None:
    assert found["main"] == found["header"] == 1 and found["lang"] == "en"
    assert found["nav"] == ["Contents"] and found["buttons"] > 10
    assert found["broken"] == [] and found["unreachable"] == 0


def opening_times(browser: str, folder: Path, page: Path) -> dict[str, float]:
    """Shortest of three times to open a page, since other processes may be running.

    Parameters
    ----------
    browser
        Path of Chromium.
    folder
        Folder for a copy of the page.
    page
        The page.

    Returns
    -------
    dict of str to float
        Milliseconds until the first content is `painted`, and until the page is `loaded` and laid out.
    """
    timed = folder / "timed.html"
    timed.write_text(without_policy(page).replace("<head>", f"<head>{TIMES}", 1))
    found = []
    for _ in range(3):
        dom, _, _ = dump(browser, folder, timed)
        content = re.search(r'<pre id="times">(.*?)</pre>', dom)
        assert content
        found.append(json.loads(content[1]))
    return {name: min(times[name] for times in found) for name in ("painted", "loaded")}
