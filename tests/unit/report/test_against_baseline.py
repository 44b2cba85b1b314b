"""Comparison with the classical baseline in the report of a combination."""

import shutil

import pytest

from eegwf.config.stages.report import ReportSettings
from eegwf.dag.stages import STAGES
from eegwf.jobs import report
from tests.helpers.report_page import text_of
from tests.helpers.report_study import changed, write_study

NAME = "bandpower_mel_2class"


@pytest.mark.slow
def test_a_report_shows_the_comparison_with_the_baseline(tmp_path):
    study = write_study(tmp_path)
    shutil.copytree(tmp_path / "vit_mel_2class", tmp_path / NAME)

    def page(study, baseline):
        output = tmp_path / "vit_mel_2class" / "report.html"
        report.run(ReportSettings(study=study), tmp_path, "vit", "mel", "2class", list(STAGES), output, baseline)
        return text_of(output.read_text(encoding="utf-8"))

    with_baseline = page(study, NAME)
    assert f"Classical baseline. Balanced accuracy minus that of {NAME} on the same windows: +0.000" in with_baseline
    assert "Classical baseline." not in page(study, "")
    # The difference of two controls with shuffled labels has no meaning.
    assert "Classical baseline." not in page(changed(study, {"permute_labels": True}), NAME)
