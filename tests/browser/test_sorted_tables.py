"""Tables that a script sorts and filters, under the content security policy of the page."""

import pytest

from eegwf.report.page import environment
from eegwf.report.tables import Table
from tests.helpers.browser import console, dump, run_script
from tests.helpers.report_page import write_report
from tests.helpers.report_study import write_study

TEMPLATE = (
    '{% set script_names = ["sort_tables"] %}{% extends "base.html" %}{% from "parts.html" import show_table %}'
    "{% block main %}{{ show_table(table) }}{% endblock %}"
)
ROWS = [
    ["b", "1,200", ("0.9", "0.8 to 0.95"), "10 %"],
    ["a", "30", ("undefined", ""), "9 %"],
    ["d", "\N{MINUS SIGN}4", ("0.25", "0.1 to 1"), ""],
    ["c", "500", ("1e-3", ""), "100 %"],
]
# The order of the rows after clicks on the header of each column, in turn.
CLICK = """
const table = document.querySelector("table.sortable");
const names = () => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent).join("");
const headers = [...table.tHead.rows[0].cells];
const found = {};
headers.forEach((header) => {
  const button = header.querySelector("button");
  button.focus();
  const orders = [1, 2].map(() => { button.click(); return names() + " " + header.getAttribute("aria-sort"); });
  found[header.textContent] = [...orders, headers.filter((item) => item.hasAttribute("aria-sort")).length,
    document.activeElement === button];
});
return found;
"""
FILTER = """
const field = document.querySelector("label.filter input");
const table = document.querySelector("table.sortable");
return ["", "1,200", "0.", "zzz", "C 500"].map((text) => {
  field.value = text;
  field.dispatchEvent(new Event("input"));
  const shown = [...table.tBodies[0].rows].filter((row) => row.getBoundingClientRect().height);
  return shown.map((row) => row.cells[0].textContent).join("") + " " + field.parentNode.querySelector("output").value;
});
"""


@pytest.fixture
def page(tmp_path):
    """Page with a sortable table."""
    table = Table("Rows", ["name", "count", "score", "share"], ROWS, sortable=True, filter_label="Show rows with")
    text = environment().from_string(TEMPLATE).render(title="a", kind="b", sentence="c", style="", table=table)
    (tmp_path / "page.html").write_text(text)
    return tmp_path / "page.html"


def test_columns_are_sorted_by_their_numbers_and_missing_values_are_last(browser, page, tmp_path):
    assert run_script(browser, tmp_path, page, CLICK) == {
        "name": ["abcd ascending", "dcba descending", 1, True],
        "count": ["dacb ascending", "bcad descending", 1, True],
        "score": ["cdba ascending", "bdca descending", 1, True],
        "share": ["abcd ascending", "cbad descending", 1, True],
    }


def test_filter_shows_the_rows_that_contain_all_words(browser, page, tmp_path):
    assert run_script(browser, tmp_path, page, FILTER) == [
        "badc ", "b 1 of 4 rows", "bd 2 of 4 rows", " 0 of 4 rows", "c 1 of 4 rows"
    ]  # fmt: skip


def test_table_is_as_written_where_the_script_is_not_allowed(browser, page, tmp_path):
    changed = tmp_path / "changed.html"
    changed.write_text(page.read_text().replace('"use strict";', '"use strict"; '))
    dom, log, _ = dump(browser, tmp_path, changed)
    assert "Content Security Policy" in " ".join(console(log))
    assert "<button" not in dom and "<input" not in dom


def test_patients_of_a_report_are_sorted(browser, tmp_path):
    write_report(write_study(tmp_path), tmp_path, output=tmp_path / "report.html")
    script = """
    const table = [...document.querySelectorAll("table.sortable")].find(
      (item) => item.caption.textContent.startsWith("Scores by patient"));
    table.closest("details").open = true;
    const column = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === "accuracy");
    table.tHead.rows[0].cells[column].querySelector("button").click();
    return [...table.tBodies[0].rows].map((row) => row.cells[column].textContent);
    """
    values = run_script(browser, tmp_path, tmp_path / "report.html", script)
    assert len(values) == 9 and values == sorted(values, key=float) and len(set(values)) > 3
