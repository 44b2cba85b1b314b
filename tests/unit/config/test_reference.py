"""The page of the configuration is that of its definition, and says something of every key."""

import re
import subprocess
import sys

import pytest
import yaml

from eegwf.config.data import ArrayFiles, Bids, Files, FoldArrays, Synthetic
from eegwf.config.load import load_study
from eegwf.config.reference import PAGE, all_sections, meaning, render
from eegwf.config.section import Section
from eegwf.config.study import Study
from eegwf.config.tuning import Choices, Range


def test_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == render(), "run python -m eegwf.config.reference"


def test_all_sections_are_found():
    assert {Study, Synthetic, Bids, Files, FoldArrays, ArrayFiles, Range, Choices} <= set(all_sections())


@pytest.mark.parametrize("section", all_sections(), ids=lambda section: section.__name__)
def test_every_key_is_explained(section: type[Section]):
    assert section.__doc__ and section.__doc__ != Section.__doc__
    page = render()
    for name, field in section.model_fields.items():
        text = meaning(field)
        assert re.fullmatch(r"\S.+\.", text) and "\n" not in text, f"{section.__name__}.{name}: {text!r}"
        assert re.search(rf"^\| `{name}` \| .+ \| .+ \| {re.escape(text)}( Tunable\.)? \|$", page, re.MULTILINE)


def test_tables_are_whole():
    for line in render().splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 5, line


def test_own_data_example_is_a_study(root, tmp_path):
    example = re.search(r"```yaml\n(.*?)```", render(), re.DOTALL)[1]
    (tmp_path / "my_data.yaml").write_text(example)
    study = load_study(root / "config" / "config.yaml", [tmp_path / "my_data.yaml"])
    assert study.results == yaml.safe_load(example)["results"] and study.dataset.kind == "bids"


def test_command_writes_and_compares(tmp_path):
    command = [sys.executable, "-m", "eegwf.config.reference", "--output", str(tmp_path / "config.md")]
    stale = subprocess.run([*command, "--check"], capture_output=True, text=True)
    assert stale.returncode == 1 and stale.stderr.startswith("error: ") and "not up to date" in stale.stderr
    assert subprocess.run(command).returncode == 0
    assert (tmp_path / "config.md").read_text(encoding="utf-8") == render()
    assert subprocess.run([*command, "--check"]).returncode == 0
