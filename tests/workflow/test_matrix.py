"""Every model on every input: planned whole, and a spread of it run."""

import re
from pathlib import Path

import pandas as pd
import pytest

MATRIX = Path(__file__).resolve().parents[2] / "config" / "matrix.yaml"
DEEP = ("lstm", "transformer", "vit", "swin", "transcnn", "inception", "sharedcnn", "eegnet", "convnext")
CLASSICAL = ("bandpower", "boosting", "riemann")
IMAGES = ("mel", "cwt", "stft", "concat")
CLASSES = ("2class", "3class")
# One of each kind: frames, fitted models, the time series, stacked inputs, a backbone by a config line; and an
# autocorrelation, which the matrix leaves out.
SPREAD = (
    "lstm_mel_2class",
    "bandpower_concat_3class",
    "boosting_mel_3class",
    "riemann_raw_2class",
    "eegnet_raw_3class",
    "convnext_stft_2class",
    "vit_acf_2class",
)


@pytest.mark.parametrize("n_folds", [5, 10])
def test_the_whole_matrix_is_planned(snakemake, tmp_path, n_folds):
    planned = snakemake(tmp_path, "-n", "--config", f"folds={n_folds}", configs=(MATRIX,)).stdout
    rows = [(model, one) for model in (*DEEP, "bandpower", "boosting") for one in IMAGES]
    rows += [(model, "raw") for model in ("eegnet", *CLASSICAL)]
    expected = {f"{model}_{one}_{classes}" for model, one in rows for classes in CLASSES}
    assert {"_".join(found) for found in re.findall(r"Report (\w+) on (\w+), (\w+)", planned)} == expected
    for rule in ("tune", "select_best"):
        assert f"\n{rule} {len(expected) * n_folds}\n" in re.sub(" +", " ", planned)


@pytest.fixture(scope="module")
def spread(snakemake, tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    targets = [f"results/matrix/{name}/report.html" for name in SPREAD]
    # Reports of a class set need all its classical combinations in the matrix, here a single one.
    matrix = "matrix={models: [bandpower], spectrograms: [concat], classes: [3class]}"
    snakemake(folder, "--cores", "2", *targets, "--config", matrix, configs=(MATRIX,))
    return folder / "results/matrix"


@pytest.mark.parametrize("name", SPREAD)
def test_a_spread_of_it_runs(spread, name):
    table = pd.read_csv(spread / name / "predictions.tsv", sep="\t", keep_default_na=False)
    windows = pd.read_csv(spread / "data/windows.tsv", sep="\t", keep_default_na=False)
    assert sorted(table.loc[table["member"] == "rank1", "window"]) == sorted(windows["window"])
    page = (spread / name / "report.html").read_text()
    assert name.replace("_", " · ") in page
    assert ("is not trained by gradient descent" in page) == name.startswith(CLASSICAL)
    assert ("Samples of the largest relevance: none" in page) == name.startswith("boosting")
    trials = pd.read_csv(spread / name / "fold1/tune/trials.tsv", sep="\t")
    assert ("param_timm" in trials) == name.startswith("convnext")
