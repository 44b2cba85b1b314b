"""Timelines of a report are enlarged with the pointer, keys and buttons."""

import re

import pytest

from eegwf.evaluation.events import primary_points
from eegwf.report.detected import detected_recordings
from eegwf.report.figures_timelines import LEFT, RIGHT, WIDTH, TimeAxis
from tests.helpers.browser import run_script
from tests.helpers.report_page import report_data, write_report
from tests.helpers.report_study import write_study

SIZE = "--window-size=1200,1000"
READ = """
const figure = document.querySelector("figure.timeline"), drawn = figure.querySelector("svg");
const plane = figure.querySelector(".plane");
const press = (key) => figure.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const button = (text) => [...figure.querySelectorAll("button")].find((item) => item.textContent === text);
const read = () => ({
  stated: figure.querySelector("output") ? figure.querySelector("output").value : "",
  ticks: [...figure.querySelectorAll(".ticks text")].map((item) => item.textContent),
  places: [...figure.querySelectorAll(".ticks text")].slice(1).map((item) => Number(item.getAttribute("x"))),
  shapes: [...plane.querySelectorAll("rect")].map((item) => {
    const box = item.getBoundingClientRect(), area = drawn.getBoundingClientRect();
    return [box.left - area.left, box.right - area.left];
  }),
  disabled: [...figure.querySelectorAll("button")].filter((item) => item.disabled).map((item) => item.textContent),
});
const pointer = (type, x) => {
  const area = drawn.getBoundingClientRect();
  drawn.dispatchEvent(new PointerEvent(type, { clientX: area.left + x, clientY: area.top + 30, pointerType: "mouse",
    bubbles: true }));
};
figure.scrollIntoView();
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Report, and the recording of its first timeline."""
    results = tmp_path_factory.mktemp("study")
    design = write_study(results)
    write_report(design, results, output=results / "report.html")
    run = report_data(design, results)
    recordings = detected_recordings(run, primary_points(run.metrics["events"]))
    first = next(one for one in recordings if one.item.seizures or one.detections)
    return results / "report.html", first


def ticks_of(start, end):
    """Names and positions of the ticks that the drawing would have for a span."""
    found = re.findall(r'<text x="([\d.]+)"[^>]*>([^<]*)<', "".join(TimeAxis(start, end).ticks(0)))
    return [name for _, name in found], [float(x) for x, _ in found[1:]]


def span_of(stated):
    """Seconds that the figure states."""
    low, high = re.fullmatch(r"([\d.]+) s to ([\d.]+) s", stated).groups()
    return float(low), float(high)


def test_a_part_is_enlarged_by_dragging_and_escape_restores_the_whole(browser, study, tmp_path):
    page, recording = study
    width = WIDTH - LEFT - RIGHT
    script = READ + (
        "const before = read();"
        f'pointer("pointerdown", {LEFT + width / 4}); pointer("pointermove", {LEFT + width / 2});'
        "const brush = figure.querySelector('.brush').getBoundingClientRect().width;"
        f'pointer("pointerup", {LEFT + width / 2}); const after = read(); press("Escape");'
        "return { before, after, last: read(), brush, brushes: figure.querySelectorAll('.brush').length };"
    )
    found = run_script(browser, tmp_path, page, script, SIZE)
    start, end = recording.seconds / 4, recording.seconds / 2
    assert found["brush"] == pytest.approx(width / 4, abs=1) and found["brushes"] == 0
    assert span_of(found["after"]["stated"]) == pytest.approx((start, end), abs=0.5)
    names, places = ticks_of(*span_of(found["after"]["stated"]))
    assert found["after"]["ticks"] == names and found["after"]["places"] == pytest.approx(places, abs=1)
    axis = TimeAxis(start, end)
    inside = [pair for pair in recording.item.seizures if start < pair[0] and pair[1] < end]
    for low, high in inside:
        assert any(box == pytest.approx([axis.x(low), axis.x(high)], abs=1.5) for box in found["after"]["shapes"]), (
            found["after"]["shapes"]
        )
    assert inside and found["last"]["shapes"] == found["before"]["shapes"]
    assert found["last"]["ticks"] == found["before"]["ticks"] and found["last"]["stated"] == ""


def test_keys_and_buttons_move_the_part(browser, study, tmp_path):
    page, recording = study
    script = READ + (
        "figure.focus(); const states = [];"
        'for (const key of ["+", "ArrowRight", "ArrowLeft", "ArrowLeft", "-"]) { press(key); states.push(read()); }'
        "for (const text of ['Zoom in', 'Zoom in', 'Zoom in', 'Zoom in', 'Later', 'Zoom out', 'Whole recording']) {"
        " button(text).click(); states.push(read()); }"
        "return states;"
    )
    states = run_script(browser, tmp_path, page, script, SIZE)
    total = recording.seconds
    assert 100 < total < 160
    spans = [(0, total) if not state["stated"] else span_of(state["stated"]) for state in states]
    quarters = [(1, 3), (2, 4), (1, 3), (0, 2), (0, 4), (1, 3), (1.5, 2.5), (1.75, 2.25)]
    middle = total / 2
    expected = [(low * total / 4, high * total / 4) for low, high in quarters]
    expected += [(middle - 5, middle + 5), (middle, middle + 10), (middle - 5, middle + 15), (0, total)]
    for span, wanted in zip(spans, expected, strict=True):
        assert span == pytest.approx(wanted, abs=0.06)
    assert states[1]["disabled"] == ["Later"] and states[3]["disabled"] == ["Earlier"]
    assert states[8]["disabled"] == ["Zoom in"]
    assert states[-1]["disabled"] == ["Zoom out", "Earlier", "Later", "Whole recording"]
