"""Report of an external test: its numbers are those of the files, and the page refers to nothing else."""

import re
from dataclasses import replace

import pytest

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.stages.external import ExternalReportSettings
from eegwf.jobs import external_report
from eegwf.report.external import limits
from eegwf.report.external_data import collect_external
from eegwf.report.external_tables import data_table, leakage_table, mapping_table, patient_table, score_table
from eegwf.report.formats import difference, score
from eegwf.report.summary_external import external_columns, external_matrix
from eegwf.storage.files import read_json
from tests.helpers.external_study import NAME, write_external
from tests.helpers.report_page import text_of, write_report
from tests.helpers.report_study import changed, write_study

RUN = Combination("vit", "mel", "2class")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Configuration, results folder, metrics and content of the report of an external test."""
    results = tmp_path_factory.mktemp("external") / "results"
    study = write_study(results)
    metrics = write_external(results, study)
    report = collect_external(ResultPaths(results), NAME, RUN, study.classes["2class"])
    return study, results, metrics, report


@pytest.fixture(scope="module")
def page(written):
    study, results, _, _ = written
    external_report.run(ExternalReportSettings(classes=study.classes["2class"]), results, NAME, RUN.name)
    return ResultPaths(results).run(RUN).external(NAME).report.read_text(encoding="utf-8")


def test_scores_are_side_by_side_with_their_difference(written):
    _, _, metrics, report = written
    table = score_table(report)
    assert table.columns == ["score", "internal", "external", "difference", "final models"]
    rows = {str(row[0]): row[1:] for row in table.rows}
    for kind, title in (("balanced_accuracy", "balanced accuracy"), ("auroc", "AUROC")):
        shown = [cell[0] for cell in rows[title]]
        parts = [metrics["internal"], metrics["mean_of_folds"], metrics["members"]["final"]]
        internal, external, final = (score(part[kind]["value"]) for part in parts)
        assert shown == [internal, external, difference(metrics["difference"][kind]["value"]), final]
    assert "false alarms in 24 h" in rows and "event sensitivity" in rows


def test_page_stands_alone_and_describes_its_figures(page):
    links = re.findall(r"""(?:src|href|action|data)\s*=\s*["'](?!#|data:)([^"']+)""", page)
    assert links == ["../../report.html"]
    figures = re.findall(r'<svg role="img" aria-label="([^"]+)"', page)
    assert len(figures) == 4 and all(len(text) > 60 for text in figures)
    assert "Internal and external scores with 95 % confidence intervals. balanced accuracy: internal 0." in figures[0]
    axes = [re.sub(r"<[^>]*>", " ", svg) for svg in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)]
    assert all(
        any(word in text for text in axes) for word in ("score", "difference of scores", "probability of seizure")
    )


def test_page_says_what_was_tested_and_its_limits(page, written):
    _, _, metrics, _ = written
    text = text_of(page)
    assert "Nothing was chosen on it." in text and "6 patients, 6 recordings" in text
    value = score(metrics["mean_of_folds"]["balanced_accuracy"]["value"])
    assert f"The balanced accuracy is {value}" in text
    assert re.search(r"\d+ windows of artifact have no class and are left out", text)
    assert "The share of windows that are not background is" in text


def test_intervals_that_few_patients_prevent_are_not_called_uncertain(written):
    _, _, metrics, report = written
    per_class = metrics["members"]["final"]["per_class"]
    sizes = {"background": 4, "seizure": 2}
    changed_sizes = {name: per_class[name] | {"n_patients": n} for name, n in sizes.items()}
    members = metrics["members"] | {"final": metrics["members"]["final"] | {"per_class": changed_sizes}}
    found = limits(replace(report, metrics=metrics | {"members": members}))
    assert found[0] == (
        "Fewer than 5 external patients have windows of background (4) and seizure (2): intervals of scores that "
        "depend on them are uncertain, and with fewer than 3 there are none."
    )


def test_tables_of_the_data(written):
    _, _, _, report = written
    mapping = {row[0]: row[1] for row in mapping_table(report).rows}
    assert mapping == {"bckg": "background", "sz": "seizure", "artifact": "none, left out"}
    rows = {row[0]: row[1:] for row in data_table(report).rows}
    assert rows["recorded sampling rate (Hz)"] == ["256", "512"]
    assert rows["sampling rate of the windows (Hz)"] == ["256", "256"]
    assert rows["patients with windows"] == ["9", "6"]
    assert "limit 0.5" in str(leakage_table(report).rows[1])
    # Ids that both data sets have are told apart.
    assert all(str(row[0]).startswith(f"{NAME}: sub-") for row in patient_table(report).rows)


def test_three_classes(tmp_path):
    study = write_study(tmp_path, "3class")
    write_external(tmp_path, study, "3class")
    external_report.run(ExternalReportSettings(classes=study.classes["3class"]), tmp_path, NAME, "vit_mel_3class")
    page = (tmp_path / f"vit_mel_3class/external/{NAME}/report.html").read_text()
    assert all(f"Reliability diagram, {name}" in page for name in ("background", "focal", "generalized"))


def test_summary_has_a_matrix_and_columns(written):
    _, results, metrics, _ = written
    internal = read_json(results / RUN.name / "metrics.json")
    table = external_matrix("results", {RUN.name: {NAME: metrics}}, {RUN.name: internal}, {RUN.name: "vit · mel"})
    assert table is not None and table.rows[0][0] == "results: vit · mel"
    cells = dict(zip(table.columns[1:], table.rows[0][1:], strict=True))
    assert list(cells) == [f"{kind}, {part}" for kind in ("balanced accuracy", "AUROC")
                           for part in ("results (internal)", NAME)]  # fmt: skip
    assert cells[f"AUROC, {NAME}"][0] == score(metrics["mean_of_folds"]["auroc"]["value"])
    columns = external_columns({NAME: metrics})
    assert columns[f"{NAME}_auroc_difference_low"] == metrics["difference"]["auroc"]["low"]
    assert external_matrix("results", {RUN.name: {}}, {}, {}) is None


def test_report_of_the_study_links_its_external_tests(written, tmp_path):
    study, results, _, _ = written
    sets = {NAME: {"configfile": "a.yaml"}, "third": {"configfile": "b.yaml", "classes": ["3class"]}}
    page, _ = write_report(changed(study, {"external": sets}), results, output=tmp_path / "report.html")
    assert re.findall(r'href="(external/[^"]+)"', page) == [f"external/{NAME}/report.html"]
