"""Report in a browser: no requests, no errors, and readable on a narrow screen."""

from itertools import pairwise

import pytest

from tests.helpers.browser import console, dump
from tests.helpers.measured_page import lightness, measured, requested, scheme, without_policy
from tests.helpers.report_page import write_report
from tests.helpers.report_study import write_study


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Path of a report."""
    results = tmp_path_factory.mktemp("study")
    study = write_study(results, patients=["a-patient-with-a-name-as-long-as-a-whole-sentence-in-a-register", "b", "c"])
    output = results / "report.html"
    write_report(study, results, output=output)
    return output


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


@pytest.mark.parametrize("dark", [False, True])
def test_figures_have_the_colors_of_the_page(browser, page, tmp_path, dark):
    values = measured(browser, tmp_path, page, 1200, scheme(dark))
    assert (lightness(values["paper"]) < 0.2) == dark
    assert values["tick"] == values["ink"]
    assert abs(lightness(values["ink"]) - lightness(values["paper"])) > 0.7
    assert values["scroll"] <= 1200
