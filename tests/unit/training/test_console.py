"""Log messages of trainings: at most one per second, with correct values."""

import logging
import re

import pytest

from eegwf.training import console as module
from eegwf.training.console import Console


@pytest.fixture(autouse=True)
def info_level(caplog):
    caplog.set_level(logging.INFO, logger="eegwf")


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def history(epochs):
    return [
        {"epoch": e + 1, "train_loss": 1 / (e + 1), "balanced_accuracy": 0.4 + 0.1 * (e == 1)} for e in range(epochs)
    ]


def test_at_most_one_message_per_second(clock, caplog):
    console = Console("vit_mel_3class_fold1")
    for trial in range(4):
        log_epoch = console.training(f"trial {trial}", 50, 100)
        for epoch in range(1, 30):
            clock.now += 0.1
            log_epoch(history(epoch))
    lines = caplog.messages
    assert 10 <= len(lines) <= 12
    assert lines[-1].startswith("vit_mel_3class_fold1: trial 3, epoch ")


def test_values_of_a_message(clock, caplog):
    log_epoch = Console("name").training("rank 1 of 5", 10, 600)
    for epoch in (1, 2, 3):
        clock.now += 2
        log_epoch(history(epoch))
    assert caplog.messages[-1] == (
        "name: rank 1 of 5, epoch 3 of at most 10, loss 0.333, validation balanced accuracy 0.400 (best 0.500), "
        "300 windows/s, 0:14 left"
    )


def test_epochs_of_a_checkpoint_are_not_counted_in_the_speed(clock, caplog):
    log_epoch = Console("name").training("rank 1 of 5", 10, 600)
    clock.now += 2
    log_epoch(history(6))
    assert re.search(r"epoch 6 .* 300 windows/s, 0:08 left$", caplog.messages[-1])


def test_pretraining_has_messages_of_its_own_and_does_not_count_in_the_speed(clock, caplog):
    log_epoch = Console("name").training("rank 1 of 5", 10, 600)
    pretrained = [{"epoch": n, "n_epochs": 2, "contrastive_loss": 3.0, "windows": 1600} for n in (1, 2)]
    for n in (1, 2):
        clock.now += 8
        log_epoch(pretrained[:n])
    assert caplog.messages == [
        "name: rank 1 of 5, pretraining epoch 1 of 2, contrastive loss 3.000, 200 windows/s, 0:08 left",
        "name: rank 1 of 5, pretraining epoch 2 of 2, contrastive loss 3.000, 200 windows/s, 0:00 left",
    ]
    clock.now += 2
    log_epoch(history(1))
    assert re.search(r"epoch 1 of at most 10, .* 300 windows/s, 0:18 left$", caplog.messages[-1])
