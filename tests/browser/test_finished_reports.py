"""Reports of finished studies in a browser: those that `EEGWF_REPORTS` names, separated by colons.

Tests have no access to the results of the checkout, so that a report is copied first, for example:
cp results/vit_mel_3class/report.html /tmp; EEGWF_REPORTS=/tmp/report.html pytest tests/browser/test_finished_reports.py
"""

import os
from pathlib import Path

import pytest

from tests.helpers.browser import run_script
from tests.helpers.opened_report import CONTRAST, check_report, opening_times

PAGES = [Path(path).resolve() for path in os.environ.get("EEGWF_REPORTS", "").split(":") if path]


@pytest.mark.parametrize("page", PAGES or [pytest.param(None, marks=pytest.mark.skip("EEGWF_REPORTS names no report"))])
def test_report_opens_quickly_and_is_readable(browser, page, tmp_path):
    times = opening_times(browser, tmp_path, page)
    print(f"{page}: {page.stat().st_size / 1e6:.1f} MB, {times}")
    assert times["painted"] < 1000
    check_report(browser, tmp_path, page)


def test_faint_text_is_found(browser, tmp_path):
    page = tmp_path / "page.html"
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'none'"
    page.write_text(
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><body style="background: #fff">'
        '<p style="color: #777">faint</p><p style="color: #767676">dark enough</p>'
        '<p style="color: rgb(0 0 0 / 50%)">half</p><h1 style="color: #949494; font-size: 24px">large</h1>'
        '<details><div style="background: #000"><i style="color: #555">folded</i></div></details>'
        '<svg><text y="9" style="fill: #888">drawn</text></svg></body>'
    )
    found = run_script(browser, tmp_path, page, CONTRAST)
    assert found["counted"] == 6
    assert [text.rpartition("<")[0].rpartition(">")[2] for _, text in found["low"]] == [
        "faint",
        "half",
        "folded",
        "drawn",
    ]
