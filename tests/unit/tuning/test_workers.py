"""Several workers of one Optuna study: no trial is lost or run twice if workers are killed."""

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
from eegwf.jobs import select_best
from eegwf.progress import log_to_stderr
from eegwf.storage.files import read_json
from eegwf.storage.locks import try_lock
from eegwf.training.concurrency import Concurrency
from eegwf.tuning import search
from eegwf.tuning.budget import succeeded
from eegwf.tuning.journal import JOURNAL, open_study
from tests.helpers.study import select_best_settings, tune_config, write_study
from tests.helpers.tuning import run_study, run_worker

TRIALS = 12
# A forked process imports nothing: a kill during imports would test nothing.
FORK = multiprocessing.get_context("fork")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def config():
    config = tune_config()
    config["tuning"] |= {"n_trials": TRIALS, "pruner": "none", "max_killed_workers": None}
    config["training"] |= {"epochs": 6, "patience": 6}
    return config


@pytest.fixture(params=[1, 3], ids=["one trial at once", "three trials at once"])
def at_once(request, monkeypatch):
    """Number of trials that each worker runs at once, as on a GPU."""
    monkeypatch.setattr(search, "Concurrency", lambda device, _limit: Concurrency(device, request.param))
    return request.param


def work(*arguments, **options):
    """Run a worker with the logging of the scripts."""
    log_to_stderr()
    run_worker(*arguments, **options)


def start(study, folder, config, numbers):
    """Start a worker process for each number, which logs to standard error."""
    processes = [FORK.Process(target=work, args=(study, folder, config), kwargs={"worker": n}) for n in numbers]
    for process in processes:
        process.start()
    return processes


def check(folder: Path) -> None:
    """Check that the trials are as many as the budget allows, without gaps, each finished once after all epochs."""
    state = folder / "state" / read_json(folder / "worker1.json")["state"]
    trials = open_study(state, "vit_mel_3class_fold1").get_trials()
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert all(trial.state.is_finished() for trial in trials)
    counted = [trial for trial in trials if succeeded(trial)]
    assert len(counted) == TRIALS
    assert all(trial.user_attrs["epochs"] == 6 and len(trial.intermediate_values) == 6 for trial in counted)
    assert all((trial.user_attrs["device"], trial.user_attrs["precision"]) == ("cpu", "float32") for trial in counted)
    assert len({json.dumps(trial.params) for trial in counted}) == TRIALS
    n_finished = Counter()
    for line in (state / JOURNAL).read_text().splitlines():
        record = json.loads(line)
        if TrialState(record.get("state", 0)).is_finished() and "values" in record:
            n_finished[record["trial_id"]] += 1
    assert set(n_finished.values()) == {1}
    assert not list(state.glob("trial*")), "locks or checkpoints of trials were not removed"


def test_four_workers_share_the_budget(study, tmp_path, config, at_once):
    workers = start(study, tmp_path, config, (1, 2, 3, 4))
    for process in workers:
        process.join(60)
    assert [process.exitcode for process in workers] == [0] * 4
    check(tmp_path)
    # The output files of the workers are equal.
    assert len({(tmp_path / f"worker{number}.json").read_bytes() for number in (1, 2, 3, 4)}) == 1


def kill_two(workers, rng: random.Random, longest: float) -> bool:
    """Kill two workers other than the first at random instants; return False if one of them had already finished."""
    n_killed = 0
    for victim in rng.sample(workers[1:], 2):
        victim.join(rng.uniform(0.05, longest))
        if victim.is_alive():
            os.kill(victim.pid, signal.SIGKILL)
            n_killed += 1
    for worker in workers:
        worker.join(60)
    return n_killed == 2


@pytest.mark.kill
@pytest.mark.parametrize("round", range(10))
def test_other_workers_finish_a_study_after_two_are_killed(study, tmp_path, config, round, at_once):
    rng, longest, folder = random.Random(round), 1.2, tmp_path
    while not kill_two(workers := start(study, folder, config, (1, 2, 3, 4)), rng, longest):
        # The study was finished before the kills: try again with a new study and shorter delays.
        longest, folder = longest / 2, folder / "again"
        folder.mkdir()
    assert workers[0].exitcode == 0
    # A worker that is started again adopts a trial that was left after the other workers had finished.
    for process in start(study, folder, config, (2,)):
        process.join(60)
        assert process.exitcode == 0
    check(folder)


@pytest.mark.kill
def test_trial_of_a_killed_worker_is_resumed_to_the_same_value(study, tmp_path, config):
    config["tuning"] |= {"n_trials": 2}
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    folder.mkdir()
    expected = run_study(study, whole, config)
    (first,) = start(study, folder, config, (1,))
    first.join(0.25)
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    (second,) = start(study, folder, config, (2,))  # another worker, as on another node
    second.join(60)
    assert run_study(study, folder, config) == expected


@pytest.mark.kill
def test_stale_files_of_a_killed_worker_are_removed(study, tmp_path, config):
    config["tuning"] |= {"n_trials": 2}
    run_study(study, tmp_path, config)
    state = tmp_path / "state" / read_json(tmp_path / "worker1.json")["state"]
    for name in ("trial1.lock", "trial1.inner1.safetensors"):
        (state / name).touch()
    run_worker(study, tmp_path, config, worker=2)
    assert not list(state.glob("trial*"))


def hold_lock(lock, ready):
    """Hold a lock until the process is killed, as an earlier process of a worker."""
    assert try_lock(lock) is not None
    ready.set()
    signal.pause()


def test_second_process_of_a_worker_waits(study, tmp_path, config, capfd):
    config["tuning"] |= {"n_trials": 2}
    run_study(study, tmp_path, config)
    lock = tmp_path / "state" / read_json(tmp_path / "worker1.json")["state"] / "worker1.lock"
    earlier = FORK.Process(target=hold_lock, args=(lock, ready := FORK.Event()))
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


def test_unfinished_different_or_missing_study_raises_input_error(study, tmp_path, config):
    run_study(study, tmp_path, config)
    settings = select_best_settings(config)
    larger = select_best_settings({**config, "tuning": {**config["tuning"], "n_trials": TRIALS + 4}})
    files = {name: tmp_path / f"other_{name}" for name in ("trials", "best", "timing")}
    with pytest.raises(InputError, match="is not finished"):
        select_best.run(larger, [tmp_path / "worker1.json"], tmp_path / "state", **files)
    (tmp_path / "other").mkdir()
    run_study(study, tmp_path / "other", config, code="other")
    both = [tmp_path / "worker1.json", tmp_path / "other" / "worker1.json"]
    with pytest.raises(InputError, match="different studies"):
        select_best.run(settings, both, tmp_path / "state", **files)
    with pytest.raises(InputError, match="is missing"):
        select_best.run(settings, both[1:], tmp_path / "state", **files)
