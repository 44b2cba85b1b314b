"""What a training says: a line a second at most, and true figures."""

import re

import pytest

from eegwf.training import console as module
from eegwf.training.console import Console


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


def test_a_line_a_second_at_most(clock, capsys):
    console = Console("vit_mel_3class_fold1")
    for trial in range(4):
        say = console.training(f"trial {trial}", 50, 100)
        for epoch in range(1, 30):
            clock.now += 0.1
            say(history(epoch))
    lines = capsys.readouterr().err.splitlines()
    assert 10 <= len(lines) <= 12
    assert lines[-1].startswith("vit_mel_3class_fold1: trial 3, epoch ")


def test_figures_of_a_line(clock, capsys):
    say = Console("name").training("rank 1 of 5", 10, 600)
    for epoch in (1, 2, 3):
        clock.now += 2
        say(history(epoch))
    assert capsys.readouterr().err.splitlines()[-1] == (
        "name: rank 1 of 5, epoch 3 of 10 at most, loss 0.333, validation balanced accuracy 0.400 (best 0.500), "
        "300 windows/s, 0:14 left"
    )


def test_epochs_of_a_checkpoint_took_no_time(clock, capsys):
    say = Console("name").training("rank 1 of 5", 10, 600)
    clock.now += 2
    say(history(6))
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.search(r"epoch 6 .* 300 windows/s, 0:08 left$", last)
