"""What jobs ask for: a GPU only where they may use one, and more memory and time at every attempt, up to a cap."""

import math
import re

import pytest
from snakemake.iocontainers import Wildcards

from eegwf.dag.flow_reading import read_flow
from eegwf.dag.resources import minutes
from eegwf.dag.stages import STAGES
from eegwf.plan.forecast import Forecast

VALUES = {"model": "vit", "spectrogram": "mel", "classes": "2class", "fold": "1"}
JOB = Wildcards(fromdict=VALUES)
BANDPOWER = Wildcards(fromdict={**VALUES, "model": "bandpower"})
KEYS = {"gpu", "cpus_per_task", "mem_mb", "runtime"}


@pytest.fixture
def requests_of(root, tmp_path):
    """Resources of the rules of a study without finished runs."""

    def requests(**settings):
        return read_flow(root / "config/config.yaml", [], {"results": str(tmp_path), **settings}).resources_for

    return requests


@pytest.mark.parametrize("rule", ["tune", "retrain", "finalize", "explain", "external_predict"])
def test_a_gpu_is_asked_for_where_a_network_may_use_one(requests_of, rule):
    assert requests_of()(rule)["gpu"](JOB) == 1
    assert requests_of(device="cpu", spectrograms={"device": "cuda"})(rule)["gpu"](JOB) == 0
    assert requests_of()(rule)["gpu"](BANDPOWER) == 0


def test_spectrograms_have_a_device_of_their_own(requests_of):
    assert requests_of(device="cuda")("spectrogram")["gpu"](JOB) == 0
    assert requests_of(device="cpu", spectrograms={"device": "auto"})("spectrogram")["gpu"](JOB) == 1


def test_no_other_rule_asks_for_a_gpu(requests_of):
    requests = requests_of(device="cuda", spectrograms={"device": "cuda"})
    using = {"tune", "retrain", "finalize", "explain", "spectrogram", "external_predict", "external_spectrogram"}
    others = set(STAGES) - using
    assert others and all(requests(rule)["gpu"](JOB) == 0 for rule in others)


def test_memory_doubles_and_time_grows_with_the_attempt_up_to_the_cap(requests_of):
    requests = requests_of(cluster={"max_mem_mb": 20_000, "max_minutes": 900})("tune")
    assert [requests["mem_mb"](JOB, attempt) for attempt in (1, 2, 3)] == [6_000, 12_000, 20_000]
    assert [requests["runtime"](JOB, attempt) for attempt in (1, 2, 3)] == [480, 900, 900]


def test_time_follows_what_was_measured_here_and_before_that_is_never_less_than_the_table():
    need = STAGES["tune"].resources
    assert minutes(need, None, measured=False) == minutes(need, 60, measured=False) == need.minutes == 480
    assert minutes(need, 100 * 3600, measured=False) == 18_000  # of another machine, but long
    assert minutes(need, 61 * 60, measured=True) == 183
    assert minutes(need, 10, measured=True) == 20


def test_a_large_study_asks_for_thrice_its_prediction(root, tmp_path):
    settings = {"dataset": {"kind": "synthetic", "minutes": 600}, "results": str(tmp_path), "tuning": {"n_trials": 20}}
    settings["windows"] = {"length": 5, "step": 5}
    flow = read_flow(root / "config/config.yaml", [], settings)
    predicted = Forecast(flow.study, tmp_path, STAGES).seconds("tune", VALUES)
    asked = flow.resources_for("tune")["runtime"](JOB, 1)
    assert asked == min(math.ceil(3 * predicted / 60), 1440) > 480


def test_a_cluster_that_wants_gres_is_asked_by_gres_alone(requests_of):
    requests = requests_of(cluster={"gres": "gpu:a100:1"})
    training, other = requests("tune"), requests("evaluate")
    assert "gpu" not in training and training["gres"](JOB) == "gpu:a100:1" and training["gres_gpus"](JOB) == 1
    assert other["gres"](JOB) == "" and other["gres_gpus"](JOB) == 0
    assert training["gres"](BANDPOWER) == "" and training["gres_gpus"](BANDPOWER) == 0


def test_a_training_asks_for_its_threads(requests_of):
    assert requests_of(threads=3)("retrain")["cpus_per_task"] == 3
    assert requests_of(threads=3)("evaluate")["cpus_per_task"] == 1


def test_every_rule_asks_by_its_own_name(root, requests_of):
    found = {}
    for path in (root / "rules").glob("*.smk"):
        for rule, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", path.read_text(), flags=re.MULTILINE):
            found[rule] = re.findall(r"^        (.*resources_for.*)$", body, flags=re.MULTILINE)
    assert found == {rule: [f'**flow.resources_for("{rule}"),'] for rule in STAGES}
    assert all(set(requests_of()(rule)) == KEYS for rule in STAGES)
