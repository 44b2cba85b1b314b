"""Measure a page in headless Chromium: its size on a screen of a given width, names of figures, colors, requests."""

import json
import re
from pathlib import Path
from typing import Any

from tests.helpers.browser import dump

# Script that is inserted into the page and posts its measurements to the enclosing page, which `--dump-dom` prints.
MEASURE = """
<script>
addEventListener("load", () => {
  const pictures = [...document.querySelectorAll("svg:not(svg svg), img")];
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


def without_policy(page: Path) -> str:
    """Page without the content security policy, which forbids scripts and requests."""
    text, n_removed = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    assert n_removed == 1
    return text


def measured(browser: str, folder: Path, page: Path, width: int, *options: str) -> dict[str, Any]:
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


def requested(network: str) -> set[str]:
    """Addresses in a network log, except those of the browser itself."""
    urls = set(re.findall(r'"url":"([^"]*)"', network))
    return {url for url in urls if not re.match(r"(data:|chrome|https?://[\w.-]*(google|gstatic)[\w.-]*/)", url)}


def scheme(dark: bool) -> str:
    """Option of Chromium for a dark or a light page."""
    return "--blink-settings=preferredColorScheme=" + ("0" if dark else "1")


def lightness(color: str) -> float:
    """Lightness of a color, from 0 (black) to 1 (white)."""
    red, green, blue = map(int, re.findall(r"\d+", color)[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255
