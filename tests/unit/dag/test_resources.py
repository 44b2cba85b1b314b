"""What jobs ask for: a GPU only where they may use one, and more memory and time at every attempt, up to a cap."""

import math
import re

import pytest
from snakemake.iocontainers import Wildcards

from eegwf.dag.flow import read_flow
from eegwf.dag.resources import NEEDS, minutes
from eegwf.plan.forecast import Forecast

VALUES = {"model": "vit", "spectrogram": "mel", "classes": "2class", "fold": "1"}
JOB = Wildcards(fromdict=VALUES)
BANDPOWER = Wildcards(fromdict={**VALUES, "model": "bandpower"})
KEYS = {"gpu", "cpus_per_task", "mem_mb", "runtime"}


@pytest.fixture
def asks_of(root):
    return lambda **settings: read_flow(root / "config/config.yaml", [], settings).asks


@pytest.mark.parametrize("rule", ["search", "retrain", "explain"])
def test_a_gpu_is_asked_for_where_a_network_may_use_one(asks_of, rule):
    assert asks_of().of(rule)["gpu"](JOB) == 1
    assert asks_of(device="cpu", spectrograms={"device": "cuda"}).of(rule)["gpu"](JOB) == 0
    assert asks_of().of(rule)["gpu"](BANDPOWER) == 0


def test_spectrograms_have_a_device_of_their_own(asks_of):
    assert asks_of(device="cuda").of("spectrogram")["gpu"](JOB) == 0
    assert asks_of(device="cpu", spectrograms={"device": "auto"}).of("spectrogram")["gpu"](JOB) == 1


def test_no_other_rule_asks_for_a_gpu(asks_of):
    asks = asks_of(device="cuda", spectrograms={"device": "cuda"})
    others = set(NEEDS) - {"search", "retrain", "explain", "spectrogram"}
    assert others and all(asks.of(rule)["gpu"](JOB) == 0 for rule in others)


def test_memory_doubles_and_time_grows_with_the_attempt_up_to_the_cap(asks_of):
    asks = asks_of(cluster={"max_mem_mb": 20_000, "max_minutes": 900}).of("search")
    assert [asks["mem_mb"](JOB, attempt) for attempt in (1, 2, 3)] == [6_000, 12_000, 20_000]
    assert [asks["runtime"](JOB, attempt) for attempt in (1, 2, 3)] == [480, 900, 900]


def test_time_follows_what_was_measured_here_and_before_that_is_never_less_than_the_table():
    need = NEEDS["search"]
    assert minutes(need, None, measured=False) == minutes(need, 60, measured=False) == need.minutes == 480
    assert minutes(need, 100 * 3600, measured=False) == 18_000  # of another machine, but long
    assert minutes(need, 61 * 60, measured=True) == 183
    assert minutes(need, 10, measured=True) == 20


def test_a_large_study_asks_for_thrice_its_prediction(root, tmp_path):
    settings = {"dataset": {"kind": "synthetic", "minutes": 600}, "results": str(tmp_path), "tuning": {"trials": 20}}
    flow = read_flow(root / "config/config.yaml", [], settings)
    predicted = Forecast(flow.study, tmp_path).seconds("search", VALUES)
    asked = flow.asks.of("search")["runtime"](JOB, 1)
    assert asked == min(math.ceil(3 * predicted / 60), 1440) > 480


def test_a_cluster_that_wants_gres_is_asked_by_gres_alone(asks_of):
    asks = asks_of(cluster={"gres": "gpu:a100:1"})
    training, other = asks.of("search"), asks.of("evaluate")
    assert "gpu" not in training and training["gres"](JOB) == "gpu:a100:1" and training["gres_gpus"](JOB) == 1
    assert other["gres"](JOB) == "" and other["gres_gpus"](JOB) == 0
    assert training["gres"](BANDPOWER) == "" and training["gres_gpus"](BANDPOWER) == 0


def test_a_training_asks_for_its_threads(asks_of):
    assert asks_of(threads=3).of("retrain")["cpus_per_task"] == 3
    assert asks_of(threads=3).of("evaluate")["cpus_per_task"] == 1


def test_every_rule_asks_by_its_own_name(root, asks_of):
    found = {}
    for path in (root / "rules").glob("*.smk"):
        for rule, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", path.read_text(), flags=re.MULTILINE):
            found[rule] = re.findall(r"^        (.*asks.*)$", body, flags=re.MULTILINE)
    assert found == {rule: [f'**flow.asks.of("{rule}"),'] for rule in NEEDS}
    assert all(set(asks_of().of(rule)) == KEYS for rule in NEEDS)


def test_what_a_cluster_allows_repeats_no_job(root):
    from eegwf.dag.stage_config import slice_of

    one, other = (
        read_flow(root / "config/config.yaml", [], {"cluster": {"max_minutes": minutes}}).study for minutes in (60, 90)
    )
    assert one.cluster != other.cluster
    for stage in ("search", "retrain", "explain", "evaluate", "report"):
        assert slice_of(one, stage, JOB) == slice_of(other, stage, JOB)
