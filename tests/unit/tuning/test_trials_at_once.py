"""Several trials at once in one worker: values as one after the other, lack of memory, and the measured number."""

import multiprocessing
import os
import signal

import pytest
import torch
from optuna.trial import TrialState

from eegwf.data.splits import load_window_set
from eegwf.storage.files import read_json, read_table, write_json
from eegwf.training.concurrency import Concurrency
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Diverged
from eegwf.tuning import search, trial, trials_at_once
from eegwf.tuning.budget import TrialBudget
from eegwf.tuning.claims import claim_trial
from eegwf.tuning.journal import open_study
from eegwf.tuning.task import TuningTask
from tests.helpers.study import tune_config, tune_settings, write_study
from tests.helpers.tuning import run_study

N_TRIALS = 7


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def config():
    config = tune_config()
    # The parameters of a random search don't depend on the trials that have ended.
    config["tuning"] |= {"n_trials": N_TRIALS, "pruner": "none", "sampler": "random"}
    return config


def trials_of(study, folder, config):
    folder.mkdir(exist_ok=True)
    run_study(study, folder, config)
    return read_table(folder / "trials.tsv", text=("reason",))


def test_trials_at_once_have_the_values_that_they_have_one_after_the_other(study, tmp_path, config, monkeypatch):
    config["tuning"]["inner_folds"] = 2
    expected = trials_of(study, tmp_path / "one", config)
    monkeypatch.setattr(search, "Concurrency", lambda device, _limit: Concurrency(device, 3))
    assert trials_of(study, tmp_path / "three", config).equals(expected)
    assert len(expected) == N_TRIALS and expected["value"].nunique() > 1
    seconds = [read_table(tmp_path / name / "timing.tsv")["seconds"].sum() for name in ("one", "three")]
    assert seconds[1] < 2 * seconds[0], "the time of trials that run at once is divided among them"


def test_trial_that_lacks_memory_beside_others_is_run_again(study, tmp_path, config, monkeypatch):
    expected = trials_of(study, tmp_path / "one", config)
    started, train, running = [], trial.training_turns, {}

    def concurrency(device, _limit):
        running["trials"] = Concurrency(device, 3)
        return running["trials"]

    def fail_as_third(*arguments, **options):
        started.append(running["trials"].n_running)
        if started[-1] == 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return train(*arguments, **options)

    monkeypatch.setattr(search, "Concurrency", concurrency)
    monkeypatch.setattr(trial, "training_turns", fail_as_third)
    assert trials_of(study, tmp_path / "three", config).equals(expected)
    assert started.count(3) == 1 and len(started) == N_TRIALS + 1
    assert running["trials"].limit == 2


def test_trial_that_lacks_memory_alone_fails(study, tmp_path, config, monkeypatch):
    train, started, workers = trial.training_turns, [], []

    def concurrency(device, _limit):
        workers.append(Concurrency(device, 3))
        return workers[0]

    def fail_if_large(model, dataset, split, parameters, *arguments, **options):
        large = parameters["dropout"] > 0.22
        started.append((large, workers[0].n_running))
        if large:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return train(model, dataset, split, parameters, *arguments, **options)

    monkeypatch.setattr(search, "Concurrency", concurrency)
    monkeypatch.setattr(trial, "training_turns", fail_if_large)
    trials = trials_of(study, tmp_path, config)
    large = trials["param_dropout"] > 0.22
    assert large.any() and (trials["state"] == large.map({True: "fail", False: "complete"})).all()
    failed_beside = [n_running for is_large, n_running in started if is_large]
    assert failed_beside.count(1) == large.sum() and max(failed_beside) > 1
    assert workers[0].limit == 3, "the limit is restored"


