"""Report in a browser: no requests, no errors, and readable on a narrow screen."""

import json
import re
from itertools import pairwise

import pytest

from tests.helpers.browser import console, dump
from tests.helpers.report_page import write_report
from tests.helpers.report_study import write_study

# Script that is inserted into the page and posts its measurements to the enclosing page, which `--dump-dom` prints.
MEASURE = """
<script>
addEventListener("load", () => {
  const pictures = [...document.querySelectorAll("svg, img")];
  const wide = [...document.querySelectorAll("body *")].filter(
    (item) => item.getBoundingClientRect().right > innerWidth + 1 && !item.closest(".scroll, pre, svg"));
  parent.postMessage({
    width: innerWidth, scroll: document.documentElement.scrollWidth, pictures: pictures.length,
    nameless: pictures.filter((item) => !(item.getAttribute("aria-label") || item.alt || "").trim()).length,
    empty: pictures.filter((item) => !item.getBoundingClientRect().height).length,
    wide: wide.map((item) => item.outerHTML.slice(0, 80)),
    headings: [...document.querySelectorAll("h1, h2, h3, h4")].map((item) => +item.tagName[1]),
    paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
    tick: getComputedStyle(document.querySelector("svg text")).fill,
    captions: [...document.querySelectorAll("table")].every((item) => item.caption && item.caption.textContent.trim()),
    ids: [...document.querySelectorAll("[id]")].map((item) => item.id),
  }, "*");
});
</script>
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Path of a report."""
    results = tmp_path_factory.mktemp("study")
    study = write_study(results, patients=["a-patient-with-a-name-as-long-as-a-whole-sentence-in-a-register", "b", "c"])
    output = results / "report.html"
    write_report(study, results, output=output)
    return output


def without_policy(page):
    """Page without the content security policy, which forbids scripts and requests."""
    text, n_removed = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    assert n_removed == 1
    return text


def measured(browser, folder, page, width, *options):
    """Measurements of `MEASURE` at a width in pixels; the page is in a frame, so that the width is exact."""
    inner, outer = folder / "inner.html", folder / "outer.html"
    inner.write_text(without_policy(page).replace("</body>", f"{MEASURE}</body>"))
    outer.write_text(
        "<body><pre></pre><script>addEventListener('message', (event) => "
        "document.querySelector('pre').textContent = JSON.stringify(event.data))</script>"
        f"<iframe src='inner.html' style='width:{width}px;height:3000px;border:0'></iframe></body>"
    )
    dom, log, _ = dump(browser, folder, outer, "--virtual-time-budget=5000", *options)
    content = re.search(r"<pre>(\{.*?\})</pre>", dom, flags=re.DOTALL)
    assert content, log
    return json.loads(content[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def requested(network):
    """Addresses in a network log, except those of the browser itself."""
    urls = set(re.findall(r'"url":"([^"]*)"', network))
    return {url for url in urls if not re.match(r"(data:|chrome|https?://[\w.-]*(google|gstatic)[\w.-]*/)", url)}


def test_page_loads_without_errors_or_requests(browser, page, tmp_path):
    dom, log, network = dump(browser, tmp_path, page)
    assert "Selection optimism" in dom
    assert console(log) == []
    assert requested(network) <= {page.as_uri()}


def test_content_security_policy_blocks_requests(browser, page, tmp_path):
    picture = '<img src="http://127.0.0.1:9/x.png" alt="x"></body>'
    with_policy, open_page = tmp_path / "policy.html", tmp_path / "open.html"
    with_policy.write_text(page.read_text().replace("</body>", picture))
    open_page.write_text(without_policy(page).replace("</body>", picture))
    _, log, network = dump(browser, tmp_path, open_page)
    assert "http://127.0.0.1:9/x.png" in requested(network)
    _, log, network = dump(browser, tmp_path, with_policy)
    assert "http://127.0.0.1:9/x.png" not in requested(network) and "Content Security Policy" in log


def test_page_fits_a_narrow_screen(browser, page, tmp_path):
    values = measured(browser, tmp_path, page, 390)
    assert values["width"] == 390 and values["scroll"] <= 390
    assert values["wide"] == []
    assert values["pictures"] > 20 and values["nameless"] == values["empty"] == 0
    assert values["captions"] and len(values["ids"]) == len(set(values["ids"]))
    levels = values["headings"]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def lightness(color):
    """Lightness of a color, from 0 (black) to 1 (white)."""
    red, green, blue = map(int, re.findall(r"\d+", color)[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


@pytest.mark.parametrize("dark", [False, True])
def test_figures_have_the_colors_of_the_page(browser, page, tmp_path, dark):
    scheme = "--blink-settings=preferredColorScheme=" + ("0" if dark else "1")
    values = measured(browser, tmp_path, page, 1200, scheme)
    assert (lightness(values["paper"]) < 0.2) == dark
    assert values["tick"] == values["ink"]
    assert abs(lightness(values["ink"]) - lightness(values["paper"])) > 0.7
    assert values["scroll"] <= 1200
