"""Concurrent trainings in one process: each gives the bytes that it gives alone."""

import pytest
import torch

from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.training import concurrency
from eegwf.training.concurrency import Concurrency, ConcurrentTraining, SharedClock, run_alone
from eegwf.training.loop import training_turns
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.small_models import SMALL
from tests.helpers.study import CLASSES, write_study

SETTINGS = Training(epochs=3, batch_size=8, mixup_alpha=0.3, time_mask=0.3, ema_decay=0.9)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("study"))
    window_set = load_window_set(folder / "windows.tsv", folder / "folds.tsv", CLASSES)
    return SpectrogramDataset([folder / "mel.npy"]), split(window_set, 1)


def weights_of(result):
    return {name: value.numpy().tobytes() for name, value in result.classifier.state_dict().items()}


def test_each_of_several_trainings_gives_the_bytes_that_it_gives_alone(study, monkeypatch):
    # A turn of two steps: with a turn for each epoch, which sets the seed anew, a shared random state would not matter.
    monkeypatch.setattr("eegwf.training.trainer.STEPS_PER_TURN", 2)
    tasks = [("vit", 1), ("transcnn", 1), ("eegnet", 2), ("vit", 3), ("lstm", 1)]
    found, order = {}, []

    def turns_of(model, seed):
        def note(history):
            order.append((model, seed))

        parameters = {**SMALL[model], "dropout": 0.3}
        return training_turns(model, *study, parameters, SETTINGS, seed=seed, on_trained_epoch=note)

    def train(task):
        found[task] = yield from turns_of(*task)

    waiting = list(tasks)
    Concurrency("cpu", 3).run(lambda: train(waiting.pop(0)) if waiting else None)
    assert order != sorted(order, key=tasks.index), "they ran one after the other"
    assert list(found) != [] and set(found) == set(tasks)
    for task in tasks:
        alone = run_alone(turns_of(*task))
        assert found[task].history == alone.history
        assert weights_of(found[task]) == weights_of(alone)


def test_random_state_of_the_process_is_kept():
    def draw():
        torch.manual_seed(5)
        yield
        values.append(torch.rand(1).item())

    values = []
    torch.manual_seed(1)
    expected = torch.rand(2).tolist()
    torch.manual_seed(1)
    training = ConcurrentTraining(draw(), "cpu")
    first = torch.rand(1).item()
    assert not training.advance()
    second = torch.rand(1).item()
    assert training.advance()
    assert [first, second] == expected
    torch.manual_seed(5)
    assert values == torch.rand(1).tolist()


def count_turns(name, n_turns, events, error=None):
    """A training of some turns that notes when it starts, ends and is ended."""
    events.append(f"start {name}")
    try:
        for _ in range(n_turns):
            yield
        if error:
            raise error
        events.append(f"end {name}")
    except GeneratorExit:
        events.append(f"close {name}")
        raise


def test_trainings_start_up_to_the_limit_and_when_one_has_ended():
    events, waiting = [], [("a", 3), ("b", 1), ("c", 1)]

    def start():
        return count_turns(*waiting.pop(0), events) if waiting else None

    Concurrency("cpu", 2).run(start)
    assert events == ["start a", "start b", "end b", "start c", "end c", "end a"]


def test_start_is_tried_again_only_after_a_training_has_ended():
    calls, events, waiting = [], [], [("a", 5), ("b", 5)]

    def start():
        calls.append(len(events))
        return count_turns(*waiting.pop(0), events) if waiting else None

    Concurrency("cpu", 4).run(start)
    assert calls == [0, 1, 2, 3, 4]  # of the last three, each found none: after both starts, and after each end


def test_error_of_a_training_ends_the_others():
    events, waiting = [], [("a", 5, None), ("b", 1, RuntimeError("broken"))]

    def start():
        name, n_turns, error = waiting.pop(0) if waiting else (None, 0, None)
        return count_turns(name, n_turns, events, error) if name else None

    with pytest.raises(RuntimeError, match="broken"):
        Concurrency("cpu", 2).run(start)
    assert events == ["start a", "start b", "close a"]


def test_an_error_while_others_are_closed_closes_all_of_them():
    events = []

    def fail_to_close(name):
        try:
            while True:
                yield
        finally:
            events.append(name)
            raise OSError(28, "No space left on device")

    waiting = [fail_to_close("a"), fail_to_close("b"), count_turns("c", 1, [], RuntimeError("broken"))]
    with pytest.raises(OSError, match="No space"):
        Concurrency("cpu", 3).run(lambda: waiting.pop(0) if waiting else None)
    assert sorted(events) == ["a", "b"]


def test_trainings_on_the_cpu_do_not_use_the_gpu(monkeypatch):
    def initialize():
        raise AssertionError("CUDA was initialized")

    monkeypatch.setattr(torch.cuda, "_lazy_init", initialize)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    events, waiting = [], [("a", 2), ("b", 2)]
    Concurrency("cpu", 2).run(lambda: count_turns(*waiting.pop(0), events) if waiting else None)
    assert len(events) == 4


def test_networks_whose_random_state_is_shared_are_not_interrupted_within_an_epoch(study, monkeypatch):
    """cuDNN has one state for the dropout between the layers of recurrent networks."""
    monkeypatch.setattr("eegwf.training.trainer.STEPS_PER_TURN", 1)

    def n_turns(**parameters):
        return len(list(training_turns("lstm", *study, {**SMALL["lstm"], **parameters}, SETTINGS, seed=1)))

    assert n_turns(layers=2, dropout=0.3) == SETTINGS.epochs
    assert n_turns(layers=2, dropout=0.0) > 5 * SETTINGS.epochs


def test_clock_divides_the_time_by_the_number_of_trainings(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(concurrency.time, "monotonic", lambda: now[0])
    clock = SharedClock()
    for n_sharing, seconds, expected in ((1, 4.0, 4.0), (4, 8.0, 6.0), (2, 1.0, 6.5), (0, 1.0, 7.5)):
        clock.share(n_sharing)
        now[0] += seconds
        assert clock() == expected
