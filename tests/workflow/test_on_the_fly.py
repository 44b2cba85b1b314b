"""Spectrograms that are computed when windows are read give the results of stored ones, without their arrays."""

import pytest

from eegwf.storage.files import read_json, write_json
from tests.helpers.running import TINY, contents

RUN = "results/vit_mel_3class"


@pytest.fixture(scope="module")
def computed(snakemake, tmp_path_factory):
    folder = tmp_path_factory.mktemp("on_the_fly")
    write_json(folder / "on_the_fly.json", {"spectrograms": {"on_the_fly": True}})
    configs = (TINY, folder / "on_the_fly.json")
    snakemake(folder, "--cores", "2", f"{RUN}/report.html", "results/split_by_window_3class.json", configs=configs)
    return folder


def test_no_array_is_written_and_all_results_have_the_same_bytes(finished, computed):
    assert (finished / "results/spectrograms/mel.npy").is_file()
    assert not (computed / "results/spectrograms").exists()
    # The pointers of the Optuna studies name state folders, whose names depend on the settings.
    one, two = (
        {name: digest for name, digest in contents(folder / RUN).items() if not name.startswith("studies/")}
        for folder in (finished, computed)
    )
    assert {"predictions.tsv", "metrics.json", "fold1/retrain/rank1/model.safetensors"} <= set(one)
    assert one == two


def test_the_baseline_is_that_of_stored_spectrograms(snakemake, finished, computed):
    snakemake(finished, "--cores", "2", "results/split_by_window_3class.json")
    name = "results/split_by_window_3class.json"
    assert read_json(finished / name) == read_json(computed / name)
