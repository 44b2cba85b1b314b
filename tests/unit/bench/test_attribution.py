"""Tables of attribution methods by evidence: values, order, columns, and the command."""

import subprocess
import sys

import pandas as pd
import pytest

from bench.attribution import evidence_lines, read_combination
from eegwf.attribution.evidence_summary import patient_values
from eegwf.config.fold_paths import FoldPaths
from eegwf.config.paths import RunPaths
from eegwf.storage.files import read_table, write_table
from tests.helpers.report_study import write_study

NAME = "vit_mel_2class"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_study(folder)
    return folder


def cells(text: str) -> pd.DataFrame:
    """The Markdown table of a text, by method."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    width = len(lines[0])
    return pd.DataFrame([line for line in lines[2:] if len(line) == width], columns=lines[0]).set_index("method")


def test_values_are_means_over_patients_and_controls_come_last(results):
    found = read_combination(results / NAME)
    table = cells(evidence_lines(found))
    assert list(table.index[-2:]) == ["random map", "energy of the input"]
    assert set(table["verdict"].iloc[-2:]) == {"control"} and "control" not in set(table["verdict"].iloc[:-2])
    values = patient_values(found.evidence, found.about["classes"][0])
    for method, title in found.about["titles"].items():
        one = values[values["method"] == method].groupby("measure")["value"].mean()
        for measure, column in (("deletion", "deletion"), ("cascade_3", "weights randomized")):  # the last of 3 stages
            assert table.loc[title, column] == (f"{one[measure]:.2f}" if measure in one else "")


def test_seconds_are_those_of_all_folds(results):
    run = RunPaths(results / NAME)
    tables = [read_table(FoldPaths(path).attribution.timing) for path in sorted(run.folder.glob("fold*"))]
    rows = pd.concat(tables).query("method == 'occlusion'")
    expected = rows["seconds"].sum() / rows["n_windows"].sum()
    shown = cells(evidence_lines(read_combination(run.folder)))["s per window"]
    assert float(shown["occlusion"]) == pytest.approx(expected, rel=0.05)


def test_a_measure_that_was_not_made_has_no_column(results, tmp_path):
    folder = tmp_path / NAME
    for fold in ("fold1", "fold2"):
        source, copy = FoldPaths(results / NAME / fold).attribution, FoldPaths(folder / fold).attribution
        evidence = read_table(source.evidence)
        write_table(copy.evidence, evidence[~evidence["measure"].str.startswith(("auroc", "deletion_"))])
        copy.description.write_text(source.description.read_text())
    header = list(cells(evidence_lines(read_combination(folder))).columns)
    assert header[:3] == ["verdict", "deletion", "insertion"] and "weights randomized" in header
    assert not [title for title in header if title.startswith(("AUROC", "signal", "s per"))]


def test_command_prints_what_is_there_and_names_what_is_missing(results, root, tmp_path):
    def call(*arguments):
        command = [sys.executable, "-m", "bench.attribution", *map(str, arguments)]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    done = call(results, "--intervals")
    assert done.returncode == 0 and done.stdout.startswith(f"### {NAME}\n") and " to " in done.stdout
    assert call(results, NAME).stdout == call(results).stdout
    missing = call(tmp_path, "vit_cwt_2class")
    assert missing.returncode == 1
    assert missing.stderr.startswith(f"error: {tmp_path}: no file vit_cwt_2class/fold*/explain/evidence.tsv;")
