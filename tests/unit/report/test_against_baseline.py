"""Comparison with the classical baseline in the report of a combination."""

import shutil

import pytest

from eegwf.config.paths import Combination
from eegwf.config.stages.report import ReportSettings
from eegwf.dag.stages import STAGES
from eegwf.evaluation.baseline_choice import choose_baseline
from eegwf.jobs import report
from eegwf.storage.files import write_json
from tests.helpers.report_page import text_of
from tests.helpers.report_study import changed, write_study

NAMES = ["bandpower_mel_2class", "bandpower_cwt_2class"]


@pytest.mark.slow
def test_a_report_shows_the_comparison_with_the_baseline(tmp_path):
    study = write_study(tmp_path)
    for name in NAMES:
        shutil.copytree(tmp_path / "vit_mel_2class", tmp_path / name)
    choice = tmp_path / "baseline_2class.json"
    write_json(choice, choose_baseline({NAMES[0]: [0.6, 0.64], NAMES[1]: [0.7, 0.72]}))

    def page(study, baseline, combination="vit_mel_2class"):
        output = tmp_path / combination / "report.html"
        names = Combination.parse(combination)
        report.run(ReportSettings(study=study), tmp_path, *names, list(STAGES), output, baseline)
        return text_of(output.read_text(encoding="utf-8"))

    chosen = (
        f"{NAMES[1]} has the highest balanced accuracy on the validation windows (mean of the outer folds) of 2 "
        f"classical combinations: {NAMES[0]} 0.620 and {NAMES[1]} 0.710."
    )
    compared = f"Balanced accuracy minus that of {NAMES[1]} on the same windows: +0.000"
    for combination in ("vit_mel_2class", NAMES[0]):
        assert f"Classical baseline. {chosen} {compared}" in page(study, choice, combination)
    of_itself = page(study, choice, NAMES[1])
    first = "The other combinations of the class set are compared with this one."
    assert f"Classical baseline. {first} {chosen}" in of_itself and "Balanced accuracy minus" not in of_itself
    write_json(choice, choose_baseline({NAMES[0]: [0.6, 0.64]}))
    alone = (
        f"Classical baseline. {NAMES[0]} is the only classical combination of the class set. Balanced accuracy minus"
    )
    assert alone in page(study, choice)
    assert "Classical baseline." not in page(study, None)
    # The difference of two controls with shuffled labels has no meaning.
    assert "Classical baseline." not in page(changed(study, {"permute_labels": True}), choice)
