"""Several workers on one study: no trial is lost, none is run twice, whoever dies."""

import json
import multiprocessing
import os
import random
import signal
from collections import Counter
from pathlib import Path

import pytest
from optuna.trial import TrialState

from eegwf.errors import InputError
from eegwf.jobs.select_best import tune_fold
from eegwf.storage.files import read_json
from eegwf.storage.locks import try_lock
from eegwf.tuning.budget import ended_well
from eegwf.tuning.journal import JOURNAL, open_study
from tests.helpers.study import tune_config, write_study
from tests.helpers.tuning import tune, work

TRIALS = 12
FORK = multiprocessing.get_context("fork")  # no seconds of imports, in which there is nothing to lose


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def config():
    config = tune_config()
    config["tuning"] |= {"trials": TRIALS, "pruning": "none"}
    config["training"] |= {"epochs": 6, "patience": 6}
    return config


def start(study, folder, config, numbers):
    """Start a worker process of each number."""
    processes = [FORK.Process(target=work, args=(study, folder, config), kwargs={"worker": n}) for n in numbers]
    for process in processes:
        process.start()
    return processes


def check(folder: Path) -> None:
    """As many trials as the budget has, numbered without a gap, each ended once and trained to its end."""
    state = folder / "state" / read_json(folder / "worker1.json")["state"]
    trials = open_study(state, "vit_mel_3class_fold1").get_trials()
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert all(trial.state.is_finished() for trial in trials)
    counted = [trial for trial in trials if ended_well(trial)]
    assert len(counted) == TRIALS
    assert all(trial.user_attrs["epochs"] == 6 and len(trial.intermediate_values) == 6 for trial in counted)
    assert len({json.dumps(trial.params) for trial in counted}) == TRIALS
    ends = Counter()
    for line in (state / JOURNAL).read_text().splitlines():
        record = json.loads(line)
        if TrialState(record.get("state", 0)).is_finished() and "values" in record:
            ends[record["trial_id"]] += 1
    assert set(ends.values()) == {1}
    assert not list(state.glob("trial*")), "a lock or a checkpoint of a trial was left"


def test_four_workers_share_the_trials_of_one(study, tmp_path, config):
    workers = start(study, tmp_path, config, (1, 2, 3, 4))
    for process in workers:
        process.join(60)
    assert [process.exitcode for process in workers] == [0] * 4
    check(tmp_path)
    # All wrote the same file, so that the workers' outputs differ in nothing.
    assert len({(tmp_path / f"worker{number}.json").read_bytes() for number in (1, 2, 3, 4)}) == 1


def kill_two(workers, rng: random.Random, longest: float) -> bool:
    """Kill two of the workers other than the first at random instants; false if one had ended before."""
    killed = 0
    for victim in rng.sample(workers[1:], 2):
        victim.join(rng.uniform(0.05, longest))
        if victim.is_alive():
            os.kill(victim.pid, signal.SIGKILL)
            killed += 1
    for worker in workers:
        worker.join(60)
    return killed == 2


@pytest.mark.parametrize("round", range(10))
def test_two_of_four_workers_are_killed_and_the_others_end_the_study(study, tmp_path, config, round):
    rng, longest, folder = random.Random(round), 1.2, tmp_path
    while not kill_two(workers := start(study, folder, config, (1, 2, 3, 4)), rng, longest):
        # It came to its end before: begin anew, and sooner.
        longest, folder = longest / 2, folder / "again"
        folder.mkdir()
    assert workers[0].exitcode == 0
    # A trial whose worker died when nobody was left to look for it is found by the worker that is started again.
    for process in start(study, folder, config, (2,)):
        process.join(60)
        assert process.exitcode == 0
    check(folder)


def test_a_dead_workers_trial_goes_on_under_its_number_to_the_same_value(study, tmp_path, config):
    config["tuning"] |= {"trials": 2}
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    folder.mkdir()
    wanted = tune(study, whole, config)
    (first,) = start(study, folder, config, (1,))
    first.join(0.25)
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    (second,) = start(study, folder, config, (2,))  # another worker, as on another node
    second.join(60)
    assert tune(study, folder, config) == wanted


def test_what_a_worker_left_that_died_behind_the_end_of_its_trial_is_removed(study, tmp_path, config):
    config["tuning"] |= {"trials": 2}
    tune(study, tmp_path, config)
    state = tmp_path / "state" / read_json(tmp_path / "worker1.json")["state"]
    for name in ("trial1.lock", "trial1.inner1.safetensors"):
        (state / name).touch()
    work(study, tmp_path, config, worker=2)
    assert not list(state.glob("trial*"))


def hold(lock, ready):
    """An earlier process of a worker that goes on and on."""
    assert try_lock(lock) is not None
    ready.set()
    signal.pause()


def test_a_second_process_of_a_worker_waits(study, tmp_path, config, capfd):
    config["tuning"] |= {"trials": 2}
    tune(study, tmp_path, config)
    lock = tmp_path / "state" / read_json(tmp_path / "worker1.json")["state"] / "worker1.lock"
    earlier = FORK.Process(target=hold, args=(lock, ready := FORK.Event()))
    earlier.start()
    ready.wait()
    (second,) = start(study, tmp_path, config, (1,))
    (third,) = start(study, tmp_path, config, (3,))
    third.join(60)
    assert third.exitcode == 0 and second.is_alive()
    earlier.kill()
    second.join(60)
    assert second.exitcode == 0
    assert "another job works on the same; waiting for it" in capfd.readouterr().err


def test_an_unfinished_or_foreign_study_is_not_gathered(study, tmp_path, config):
    tune(study, tmp_path, config)
    more = {**config, "tuning": {**config["tuning"], "trials": TRIALS + 4}}
    files = {name: str(tmp_path / f"other_{name}") for name in ("trials", "best", "timing")}
    with pytest.raises(InputError, match="is not finished"):
        tune_fold(more, [str(tmp_path / "worker1.json")], str(tmp_path / "state"), **files)
    (tmp_path / "other").mkdir()
    tune(study, tmp_path / "other", config, code="other")
    both = [str(tmp_path / "worker1.json"), str(tmp_path / "other" / "worker1.json")]
    with pytest.raises(InputError, match="different studies"):
        tune_fold(config, both, str(tmp_path / "state"), **files)
    with pytest.raises(InputError, match="no longer there"):
        tune_fold(config, both[1:], str(tmp_path / "state"), **files)