def kill_when_three_run(arguments, n_epochs):
    """Run a study in this process, which ends by SIGKILL in an epoch of the third trial."""
    train = trial.training_turns

    def counted(*positional, **options):
        epochs = options["on_epoch"]

        def on_epoch(history):
            epochs(history)
            n_epochs.append(1)
            if len(n_epochs) == 5:
                os.kill(os.getpid(), signal.SIGKILL)

        return train(*positional, **options | {"on_epoch": on_epoch})

    trial.training_turns = counted
    run_study(*arguments)


def test_trials_of_a_killed_worker_are_resumed_one_at_a_time(study, tmp_path, config, monkeypatch):
    expected = trials_of(study, tmp_path / "one", config)
    monkeypatch.setattr(search, "Concurrency", lambda device, _limit: Concurrency(device, 3))
    folder = tmp_path / "killed"
    folder.mkdir()
    worker = multiprocessing.get_context("fork").Process(target=kill_when_three_run, args=((study, folder, config), []))
    worker.start()
    worker.join(60)
    assert worker.exitcode == -signal.SIGKILL
    running, started, train = {}, [], trial.training_turns

    def concurrency(device, _limit):
        running["trials"] = Concurrency(device, 3)
        return running["trials"]

    def note(*arguments, **options):
        started.append(running["trials"].n_running)
        return train(*arguments, **options)

    monkeypatch.setattr(search, "Concurrency", concurrency)
    monkeypatch.setattr(trial, "training_turns", note)
    assert trials_of(study, folder, config).equals(expected)
    assert started[:3] == [1, 1, 1] and max(started) == 3


def task_of(study, config, device="cuda"):
    settings = tune_settings(config)
    window_set = load_window_set(study / "windows.tsv", study / "folds.tsv", settings.classes)
    return TuningTask(
        name="vit_mel_3class_fold1",
        model="vit",
        space=settings.space,
        dataset=SpectrogramDataset([study / "mel.npy"]),
        window_set=window_set.excluding_fold(1),
        test_fold=1,
        training=settings.training,
        tuning=settings.tuning,
        budget=TrialBudget(settings.n_best, settings.tuning),
        seed=3,
        device=device,
    )


def test_number_is_configured_measured_or_one_on_the_cpu(study, tmp_path, config, monkeypatch):
    config["tuning"]["trials_per_gpu"] = 4
    assert trials_at_once.trials_at_once(task_of(study, config), tmp_path) == 4
    assert trials_at_once.trials_at_once(task_of(study, config, "cpu"), tmp_path) == 1
    config["tuning"]["trials_per_gpu"] = "auto"
    monkeypatch.setattr(trials_at_once, "device_name", lambda device: "a GPU")
    write_json(tmp_path / trials_at_once.FILE, {"another GPU": 2, "a GPU": 8})
    assert trials_at_once.trials_at_once(task_of(study, config), tmp_path) == 8


def test_number_is_measured_once_with_the_parameters_of_the_first_trial(study, tmp_path, config, monkeypatch):
    config["training"] |= {"epochs": 3, "patience": 3}
    task, trained, train = task_of(study, config, "cpu"), [], trials_at_once.training_turns

    def note(*arguments, **options):
        trained.append(arguments[3])
        return train(*arguments, **options)

    monkeypatch.setattr(trials_at_once, "training_turns", note)
    number = trials_at_once.measured_number(task, tmp_path)
    assert number in trials_at_once.CANDIDATES and len(trained) >= 3
    assert all(parameters == trained[0] for parameters in trained)
    assert set(trained[0]) == {*config["space"]["fixed"], *config["space"]["search"]}
    assert read_json(tmp_path / trials_at_once.FILE) == {"cpu": number}
    n_trained = len(trained)
    assert trials_at_once.measured_number(task, tmp_path) == number and len(trained) == n_trained


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([100, 190, 300, 310, 320], 4),
        ([100, 104], 1),
        ([100, 200, 400, 800, 1600], 16),
        ([100, 150, torch.OutOfMemoryError("CUDA out of memory")], 2),
        ([100, 90], 1),
    ],
)
def test_number_grows_while_the_throughput_does(rates, expected):
    measured = dict(zip(trials_at_once.CANDIDATES, rates, strict=False))

    def throughput_of(number):
        if isinstance(measured[number], Exception):
            raise measured[number]
        return measured[number]

    assert list(trials_at_once.good_numbers(throughput_of))[-1] == expected


