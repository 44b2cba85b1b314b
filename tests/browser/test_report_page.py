"""The report in a real browser: offline, without errors, readable at the width of a phone."""

import json
import re
import shutil
import subprocess
from itertools import pairwise

import pytest

from eegwf.jobs.report import report_combination
from tests.helpers.report_study import write_study

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--enable-logging=stderr",
]
# What is measured inside the page; written into it for `--dump-dom` to show.
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
def browser():
    """Path of a Chromium, or a skip."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    return found


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A report on disk."""
    results = tmp_path_factory.mktemp("study")
    config = write_study(
        results, patients=["a-patient-with-a-name-as-long-as-a-whole-sentence-in-a-register", "b", "c"]
    )
    output = results / "report.html"
    report_combination(config, results, "vit", "mel", "2class", output)
    return output


def dump(browser, folder, page, *options):
    """The page's DOM after loading, what the browser logged, and the network log."""
    netlog = folder / "net.json"
    command = [browser, *QUIET, *options, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={netlog}"]
    done = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout, done.stderr
    return done.stdout, done.stderr, netlog.read_text()


def without_policy(page):
    """The page without the policy that forbids scripts and requests."""
    text, found = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    assert found == 1
    return text


def measured(browser, folder, page, width, *options):
    """What `MEASURE` finds in a window of some width, a frame around the page making the width exact."""
    inner, outer = folder / "inner.html", folder / "outer.html"
    inner.write_text(without_policy(page).replace("</body>", f"{MEASURE}</body>"))
    outer.write_text(
        "<body><pre></pre><script>addEventListener('message', (event) => "
        "document.querySelector('pre').textContent = JSON.stringify(event.data))</script>"
        f"<iframe src='inner.html' style='width:{width}px;height:3000px;border:0'></iframe></body>"
    )
    dom, log, _ = dump(browser, folder, outer, "--virtual-time-budget=5000", *options)
    found = re.search(r"<pre>(\{.*?\})</pre>", dom, flags=re.DOTALL)
    assert found, log
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def requested(network):
    """Addresses in a network log, but for those that the browser looks up for itself."""
    asked = set(re.findall(r'"url":"([^"]*)"', network))
    return {url for url in asked if not re.match(r"(data:|chrome|https?://[\w.-]*(google|gstatic)[\w.-]*/)", url)}


def test_opens_offline_without_errors_or_requests(browser, page, tmp_path):
    dom, log, network = dump(browser, tmp_path, page)
    assert "Selection optimism" in dom
    assert [line for line in log.splitlines() if "CONSOLE" in line] == []
    assert requested(network) <= {page.as_uri()}


def test_a_request_would_be_seen_and_is_refused_by_the_page(browser, page, tmp_path):
    picture = '<img src="http://127.0.0.1:9/x.png" alt="x"></body>'
    asking, open_page = tmp_path / "asking.html", tmp_path / "open.html"
    asking.write_text(page.read_text().replace("</body>", picture))
    open_page.write_text(without_policy(page).replace("</body>", picture))
    _, log, network = dump(browser, tmp_path, open_page)
    assert "http://127.0.0.1:9/x.png" in requested(network)
    _, log, network = dump(browser, tmp_path, asking)
    assert "http://127.0.0.1:9/x.png" not in requested(network) and "Content Security Policy" in log


def test_reads_well_on_a_phone(browser, page, tmp_path):
    found = measured(browser, tmp_path, page, 390)
    assert found["width"] == 390 and found["scroll"] <= 390
    assert found["wide"] == []
    assert found["pictures"] > 20 and found["nameless"] == found["empty"] == 0
    assert found["captions"] and len(found["ids"]) == len(set(found["ids"]))
    levels = found["headings"]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def lightness(colour):
    """From 0, black, to 1, white."""
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


@pytest.mark.parametrize("dark", [False, True])
def test_figures_follow_light_and_dark(browser, page, tmp_path, dark):
    scheme = "--blink-settings=preferredColorScheme=" + ("0" if dark else "1")
    found = measured(browser, tmp_path, page, 1200, scheme)
    assert (lightness(found["paper"]) < 0.2) == dark
    assert found["tick"] == found["ink"]
    assert abs(lightness(found["ink"]) - lightness(found["paper"])) > 0.7
    assert found["scroll"] <= 1200
