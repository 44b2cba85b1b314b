"""The slider of the threshold, under the content security policy of the page."""

import pytest

from eegwf.report.formats import number, score
from tests.helpers.browser import dump, run_script
from tests.helpers.report_page import report_data, write_report
from tests.helpers.report_study import write_study
from tests.helpers.thresholds import scores_at

READ = """
const panel = document.getElementById("threshold-panel");
const slider = document.getElementById("threshold-slider");
const cells = (name, columns) => [...document.querySelectorAll(`#threshold-${name} tbody tr`)].map(
  (row) => columns.map((column) => row.cells[column].textContent));
const dots = () => [...document.querySelectorAll("#threshold-patients circle")].map((dot) => dot.getAttribute("cx"));
const read = () => ({
  threshold: document.getElementById("threshold-value").value, scores: cells("scores", [1]).flat(),
  result: cells("scores", [2]).flat(), windows: cells("windows", [1, 2]), dots: dots().join(),
  titles: [...document.querySelectorAll("#threshold-patients title")].map((title) => title.textContent),
  event: document.querySelector("#threshold-events circle").getAttribute("cx"),
  diamonds: [...panel.querySelectorAll("path.chosen")].map((item) => item.getAttribute("d")).join(),
  label: document.querySelector("#threshold-patients svg").getAttribute("aria-label"),
  spoken: slider.getAttribute("aria-valuetext"), choice: document.getElementById("threshold-choice").value,
});
const move = (value) => {
  slider.value = value;
  slider.dispatchEvent(new Event("input"));
  return read();
};
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Folder of a report, and its content."""
    results = tmp_path_factory.mktemp("study")
    study = write_study(results)
    write_report(study, results, output=results / "report.html")
    return results, report_data(study, results)


def test_outputs_follow_the_slider(browser, study, tmp_path):
    results, run = study
    script = READ + "return [0, 20, 45, 70, Number(slider.max)].map(move);"
    states = run_script(browser, tmp_path, results / "report.html", script)
    for state in states:
        found = scores_at(run, float(state["threshold"]))
        recall, specificity = found["tp"] / (found["tp"] + found["fn"]), found["tn"] / (found["tn"] + found["fp"])
        events = [score(found["sensitivity"]), number(found["false_alarms_per_hour"])]
        assert state["scores"] == [score(recall), score(specificity), *events]
        assert state["windows"] == [[str(found["tp"]), str(found["fn"])], [str(found["fp"]), str(found["tn"])]]
        assert state["label"].startswith(f"At the threshold {state['threshold']}: sensitivity of 8 patients from ")
        assert state["spoken"].startswith(f"{state['threshold']}, {score(recall)}") and len(state["titles"]) == 8 + 9
    # The result stays where it is.
    for name in ("result", "diamonds"):
        assert len({str(state[name]) for state in states}) == 1
    assert len({state["dots"] for state in states}) == 5 and len({state["event"] for state in states}) > 1


def test_choosing_an_operating_point_moves_the_slider(browser, study, tmp_path):
    script = (
        READ
        + """
    const choice = document.getElementById("threshold-choice");
    const options = [...choice.options].slice(1);
    const first = read();
    const states = options.map((option) => {
      choice.value = option.value;
      choice.dispatchEvent(new Event("change"));
      return [option.textContent, read().threshold, slider.value === option.value, choice.value === option.value];
    });
    return [first.choice !== "", states, move(0).choice, panel.hidden, panel.getBoundingClientRect().height > 200];
    """
    )
    started, states, away, hidden, shown = run_script(browser, tmp_path, study[0] / "report.html", script)
    assert started and away == "" and not hidden and shown and len(states) == 3
    for text, threshold, moved, kept in states:
        assert text.endswith(f": {threshold}") and moved and kept


def test_panel_is_hidden_where_no_script_runs(browser, study, tmp_path):
    page = tmp_path / "page.html"
    page.write_text((study[0] / "report.html").read_text().replace('"use strict";', '"use strict"; '))
    dom, _, _ = dump(browser, tmp_path, page)
    assert (
        '<div id="threshold-panel" class="panel" hidden="">' in dom and "<circle" not in dom.split("threshold-data")[0]
    )