def test_a_measurement_that_fails_by_its_parameters_ends_with_the_last_good_number():
    """It must not end the study: the first trial fails by itself, and is replaced."""
    for error in (ValueError("no multiple"), Diverged("nan"), torch.OutOfMemoryError("CUDA out of memory")):

        def fail(number, error=error):
            raise error

        assert list(trials_at_once.good_numbers(fail)) == []
    with pytest.raises(RuntimeError, match="device-side"):
        list(trials_at_once.good_numbers(lambda number: (_ for _ in ()).throw(RuntimeError("device-side assert"))))


def test_study_whose_first_parameters_are_invalid_is_run_one_trial_at_once(study, tmp_path, config):
    config["space"]["search"]["heads"] = {"choices": [3]}
    del config["space"]["fixed"]["heads"]
    assert trials_at_once.measured_number(task_of(study, config, "cpu"), tmp_path) == 1
    assert not (tmp_path / trials_at_once.FILE).exists()


@pytest.mark.parametrize("content", ["[1]", '{"cpu": 0}', '{"cpu": "many"}', "{", '{"cpu": 3}'])
def test_invalid_files_of_the_number_are_measured_again(study, tmp_path, config, content):
    (tmp_path / trials_at_once.FILE).write_text(content)
    number = trials_at_once.measured_number(task_of(study, config, "cpu"), tmp_path)
    assert read_json(tmp_path / trials_at_once.FILE) == {"cpu": number} and number in trials_at_once.CANDIDATES


def test_trial_of_a_killed_worker_waits_until_no_other_trial_runs(study, tmp_path, config, monkeypatch):
    """A trial that ended the worker of another process is claimed while others run, and starts after them."""
    folder = tmp_path / "state"
    folder.mkdir()
    task = task_of(study, config, "cpu")
    journal = open_study(folder, task.name)
    claim = claim_trial(journal, task, folder)
    started, train, workers, claimed = [], trial.training_turns, [], []

    def concurrency(device, _limit):
        workers.append(Concurrency(device, 3))
        return workers[0]

    def note(*arguments, **options):
        started.append(workers[0].n_running)
        if len(started) == 2:  # the worker of trial 0 dies while this one has two trials
            os.close(claim.lock)
        return train(*arguments, **options)

    claim_next = search.claim_trial

    def note_claim(*arguments):
        found = claim_next(*arguments)
        claimed.append((None if found is None else found.trial.number, workers[0].n_running))
        return found

    monkeypatch.setattr(search, "Concurrency", concurrency)
    monkeypatch.setattr(search, "claim_trial", note_claim)
    monkeypatch.setattr(trial, "training_turns", note)
    search.search(task, folder)
    trials = open_study(folder, task.name).get_trials()
    assert len(trials) == N_TRIALS and all(one.state == TrialState.COMPLETE for one in trials)
    assert (0, 2) in claimed, "it was claimed beside two others"
    assert started[2] == 1, "and ran alone"
    assert not list(folder.glob("trial*.lock")) and not list(folder.glob("*.stopped"))


def test_throughput_counts_the_turns_of_all_copies():
    n_started, n_turns = [], []

    def start():
        n_started.append(1)
        for _ in range(5):
            n_turns.append(1)
            yield

    rate = trials_at_once.throughput(start, 3, "cpu")
    assert rate > 0 and len(n_started) > 3, "copies that have ended are started again"
    assert len(n_turns) == pytest.approx(3 * (trials_at_once.N_WARMUP_TURNS + trials_at_once.N_MEASURED_TURNS), abs=6)
