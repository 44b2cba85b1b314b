"""Marks for the report of Snakemake: each has a caption and is used by a rule."""

import re

import pytest

from eegwf.config.paths import Combination
from eegwf.dag.report_marks import MARKS, report_mark


def test_each_mark_has_a_caption_and_a_rule(root):
    captions = {path.stem for path in (root / "workflow/report").glob("*.rst")}
    rules = "".join(path.read_text() for path in (root / "rules").glob("*.smk"))
    used = re.findall(r'report_mark\("(\w+)"\)', rules)
    assert sorted(used) == sorted(MARKS) and captions == {*MARKS, "workflow"}


@pytest.mark.parametrize("name", MARKS)
def test_arguments_of_a_mark(root, name):
    arguments = report_mark(name)
    assert (root / "rules" / arguments["caption"]).is_file()
    wildcards = Combination("vit", "mel", "2class")._asdict() | {"external": "siena"}
    labels = [text.format(**wildcards) for text in arguments["labels"].values()]
    assert arguments["category"] and labels and all(re.fullmatch(r"[a-z0-9 -]+", text) for text in labels)


def test_files_of_a_category_have_the_labels_in_one_order():
    """Snakemake shows the labels of a category as the columns of a table."""
    for category in {category for category, _, _ in MARKS.values()}:
        assert len({tuple(labels) for one, _, labels in MARKS.values() if one == category}) == 1
