"""The tiny study starts from the final models of another one: checks of its patients, and a report that names it."""

import json
import shutil

import numpy as np
import pytest
import yaml

from tests.helpers.running import TINY, contents

RUN = "vit_mel_3class"
DATASET = {"kind": "synthetic", "n_focal": 3, "n_generalized": 3, "n_both": 0, "n_none": 1, "minutes": 1.0}


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory, snakemake):
    """Folder in which the source has run, with the configurations of other studies."""
    folder = tmp_path_factory.mktemp("fine_tuning") / "study"
    shutil.copytree(finished, folder)
    other = {"results": "fine", "dataset": DATASET | {"seizures": 2, "seed": 8}}
    init = {"init": f"results/{RUN}"}
    configs = {
        "same": {"results": "same", "training": init | {"init_same_ids": "different_persons"}},
        "ids": other | {"training": init},
        "fine": other | {"training": init | {"init_same_ids": "different_persons", "frozen_fraction": 0.5}},
    }
    for name, config in configs.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    snakemake(folder, "--cores", "2", f"results/{RUN}/final/models.json")
    return folder


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ids", "patient sub-01 of this study has the id of sub-01 of the training patients"),
        ("same", "patient sub-01 of this study is one of the training patients of results/vit_mel_3class: "),
    ],
)
@pytest.mark.slow
def test_a_shared_patient_stops_the_run_before_any_training(folder, snakemake, name, message):
    configs = (TINY, folder / f"{name}.yaml")
    results = yaml.safe_load((folder / f"{name}.yaml").read_text())["results"]
    done = snakemake(folder, "--cores", "2", f"{results}/{RUN}/report.html", configs=configs, check=False)
    assert done.returncode and f"error: training.init: {message}" in done.stdout
    assert not list((folder / results).glob(f"{RUN}/*")) and not list((folder / results).glob("init/*"))


@pytest.mark.slow
def test_a_study_is_fine_tuned_to_its_report_and_repeated_only_for_another_source(folder, snakemake):
    configs, target = (TINY, folder / "fine.yaml"), f"fine/{RUN}/report.html"
    snakemake(folder, "--cores", "2", target, f"fine/{RUN}/final/models.json", configs=configs)
    source = folder / f"results/{RUN}/final/model1"
    record = json.loads((folder / "fine/init/source.json").read_text())
    assert (folder / "fine/init/model.safetensors").read_bytes() == (source / "model.safetensors").read_bytes()
    assert (
        record["run"] == RUN and record["n_patients"] == 7 and [check["leaks"] for check in record["checks"]] == [0] * 4
    )
    for model in (folder / f"fine/{RUN}").glob("fold*/retrain/rank*/model.json"):
        assert json.loads(model.read_text())["init"]["source"] == RUN
    final = json.loads((folder / f"fine/{RUN}/final/model1/model.json").read_text())
    assert final["init"]["sha256"] == record["sha256"]
    finals = [folder / f"{name}/{RUN}/final/fingerprints.npy" for name in ("results", "fine")]
    theirs, ours = (set(np.load(path).tolist()) for path in finals)
    assert theirs < ours, "the weights have seen the patients of both studies"
    page = (folder / target).read_text()
    assert f"final model 1 of {RUN}, trained on 7 patients; output layer kept" in page
    assert "similar recordings in the other data set" in page
    before = contents(folder / "fine")
    assert "Nothing to be done" in snakemake(folder, "--cores", "2", target, configs=configs).stdout
    # A source that is only written anew repeats the check; the training is resumed to the same bytes.
    weights = source / "model.safetensors"
    weights.write_bytes(weights.read_bytes())
    assert "initialize" in snakemake(folder, "--cores", "2", target, configs=configs).stdout
    assert contents(folder / "fine") == before
