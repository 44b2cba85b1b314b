"""Scripts of a page: allowed by their digest alone, and complete in the file."""

import base64
import hashlib
import json
import re

import pytest

from eegwf.report.page import environment
from eegwf.report.scripts import FOLDER, data_block, inline_scripts
from tests.helpers.report_page import write_report
from tests.helpers.report_study import write_study

RUN = re.compile(r"<script>(.*?)</script>", flags=re.DOTALL)


def policy_of(page):
    """Directives of the content security policy of a page, by name."""
    content = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    return {part.split()[0]: part.split()[1:] for part in content.split(";")}


def digests(page):
    """Sources that allow the scripts which a browser finds in a page."""
    return [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in RUN.findall(page)
    ]


def test_policy_allows_the_scripts_of_a_report_and_no_others(tmp_path):
    page, _ = write_report(write_study(tmp_path), tmp_path)
    policy = policy_of(page)
    assert policy["script-src"] == digests(page) != []
    assert policy["default-src"] == ["'none'"] and policy["img-src"] == ["data:"]
    assert set(policy) == {"default-src", "img-src", "style-src", "script-src"}
    # No other way to run a script, and none to load one.
    assert re.findall(r"<script (?!type=\"application/json\" id=)[^>]*>", page) == []
    assert re.findall(r"<[^>]*\s(?:on[a-z]+=|src=|href=[\"']?javascript:)", re.sub(r'src="data:[^"]*"', "", page)) == []


def test_policy_allows_no_script_where_none_is_used():
    assert inline_scripts([]) == ("", "'none'")
    source = '{% extends "base.html" %}'
    page = environment().from_string(source).render(title="a", kind="b", sentence="c", style="")
    assert policy_of(page)["script-src"] == ["'none'"] and "<script" not in page


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.js")), ids=lambda path: path.stem)
def test_script_can_be_inserted_into_a_page(path):
    text = path.read_text()
    # These end a script, or change how a browser reads it; carriage returns change its digest.
    assert not re.search(r"</script|<script|<!--|\r", text, flags=re.IGNORECASE)
    assert '"use strict"' in text and not re.search(r"https?:|import\s|fetch\(|eval\(|innerHTML", text)
    markup, sources = inline_scripts([path.stem, path.stem])
    assert RUN.findall(markup) == [text] and sources.split() == digests(markup)


def test_data_cannot_end_its_element():
    value = {"patient": "</script><script>alert(1)</script><!--", "p": [0.1, None]}
    block = data_block("a-name", value)
    found = re.fullmatch(r'<script type="application/json" id="a-name">([^<]*)</script>', block)
    assert found and json.loads(found[1]) == value
    with pytest.raises(ValueError, match="JSON"):
        data_block("a-name", float("nan"))
