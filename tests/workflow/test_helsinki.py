"""The real recordings of Helsinki, with their configuration file and little work, run to reports of both class sets."""

import pytest
import yaml

from eegwf.storage.files import read_json
from tests.helpers.opened_report import check_report
from tests.helpers.running import ROOT

EVENT_TYPES = ["bckg", "sz", "disputed"]
LITTLE_WORK = {
    "folds": 3,
    "models": {"sharedcnn": {"search": {"filters": {"choices": [4]}}}},
    "training": {"epochs": 1},
    "tuning": {"n_trials": 1, "n_startup_trials": 1, "inner_folds": 1},
    "retrain": {"n_best": 1},
    "evaluation": {"n_bootstrap": 100},
    # Without classical models there is no baseline to compute.
    "matrix": {"models": ["sharedcnn"], "spectrograms": ["acf"]},
}


@pytest.fixture(scope="module")
def helsinki(snakemake, data_root, tmp_path_factory):
    """Results folder of the study."""
    folder = tmp_path_factory.mktemp("helsinki")
    config = {
        **LITTLE_WORK,
        "dataset": {"kind": "bids", "root": str(data_root / "helsinki"), "event_types": EVENT_TYPES},
    }
    (folder / "little.yaml").write_text(yaml.safe_dump(config))
    configs = [ROOT / "config/datasets/helsinki.yaml", folder / "little.yaml"]
    targets = [f"results/helsinki/sharedcnn_acf_{classes}/report.html" for classes in ("2class", "3class")]
    snakemake(folder, "--cores", "2", *targets, configs=configs)
    return folder / "results/helsinki"


@pytest.mark.parametrize(("classes", "n_patients"), [("2class", 56), ("3class", 62)])
def test_all_patients_with_labels_are_tested(helsinki, classes, n_patients):
    metrics = read_json(helsinki / f"sharedcnn_acf_{classes}/metrics.json")
    assert metrics["n_patients"] == n_patients


@pytest.mark.browser
@pytest.mark.parametrize("classes", ["2class", "3class"])
def test_report_is_readable_in_a_browser(browser, helsinki, tmp_path, classes):
    page = helsinki / f"sharedcnn_acf_{classes}/report.html"
    assert "Published scores" in page.read_text()
    check_report(browser, tmp_path, page)
