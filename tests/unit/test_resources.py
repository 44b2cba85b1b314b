"""What jobs ask for: a GPU only where they may use one, and more memory and time at every attempt, up to a cap."""

import re
from types import SimpleNamespace

import pytest

from eegwf.flow import read_flow
from eegwf.resources import NEEDS

JOB = SimpleNamespace(model="vit", spectrogram="mel", classes="2class", fold="1")
KEYS = {"gpu", "cpus_per_task", "mem_mb", "runtime"}


@pytest.fixture
def asks_of(root):
    return lambda **settings: read_flow(root / "config/config.yaml", [], settings).asks


@pytest.mark.parametrize("rule", ["search", "retrain", "explain"])
def test_a_gpu_is_asked_for_where_a_network_may_use_one(asks_of, rule):
    assert asks_of().of(rule)["gpu"](JOB) == 1
    assert asks_of(device="cpu", spectrograms={"device": "cuda"}).of(rule)["gpu"](JOB) == 0
    assert asks_of().of(rule)["gpu"](SimpleNamespace(model="bandpower")) == 0


def test_spectrograms_have_a_device_of_their_own(asks_of):
    assert asks_of(device="cuda").of("spectrogram")["gpu"] == 0
    assert asks_of(device="cpu", spectrograms={"device": "auto"}).of("spectrogram")["gpu"] == 1


def test_no_other_rule_asks_for_a_gpu(asks_of):
    asks = asks_of(device="cuda", spectrograms={"device": "cuda"})
    others = set(NEEDS) - {"search", "retrain", "explain", "spectrogram"}
    assert others and all(asks.of(rule)["gpu"] == 0 for rule in others)


def test_memory_doubles_and_time_grows_with_the_attempt_up_to_the_cap(asks_of):
    asks = asks_of(cluster={"max_mem_mb": 20_000, "max_minutes": 900}).of("search")
    assert [asks["mem_mb"](JOB, attempt) for attempt in (1, 2, 3)] == [6_000, 12_000, 20_000]
    assert [asks["runtime"](JOB, attempt) for attempt in (1, 2, 3)] == [480, 900, 900]


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
    from eegwf.slices import slice_of

    one, other = (
        read_flow(root / "config/config.yaml", [], {"cluster": {"max_minutes": minutes}}).study for minutes in (60, 90)
    )
    assert one.cluster != other.cluster
    for stage in ("search", "retrain", "explain", "evaluate", "report"):
        assert slice_of(one, stage, JOB) == slice_of(other, stage, JOB)
